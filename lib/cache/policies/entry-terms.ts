import { CacheError } from '../base/errors.js';
import { checkTags } from '../base/keys.js';
import { NotKept } from '../base/observer.js';
import { isThenable } from '../base/thenable.js';
import { lifetime, type ResolvedPolicy } from './resolved-policy.js';

/** For how long and under which tags a value is kept. */
export interface EntryTerms {
  readonly ttlMs: number;
  readonly tags: readonly string[];
}

/**
 * What a policy says of a value, or why it is not kept. What is named for this value alone comes first.
 * @throws what the policy's own functions throw; CacheError `INVALID_KEY`, `INVALID_DURATION` for what they return,
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

/** What one of a policy's functions returned. A promise is not an answer, and must not reject unhandled. */
function inSameTurn<T>(returned: T): T {
  if (!isThenable(returned)) return returned;
  returned.then(undefined, () => undefined);
  throw new CacheError('INVALID_OPTIONS', 'ttl, tags or cacheIf returned a promise. Return the answer itself.');
}
