/** The injection token of the clock that the module and its caches use; the same in every copy of this package. */
export const CACHE_CLOCK = Symbol.for('nestjs-cache-observability:clock');

/** The name of the application's own cache, among the names of caches. */
export const OWN_CACHE = 'default';

const NAMED_CACHE = 'nestjs-cache-observability:cache:';

/** Returns the injection token of a cache registered by `CacheObservabilityModule.forFeature(name, …)`; the same in every copy of this package. */
export function cacheToken(name: string): string {
  return NAMED_CACHE + name;
}

/** Returns the cache's name in the token of a named cache; undefined for any other token. */
export function cacheNameIn(token: unknown): string | undefined {
  return typeof token === 'string' && token.startsWith(NAMED_CACHE) ? token.slice(NAMED_CACHE.length) : undefined;
}
