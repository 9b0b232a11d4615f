import type { SeriesOptions } from '../../cache/base/observer.js';
import type { CachePolicy } from '../../cache/policies/policy.js';
import type { CachedOptions } from '../options/cached.options.js';

/** The part of the options that is the cache's policy. Tags that name inputs are set with each load. */
export function policyOf(options: CachedOptions): CachePolicy {
  const policy: CachePolicy = {
    staleWhileRevalidate: options.staleWhileRevalidate,
    staleIfError: options.staleIfError,
    softTimeout: options.softTimeout,
    hardTimeout: options.hardTimeout,
    refreshAhead: options.refreshAhead,
    jitter: options.jitter,
    negativeTtl: options.negativeTtl,
    lock: options.lock,
    waitTimeout: options.waitTimeout,
    maxEntrySize: options.maxEntrySize,
    clone: options.clone,
    classes: options.classes,
    ttl: options.ttl,
    cacheIf: options.cacheIf,
    tags: namesInputs(options.tags) ? undefined : options.tags,
  };
  return Object.fromEntries(Object.entries(policy).filter(([, value]) => value !== undefined));
}

/** Removes background loads from a policy: such a load has no response of its own to write to. */
export function withoutBackground(policy: CachePolicy): CachePolicy {
  return { ...policy, staleWhileRevalidate: 0, softTimeout: '365d', refreshAhead: 1 };
}

/** True where a policy has background loads. */
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
