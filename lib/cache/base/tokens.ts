/** Token of the clock by which the module and its caches measure and wait; the same in every copy of this package. */
export const CACHE_CLOCK = Symbol.for('nestjs-cache-observability:clock');

const NAMED_CACHE = 'nestjs-cache-observability:cache:';

/** The token of the cache that `CacheObservabilityModule.forFeature(name, …)` made; the same in every copy of this package. */
export function cacheToken(name: string): string {
  return NAMED_CACHE + name;
}

/** The name in the token of a named cache; undefined for any other token. */
export function cacheNameIn(token: unknown): string | undefined {
  return typeof token === 'string' && token.startsWith(NAMED_CACHE) ? token.slice(NAMED_CACHE.length) : undefined;
}
