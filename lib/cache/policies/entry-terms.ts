import { CacheError } from '../base/errors.js';
import { checkTags } from '../base/keys.js';
import { NotKept } from '../base/observer.js';
import { isThenable } from '../base/thenable.js';
import { lifetime, type ResolvedPolicy } from './resolved-policy.js';

/** For how long and under which tags a value is stored. */
export interface EntryTerms {
  readonly ttlMs: number;
  readonly tags: readonly string[];
}

/**
 * Returns the terms of a value by its policy, or why it is not stored. Settings for this value alone take precedence.
 * @throws errors of the policy's own functions; CacheError `INVALID_KEY`, `INVALID_DURATION` for their results,
 *   `INVALID_OPTIONS` for a promise.
 */
export function entryTerms<V>(
  value: V,
  policy: ResolvedPolicy<V>,
  named: { readonly ttlMs: number | undefined; readonly tags: readonly string[] | undefined },
): EntryTerms | NotKept {
  if (policy.cacheIf !== undefined && !inSameTurn(policy.cacheIf(value))) return NotKept.cacheIf;
  const ttlMs = named.ttlMs ?? ttlOf(value, policy);
  if (ttlMs === 0) return named.ttlMs === undefined && isEmpty(value) ? NotKept.empty : NotKept.ttl;
  return { ttlMs, tags: named.tags ?? (policy.tagsOf === undefined ? policy.tags : tagsOf(value, policy.tagsOf)) };
}

function isEmpty(value: unknown): boolean {
  return value === undefined || value === null;
}

function ttlOf<V>(value: V, policy: ResolvedPolicy<V>): number {
  if (value === undefined) return policy.undefinedTtlMs;
  if (value === null && policy.nullTtlMs !== undefined) return policy.nullTtlMs;
  return policy.ttlOf === undefined ? policy.ttlMs : lifetime(inSameTurn(policy.ttlOf(value)), 'ttl');
}

function tagsOf<V>(value: V, tagsOfValue: (value: V) => readonly string[]): readonly string[] {
  const tags = [...inSameTurn(tagsOfValue(value))];
  checkTags(tags);
  return Object.freeze(tags);
}

/** Returns the result of a policy's function. A promise is refused, and its rejection must not be unhandled. */
function inSameTurn<T>(returned: T): T {
  if (!isThenable(returned)) return returned;
  returned.then(undefined, () => undefined);
  throw new CacheError('INVALID_OPTIONS', 'ttl, tags or cacheIf returned a promise. Return the value itself.');
}
