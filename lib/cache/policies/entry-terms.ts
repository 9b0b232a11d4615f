import { checkTags } from '../base/keys.js';
import { NotKept } from '../base/observer.js';
import { inSameTurn } from '../base/thenable.js';
import { lifetime, type ResolvedPolicy } from './resolved-policy.js';

const FUNCTIONS = 'ttl, tags or cacheIf';

/** The TTL and the tags with which a value is stored. */
export interface EntryTerms {
  readonly ttlMs: number;
  readonly tags: readonly string[];
}

/**
 * Returns the terms of a value by its policy, or the reason why it is not stored. Settings for this value take precedence.
 * @throws errors of the policy's functions; CacheError `INVALID_KEY` or `INVALID_DURATION` for their results, `INVALID_OPTIONS` for a
 * promise.
 */
export function entryTerms<V>(
  value: V,
  policy: ResolvedPolicy<V>,
  named: { readonly ttlMs: number | undefined; readonly tags: readonly string[] | undefined },
): EntryTerms | NotKept {
  if (policy.cacheIf !== undefined && !inSameTurn(policy.cacheIf(value), FUNCTIONS)) return NotKept.cacheIf;
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
  return policy.ttlOf === undefined ? policy.ttlMs : lifetime(inSameTurn(policy.ttlOf(value), FUNCTIONS), 'ttl');
}

function tagsOf<V>(value: V, tagsOfValue: (value: V) => readonly string[]): readonly string[] {
  const tags = [...inSameTurn(tagsOfValue(value), FUNCTIONS)];
  checkTags(tags);
  return Object.freeze(tags);
}
