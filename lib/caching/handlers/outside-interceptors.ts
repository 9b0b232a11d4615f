import type { ApplicationConfig } from '@nestjs/core';
import type { Module } from '@nestjs/core/injector/module.js';
import { CachedInterceptor } from '../cached.interceptor.js';
import type { ClassConstructor } from '../decoration/decorated-classes.js';
import type { Method } from '../decoration/method-site.js';

const INTERCEPTORS = '__interceptors__';

/** Puts our interceptor behind all others of a handler, so that it caches what the handler itself returns. */
export function moveInnermost(implementation: Method): void {
  const present = Reflect.getMetadata(INTERCEPTORS, implementation) as unknown[] | undefined;
  if (present === undefined || present.at(-1) === CachedInterceptor) return;
  const others = present.filter((interceptor) => interceptor !== CachedInterceptor);
  Reflect.defineMetadata(INTERCEPTORS, [...others, CachedInterceptor], implementation);
}

/** The interceptors that stand outside ours: global ones, the class' and the method's. */
export interface OutsideInterceptors {
  readonly count: number;
  /** Those of them that are there already. */
  readonly instances: readonly object[];
}

export function outsideInterceptors(
  implementation: Method,
  cls: ClassConstructor,
  module: Module,
  config: ApplicationConfig,
): OutsideInterceptors {
  const ofClass = (Reflect.getMetadata(INTERCEPTORS, cls) as unknown[] | undefined) ?? [];
  const ofMethod = (Reflect.getMetadata(INTERCEPTORS, implementation) as unknown[] | undefined) ?? [];
  const declared = [...ofClass, ...ofMethod].filter((interceptor) => interceptor !== CachedInterceptor);
  const global = config.getGlobalInterceptors();
  const instances = [...global, ...declared.map((interceptor) => instanceOf(interceptor, module))];
  return {
    count: declared.length + global.length + config.getGlobalRequestInterceptors().length,
    instances: instances.filter((instance): instance is object => typeof instance === 'object' && instance !== null),
  };
}

function instanceOf(interceptor: unknown, module: Module): unknown {
  return typeof interceptor === 'function' ? module.injectables.get(interceptor as never)?.instance : interceptor;
}

/** What Nest's ClassSerializerInterceptor has, whoever subclassed it. */
interface Serializer {
  readonly defaultOptions?: object;
  serialize(response: unknown, options: object): unknown;
  transformToPlain(value: unknown, options: object): unknown;
  getContextOptions?(context: { getHandler(): unknown; getClass(): unknown }): object | undefined;
}

/**
 * Cached values are plain objects, so a serialising interceptor outside would no longer know which properties a class excludes:
 * it is asked before the class is gone. Undefined where there is none.
 */
export function serializerOf(
  { instances }: OutsideInterceptors,
  implementation: Method,
  cls: ClassConstructor,
): ((value: unknown) => unknown) | undefined {
  const serializer = instances.find(isSerializer);
  if (serializer === undefined) return undefined;
  const context = { getHandler: () => implementation, getClass: () => cls };
  return (value) =>
    serializer.serialize(value, { ...serializer.defaultOptions, ...serializer.getContextOptions?.(context) });
}

function isSerializer(interceptor: object): interceptor is Serializer {
  const { serialize, transformToPlain } = interceptor as Partial<Serializer>;
  return typeof serialize === 'function' && typeof transformToPlain === 'function';
}
