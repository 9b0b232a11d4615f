import type { Entry } from './entry.js';
import { copyOf } from './caller-copy.js';

/** Who may have a value that is not kept: all callers, each a copy of its own, or only the one whose load returned it. */
export type Sharing = 'shared' | 'copied' | 'own';

/** What a caller may have of an entry: the frozen value, or a copy where it cannot be frozen or the policy says so. */
export function valueOf(entry: Entry, policy?: { readonly clone: boolean }): unknown {
  return entry.mutable || policy?.clone === true ? copyOf(entry.value) : entry.value;
}
