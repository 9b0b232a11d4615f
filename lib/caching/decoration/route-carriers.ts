import type { ModulesContainer } from '@nestjs/core';
import type { InstanceWrapper } from '@nestjs/core/injector/instance-wrapper.js';
import { type CachedSite, cachedSiteOf } from './method-site.js';

/**
 * Finds, for each decorated function, the controllers that have a route with it: declared, inherited or copied. It includes
 * controllers of modules that do not import the cache.
 */
export function routeCarriers(modules: ModulesContainer): ReadonlyMap<CachedSite, ReadonlySet<InstanceWrapper>> {
  const carriers = new Map<CachedSite, Set<InstanceWrapper>>();
  for (const module of modules.values()) {
    for (const wrapper of module.controllers.values()) {
      for (const site of sitesOf(wrapper.metatype?.prototype as object | undefined)) {
        const known = carriers.get(site) ?? new Set();
        carriers.set(site, known.add(wrapper));
      }
    }
  }
  return carriers;
}

function sitesOf(prototype: object | undefined): ReadonlySet<CachedSite> {
  return new Set(methodsOf(prototype).flatMap((method) => cachedSiteOf(method) ?? []));
}

/** Returns the methods of a class, inherited ones included. @param replaced true to include overridden methods. */
export function methodsOf(prototype: object | undefined, replaced = false): object[] {
  return namedMethods(prototype, replaced).map(([, method]) => method);
}

/** The methods of a class with their names. */
export function namedMethods(
  prototype: object | undefined,
  replaced = false,
): (readonly [name: string | symbol, method: object])[] {
  const names = new Set<string | symbol>();
  const methods: [string | symbol, object][] = [];
  for (let level = prototype ?? null; level !== null; level = Object.getPrototypeOf(level) as object | null) {
    for (const name of Reflect.ownKeys(level)) {
      if (names.has(name) && !replaced) continue;
      names.add(name);
      const { value } = Object.getOwnPropertyDescriptor(level, name)!;
      if (typeof value === 'function') methods.push([name, value as object]);
    }
  }
  return methods;
}
