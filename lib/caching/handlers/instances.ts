import type { ModulesContainer } from '@nestjs/core';
import type { Module } from '@nestjs/core/injector/module.js';
import type { CacheLog } from '../../cache/cache-log.js';
import { type CachingLink, ClassHost } from '../decoration/class-host.js';
import { type ClassConstructor, isObject, type ProvidedClass } from '../decoration/decorated-classes.js';
import { assignHost, hostOf } from '../decoration/dispatcher.js';

/**
 * Gives objects of factories and values their application, tells instances of a class that is provided more than once apart,
 * and warns of classes that cannot see the module.
 * @returns the classes that this application answers for.
 */
export function settleInstances(
  provided: readonly ProvidedClass[],
  link: CachingLink,
  modules: ModulesContainer,
  log: CacheLog,
): ProvidedClass[] {
  const home = [...modules.values()].find((module) =>
    [...module.providers.values()].some(({ instance }) => (instance as unknown) === link),
  );
  const times = new Map<ClassConstructor, number>();
  return provided.filter((one) => {
    const instance: unknown = one.wrapper.instance;
    if (!isReached(one.module, home)) {
      if (isObject(instance) && hostOf(instance) !== undefined) return false;
      log(
        'warn',
        'MODULE_NOT_IMPORTED',
        `${one.cls.name} has cached methods, but ${one.module.name} does not import CacheObservabilityModule, which is not global: they run uncached.`,
      );
      return false;
    }
    const count = (times.get(one.cls) ?? 0) + 1;
    times.set(one.cls, count);
    if (isObject(instance) && one.wrapper.isDependencyTreeStatic()) settle(one, instance, count, link, log);
    return true;
  });
}

function settle(one: ProvidedClass, instance: object, count: number, link: CachingLink, log: CacheLog): void {
  const host = hostOf(instance);
  if (host !== undefined && host.link !== link) return;
  // A second object of a class may have other dependencies, so it does not share the first one's answers.
  if (count > 1) {
    const token = one.wrapper.token;
    const where =
      typeof token === 'string' ? token : typeof token === 'symbol' ? (token.description ?? '') : one.module.name;
    assignHost(instance, new ClassHost(link, one.cls, `${one.cls.name}@${where}`));
  } else if (host === undefined) assignHost(instance, link.hostOf(instance));
  if (hostOf(instance) === undefined) {
    log('warn', 'INSTANCE_NOT_EXTENSIBLE', `${one.cls.name} is frozen, so its cached methods run uncached.`);
  }
}

/** True where a module can inject what the caching module exports. */
function isReached(module: Module, home: Module | undefined): boolean {
  return home === undefined || home.isGlobal || module === home || module.imports.has(home);
}
