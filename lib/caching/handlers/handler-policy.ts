import type { SeriesOptions } from '../../cache/base/observer.js';
import type { CachePolicy } from '../../cache/policies/policy.js';
import type { CachedOptions } from '../options/cached.options.js';

/** The options of a decorator that are the cache's policy. */
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

/** A single object, so that it is resolved once for all handlers without a policy of their own. */
const NO_POLICY: CachePolicy = Object.freeze({});

/** The part of the options that is the cache's policy. Tags that name inputs are set with each load. */
export function policyOf(options: CachedOptions): CachePolicy {
  let policy: Record<string, unknown> | undefined;
  for (const name of OF_POLICY) {
    if (options[name] === undefined || (name === 'tags' && namesInputs(options.tags))) continue;
    (policy ??= {})[name] = options[name];
  }
  return policy ?? NO_POLICY;
}

/** Removes background loads from a policy: such a load has no response of its own to write to. */
export function withoutBackground(policy: CachePolicy): CachePolicy {
  return { ...policy, staleWhileRevalidate: 0, softTimeout: '365d', refreshAhead: 1 };
}

/** True if a policy has background loads. */
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
