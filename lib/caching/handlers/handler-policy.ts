import type { SeriesOptions } from '../../cache/base/observer.js';
import type { CachePolicy } from '../../cache/policies/policy.js';
import type { CachedOptions } from '../options/cached.options.js';

/** The options of a decorator that belong to the cache's policy. */
const OF_POLICY = [
  'ttl',
  'staleWhileRevalidate',
  'staleIfError',
  'softTimeout',
  'hardTimeout',
  'refreshAhead',
  'jitter',
  'negativeTtl',
  'cacheIf',
  'lock',
  'waitTimeout',
  'tags',
  'maxEntrySize',
  'clone',
  'classes',
] as const satisfies readonly (keyof CachedOptions & keyof CachePolicy)[];

/** One object for all handlers without a policy of their own, so that the cache resolves it once. */
const NO_POLICY: CachePolicy = Object.freeze({});

/** Returns the cache's policy from the options of a decorator. It has no tags that name inputs: each load sets them. */
export function policyOf(options: CachedOptions): CachePolicy {
  let policy: Record<string, unknown> | undefined;
  for (const name of OF_POLICY) {
    if (options[name] === undefined || (name === 'tags' && namesInputs(options.tags))) continue;
    (policy ??= {})[name] = options[name];
  }
  return policy ?? NO_POLICY;
}

/** Removes background loads from a policy, because such a load has no response to which the handler can write. */
export function withoutBackground(policy: CachePolicy): CachePolicy {
  return { ...policy, staleWhileRevalidate: 0, softTimeout: '365d', refreshAhead: 1 };
}

/** True if a policy allows background loads. */
export function loadsInBackground({ staleWhileRevalidate, softTimeout, refreshAhead }: CachePolicy): boolean {
  return (
    (staleWhileRevalidate !== undefined && staleWhileRevalidate !== 0) ||
    softTimeout !== undefined ||
    refreshAhead !== undefined
  );
}

export function seriesOptions({ metrics }: CachedOptions): SeriesOptions | undefined {
  return metrics === false ? { enabled: false } : metrics;
}

function namesInputs(tags: CachedOptions['tags']): boolean {
  return Array.isArray(tags) && tags.some((tag: string) => tag.includes('{'));
}
