import { UseInterceptors } from '@nestjs/common';
import { CacheError } from '../cache/errors.js';
import type { CachedOptions } from './cached.options.js';
import { CachedInterceptor } from './cached.interceptor.js';
import { replaceByDispatcher } from './decoration/dispatcher.js';
import { CACHED, type CachedSite, cachedSiteOf } from './decoration/method-site.js';
import { keyPattern } from './keys/key-template.js';

/**
 * Answers a controller handler, GraphQL resolver, RPC or WebSocket handler, or any injectable's method from the cache.
 *
 * `'feed:*'`: the text before `*` is the prefix, `*` becomes the route (or class and method) and the inputs the handler declares.
 * `'product:{params.id}'`, `'seller:{0.id}'`: the whole key; it names every declared input or `ignore` does.
 *
 * A decorated method returns a promise, or an Observable where its declared return type is one; without the module it is
 * called as it stands.
 * @throws CacheError `INVALID_TEMPLATE` for a pattern that is neither, and on what is no method.
 * @publicApi
 */
export function Cached(pattern: string, options: CachedOptions = {}): MethodDecorator {
  const parsed = keyPattern(pattern);
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
            `${target.constructor.name}.${String(method)} has two @Cached; one method has one key.`,
          );
        }
        return {
          kind: 'cached',
          method,
          original,
          dispatcher,
          declaredBy: target.constructor,
          pattern: parsed,
          options: Object.freeze({ ...options }),
          measured: new Set(),
        };
      },
    );
    Reflect.defineMetadata(CACHED, site, site.dispatcher);
    useInterceptor(target, method, descriptor);
    return descriptor;
  };
}

/** Puts the interceptor on a method, once; the runtime moves it behind all others. */
export function useInterceptor(target: object, method: string | symbol, descriptor: unknown): void {
  const { value } = descriptor as TypedPropertyDescriptor<object>;
  const present = Reflect.getMetadata('__interceptors__', value as object) as unknown[] | undefined;
  if (present?.includes(CachedInterceptor) === true) return;
  UseInterceptors(CachedInterceptor)(target, method, descriptor as TypedPropertyDescriptor<unknown>);
}
