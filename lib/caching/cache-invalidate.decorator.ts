import type { CacheInvalidateOptions } from './options/cached.options.js';
import { useInterceptor } from './cached.decorator.js';
import { replaceByDispatcher } from './decoration/dispatcher.js';
import { type InvalidatingSite, INVALIDATES, invalidatingSitesOf } from './decoration/method-site.js';
import { checkedInvalidate } from './decorator-options.js';

/**
 * Invalidates after the handler or method succeeded, before its caller gets the result; a failed invalidation is logged and
 * never fails the call. Templates are as in `@Cached`, and may name parts of the result: `{result.id}`. On a cached handler, it
 * invalidates when the handler runs, not on hits. A fault in the options fails the boot: `INVALID_OPTIONS` or
 * `INVALID_TEMPLATE`, in one error with the faults of all decorators.
 * @throws CacheError `INVALID_TEMPLATE` on a static member or an accessor.
 * @publicApi
 */
export function CacheInvalidate(options: CacheInvalidateOptions): MethodDecorator {
  const checked = checkedInvalidate(options);
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
        options: checked.options,
        optionFaults: checked.faults,
      }),
    );
    Reflect.defineMetadata(INVALIDATES, [...invalidatingSitesOf(site.original), site], site.dispatcher);
    useInterceptor(descriptor);
    return descriptor;
  };
}
