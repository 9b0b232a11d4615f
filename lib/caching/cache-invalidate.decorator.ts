import type { CacheInvalidateOptions } from './cached.options.js';
import { useInterceptor } from './cached.decorator.js';
import { replaceByDispatcher } from './decoration/dispatcher.js';
import { type InvalidatingSite, INVALIDATES, invalidatingSitesOf } from './decoration/method-site.js';
import { keyTemplate } from './keys/key-template.js';

/**
 * Invalidates after the handler or method succeeded, before its caller gets the result; a failing invalidation is logged and
 * never fails the call. Templates as in `@Cached`, and `{result.id}`. On a handler that is cached too it runs when the handler does.
 * @throws CacheError `INVALID_TEMPLATE` for a template that cannot be read, and on what is no method.
 * @publicApi
 */
export function CacheInvalidate(options: CacheInvalidateOptions): MethodDecorator {
  for (const text of [...(options.keys ?? []), ...(options.patterns ?? []), ...(options.tags ?? [])]) keyTemplate(text);
  return (target, method, descriptor) => {
    const site = replaceByDispatcher<InvalidatingSite>(
      'CacheInvalidate',
      target,
      method,
      descriptor as TypedPropertyDescriptor<unknown> | undefined,
      (original, dispatcher) => ({
        kind: 'invalidating',
        method,
        original,
        dispatcher,
        declaredBy: target.constructor,
        options: Object.freeze({ ...options }),
      }),
    );
    Reflect.defineMetadata(INVALIDATES, [...invalidatingSitesOf(site.original), site], site.dispatcher);
    useInterceptor(target, method, descriptor);
    return descriptor;
  };
}
