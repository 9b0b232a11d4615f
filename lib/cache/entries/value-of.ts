import type { Entry } from './entry.js';
import { copyOf } from './caller-copy.js';

/** Who may get a value that is not stored: all callers, each a copy, or only the caller whose load returned it. */
export type Sharing = 'shared' | 'copied' | 'own';

/** Returns the value that a caller may have: the frozen value, or a copy if it cannot be frozen or the policy requires one. */
export function valueOf(entry: Entry, policy?: { readonly clone: boolean }): unknown {
  return entry.mutable || policy?.clone === true ? copyOf(entry.value) : entry.value;
}
