import type { ModulesContainer } from '@nestjs/core';
import type { InstanceWrapper } from '@nestjs/core/injector/instance-wrapper.js';
import { type CachedSite, cachedSiteOf } from './method-site.js';

/**
 * The controllers that have routes by one decorated function, whether they declare it, inherit it or had it copied, and
 * whether or not their module sees the cache: such routes look alike.
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

/** The methods of a class, inherited ones included. */
export function methodsOf(prototype: object | undefined): object[] {
  const names = new Set<string | symbol>();
  const methods: object[] = [];
  for (let level = prototype ?? null; level !== null; level = Object.getPrototypeOf(level) as object | null) {
    for (const name of Reflect.ownKeys(level)) {
      if (names.has(name)) continue;
      names.add(name);
      const { value } = Object.getOwnPropertyDescriptor(level, name)!;
      if (typeof value === 'function') methods.push(value as object);
    }
  }
  return methods;
}
