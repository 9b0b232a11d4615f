import type { ModulesContainer } from '@nestjs/core';
import type { Module } from '@nestjs/core/injector/module.js';
import type { CacheLog } from '../../cache/base/cache-log.js';
import { type CachingLink, ClassHost } from '../decoration/class-host.js';
import {
  type ClassConstructor,
  isObject,
  type ProvidedClass,
  unsharedInstances,
} from '../decoration/decorated-classes.js';
import { assignHost, hostOf } from '../decoration/dispatcher.js';
import type { NamedClass } from './provider-names.js';

/** One or more instances that share keys, with the host of their methods. */
export interface HostedClass extends NamedClass {
  readonly host: ClassHost & NamedClass['host'];
}

/** The decorated classes of an application. */
export interface SettledClasses {
  readonly provided: readonly ProvidedClass[];
  readonly hosted: readonly HostedClass[];
}

/**
 * Assigns each instance of a decorated class its host, including objects of factory and value providers. Warns of classes whose
 * module cannot inject the cache.
 */
export function settleInstances(
  found: readonly ProvidedClass[],
  link: CachingLink,
  modules: ModulesContainer,
  log: CacheLog,
): SettledClasses {
  const provided = reachedClasses(found, link, modules, log);
  const hosted = [...mountsByInstance(provided, (instance) => (hostOf(instance)?.link ?? link) === link)].map(
    ([key, mounts]): HostedClass => {
      const [{ cls }] = mounts;
      // Two objects of one class may have different dependencies or state, so they do not share entries. The host of the class
      // serves instances that are created later: of a request-scoped or transient class, or by code.
      const host = key === cls ? link.hostOfClass(cls) : new ClassHost(link, cls, key);
      if (key !== cls) settle(key, cls, host, log);
      return { cls, host, mounts };
    },
  );
  return { provided, hosted };
}

/** Returns the mounts of each instance of a decorated class, and of request-scoped and transient classes by class. */
export function mountsByInstance(
  provided: readonly ProvidedClass[],
  isOwn: (instance: object) => boolean = () => true,
): ReadonlyMap<object, NamedClass['mounts']> {
  const byInstance = new Map<object, [ProvidedClass, ...ProvidedClass[]]>();
  for (const one of provided) {
    const { instance } = one.wrapper as { readonly instance: unknown };
    const shared = isObject(instance) && unsharedInstances(one.wrapper) === undefined;
    if (shared && !isOwn(instance)) continue;
    const key = shared ? instance : one.cls;
    const mounts = byInstance.get(key);
    if (mounts === undefined) byInstance.set(key, [one]);
    else mounts.push(one);
  }
  return byInstance;
}

function settle(instance: object, cls: ClassConstructor, host: ClassHost, log: CacheLog): void {
  if (hostOf(instance) !== host) assignHost(instance, host);
  if (hostOf(instance) === host) return;
  log('warn', 'INSTANCE_NOT_EXTENSIBLE', `${cls.name} is frozen, so its cached methods run uncached.`);
}

function reachedClasses(
  found: readonly ProvidedClass[],
  link: CachingLink,
  modules: ModulesContainer,
  log: CacheLog,
): ProvidedClass[] {
  const home = [...modules.values()].find((module) =>
    [...module.providers.values()].some(({ instance }) => (instance as unknown) === link),
  );
  return found.filter(({ cls, module, wrapper }) => {
    if (isReached(module, home)) return true;
    const instance: unknown = wrapper.instance;
    if (!isObject(instance) || hostOf(instance) === undefined) {
      log(
        'warn',
        'MODULE_NOT_IMPORTED',
        `${cls.name} has cached methods, but ${module.name} does not import CacheObservabilityModule, which is not global: they run uncached.`,
      );
    }
    return false;
  });
}

/** True if a module can inject the exports of the caching module. */
function isReached(module: Module, home: Module | undefined): boolean {
  return home === undefined || home.isGlobal || module === home || module.imports.has(home);
}
