import type { ApplicationConfig } from '@nestjs/core';
import { CachedInterceptor } from '../decoration/cached.interceptor.js';
import type { ClassConstructor } from '../decoration/decorated-classes.js';
import type { Method } from '../decoration/method-site.js';

const INTERCEPTORS = '__interceptors__';

/** Makes our interceptor the innermost one of a handler, so that it caches the handler's own result. */
export function moveInnermost(implementation: Method): void {
  const present = Reflect.getMetadata(INTERCEPTORS, implementation) as unknown[] | undefined;
  if (present === undefined || present.at(-1) === CachedInterceptor) return;
  const others = present.filter((interceptor) => interceptor !== CachedInterceptor);
  Reflect.defineMetadata(INTERCEPTORS, [...others, CachedInterceptor], implementation);
}

/**
 * Counts the interceptors of the application, the class and the method that run outside ours. They also need the value on hits.
 */
export function interceptorsOutside(implementation: Method, cls: ClassConstructor, config: ApplicationConfig): number {
  const declared = [cls, implementation].flatMap(
    (target) => (Reflect.getMetadata(INTERCEPTORS, target) as unknown[] | undefined) ?? [],
  );
  const others = declared.filter((interceptor) => interceptor !== CachedInterceptor);
  return others.length + config.getGlobalInterceptors().length + config.getGlobalRequestInterceptors().length;
}
