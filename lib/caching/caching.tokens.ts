/** Token of the cache that handlers and methods are answered from: a `LayeredCache`. */
export const CACHING_CACHE = Symbol('cache-observability:caching-cache');

/** Token of the {@link CachingOptions}. */
export const CACHING_OPTIONS = Symbol('cache-observability:caching-options');
