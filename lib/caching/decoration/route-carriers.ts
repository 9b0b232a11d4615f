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
  const names = new Set<string | symbol>();
  const sites = new Set<CachedSite>();
  for (let level = prototype ?? null; level !== null; level = Object.getPrototypeOf(level) as object | null) {
    for (const name of Reflect.ownKeys(level)) {
      if (names.has(name)) continue;
      names.add(name);
      const { value } = Object.getOwnPropertyDescriptor(level, name)!;
      const site = typeof value === 'function' ? cachedSiteOf(value as object) : undefined;
      if (site !== undefined) sites.add(site);
    }
  }
  return sites;
}
