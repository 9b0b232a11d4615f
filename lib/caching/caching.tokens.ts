/** Token of the cache of handlers and methods: a `LayeredCache`. */
export const CACHING_CACHE = Symbol('cache-observability:caching-cache');

/** Token of the {@link CachingOptions}. */
export const CACHING_OPTIONS = Symbol('cache-observability:caching-options');
