import type { Entry } from '../entry.js';
import { copyOf } from './values.js';

/** What a caller may have of an entry: the frozen value, or a copy where it cannot be frozen or the policy says so. */
export function valueOf(entry: Entry, policy?: { readonly clone: boolean }): unknown {
  return entry.mutable || policy?.clone === true ? copyOf(entry.value) : entry.value;
}
