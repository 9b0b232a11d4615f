import type { Entry } from './entry.js';
import { copyOf } from './caller-copy.js';
import { JsonText } from './json-text.js';

/**
 * Who gets a value that is not stored: all callers share it, each caller gets a copy, or only the caller whose load returned it gets it.
 */
export type Sharing = 'shared' | 'copied' | 'own';

/** Returns the value for a caller: the frozen value, or a copy if it cannot be frozen or the policy requires a copy. */
export function valueOf(entry: Entry, policy?: { readonly clone: boolean }): unknown {
  if (policy?.clone === true) return copyOf(entry.value);
  if (!entry.mutable) return entry.value;
  return entry.value instanceof JsonText ? entry.value.shared() : copyOf(entry.value);
}
