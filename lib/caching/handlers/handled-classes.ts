import type { ApplicationConfig, ModulesContainer } from '@nestjs/core';
import type { CachedRoute } from '../decoration/cached-handler.js';
import {
  type ClassConstructor,
  type ProvidedClass,
  type ProvidedMethod,
  providedMethods,
  unsharedInstances,
} from '../decoration/decorated-classes.js';
import { handlerTransports } from '../decoration/handler-kind.js';
import { handlerRoute } from '../http/handler-route.js';
import type { Transport } from '../inputs/call.js';

/** A class, once for each place where it is provided. */
export type Mounts = readonly [ProvidedClass, ...ProvidedClass[]];

/**
 * A decorated method with the metadata that naming, checks and compilation use. It is read once, because an application has
 * many methods.
 */
export interface HandledMethod extends ProvidedMethod {
  /** The transports through which Nest calls it; none for a method of a provider. */
  readonly transports: readonly Exclude<Transport, 'method'>[];
  /** The route of an HTTP handler at each mount of its class; none for others. */
  readonly routes: readonly CachedRoute[];
}

/** A class with decorated methods. */
export interface HandledClass {
  readonly cls: ClassConstructor;
  readonly mounts: Mounts;
  readonly methods: readonly HandledMethod[];
}

/**
 * Chooses the mount by which a class is checked. A request-scoped mount comes first, because its instances may hold data of one
 * caller.
 */
export function compiledMount(mounts: Mounts): ProvidedClass {
  return mounts.find(({ wrapper }) => unsharedInstances(wrapper) !== undefined) ?? mounts[0];
}

/** Returns each class once, in the order in which the application declares them. */
export function handledClasses(
  provided: readonly ProvidedClass[],
  config: ApplicationConfig,
  modules: ModulesContainer,
): ReadonlyMap<ClassConstructor, HandledClass> {
  const places = new Map<ClassConstructor, [ProvidedClass, ...ProvidedClass[]]>();
  for (const one of provided) {
    const mounts = places.get(one.cls);
    if (mounts === undefined) places.set(one.cls, [one]);
    else mounts.push(one);
  }
  const classes = new Map<ClassConstructor, HandledClass>();
  for (const [cls, mounts] of places) {
    const methods = providedMethods(cls).map((method): HandledMethod => {
      const { implementation } = method;
      const transports = handlerTransports(implementation, cls);
      const routes = transports.includes('http')
        ? mounts.map(({ module }) => handlerRoute(implementation, cls, module, config, modules))
        : [];
      return { ...method, transports, routes };
    });
    classes.set(cls, { cls, mounts, methods });
  }
  return classes;
}
