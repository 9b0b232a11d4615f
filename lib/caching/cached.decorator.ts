import { CacheError } from '../cache/base/errors.js';
import type { CachedOptions } from './options/cached.options.js';
import { CachedInterceptor } from './decoration/cached.interceptor.js';
import { replaceByDispatcher } from './decoration/dispatcher.js';
import { CACHED, type CachedSite, cachedSiteOf } from './decoration/method-site.js';
import { checkedCached } from './decorator-options.js';
import { keyPattern } from './keys/key-template.js';

/**
 * Answers a controller handler, GraphQL resolver, RPC or WebSocket handler, or a provider's method from the cache.
 *
 * `'feed:*'`: the text before `*` is the prefix. The route (or class and method) and the inputs that the handler declares
 * replace `*`. `'product:{params.id}'`, `'seller:{0.id}'`: the whole key; it must name every declared input that `ignore` does
 * not name.
 *
 * A decorated method returns a promise, or an Observable if its declared return type is one. A provider's method with any other
 * declared return type fails the boot (`SYNC_METHOD`). Without the module, methods run undecorated.
 * A fault in the options fails the boot: `INVALID_OPTIONS`, `INVALID_DURATION` or `INVALID_TEMPLATE`, in one error with the faults
 * of all decorators.
 * @throws CacheError `INVALID_TEMPLATE` for an invalid pattern, and on a static member or an accessor.
 * @publicApi
 */
export function Cached(pattern: string, options: CachedOptions = {}): MethodDecorator {
  const parsed = keyPattern(pattern);
  const checked = checkedCached(options);
  return (target, method, descriptor) => {
    const site = replaceByDispatcher<CachedSite>(
      'Cached',
      target,
      method,
      descriptor as TypedPropertyDescriptor<unknown> | undefined,
      (original, dispatcher) => {
        if (cachedSiteOf(original) !== undefined) {
          throw new CacheError(
            'DUPLICATE_TEMPLATE',
            `${target.constructor.name}.${String(method)} has two @Cached. Remove one: a method has one key.`,
          );
        }
        return {
          kind: 'cached',
          method,
          original,
          dispatcher,
          declaredBy: target.constructor,
          pattern: parsed,
          options: checked.options,
          optionFaults: checked.faults,
          measured: [],
        };
      },
    );
    Reflect.defineMetadata(CACHED, site, site.dispatcher);
    useInterceptor(descriptor);
    return descriptor;
  };
}

/** Adds the interceptor to a method once. The runtime makes it the innermost one. */
export function useInterceptor(descriptor: unknown): void {
  const { value } = descriptor as { readonly value: object };
  const present = (Reflect.getMetadata('__interceptors__', value) ?? []) as unknown[];
  // UseInterceptors() would create arrays with room for sixteen more items.
  if (!present.includes(CachedInterceptor))
    Reflect.defineMetadata('__interceptors__', present.concat(CachedInterceptor), value);
}
