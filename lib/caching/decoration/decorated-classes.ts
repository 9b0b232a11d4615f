import type { ModulesContainer } from '@nestjs/core';
import type { InstanceWrapper } from '@nestjs/core/injector/instance-wrapper.js';
import type { Module } from '@nestjs/core/injector/module.js';
import {
  type CachedSite,
  cachedSiteOf,
  decoratedMethods,
  type InvalidatingSite,
  invalidatingSitesOf,
  type Method,
} from './method-site.js';

export type ClassConstructor = (abstract new (...args: never[]) => object) & { readonly prototype: object };

/** A class with decorated methods, as an application provides it. */
export interface ProvidedClass {
  readonly cls: ClassConstructor;
  readonly module: Module;
  readonly wrapper: InstanceWrapper;
  readonly isController: boolean;
}

/** A decorated method of a class, its own or inherited. A method that a subclass overrides without the decorator is not one. */
export interface ProvidedMethod {
  readonly name: string | symbol;
  /** The function that Nest calls. */
  readonly implementation: Method;
  readonly cached: CachedSite | undefined;
  /** Innermost first. */
  readonly invalidating: readonly InvalidatingSite[];
}

/** Returns the classes with decorated methods, in the order in which the application declares them. */
export function decoratedClasses(modules: ModulesContainer): ProvidedClass[] {
  const found: ProvidedClass[] = [];
  for (const module of modules.values()) {
    const collections = [
      { wrappers: module.controllers, isController: true },
      { wrappers: module.providers, isController: false },
      { wrappers: module.injectables, isController: false },
    ];
    for (const { wrappers, isController } of collections) {
      for (const wrapper of wrappers.values()) {
        if (wrapper.isAlias) continue;
        const cls = classOf(wrapper);
        if (cls !== undefined && decoratedMethods(cls.prototype).size > 0)
          found.push({ cls, module, wrapper, isController });
      }
    }
  }
  return found;
}

/** Returns why instances of a provider may hold the state of one user; undefined for a singleton. */
export function unsharedInstances(wrapper: InstanceWrapper): string | undefined {
  if (!wrapper.isDependencyTreeStatic()) return 'it is request-scoped and can hold its caller';
  return wrapper.isTransient ? 'it is transient: each class that injects it has its own instance and state' : undefined;
}

/** Returns the class of a provider, or of the object that a factory or value provider returns. */
function classOf(wrapper: InstanceWrapper): ClassConstructor | undefined {
  const { metatype, inject } = wrapper;
  if (typeof metatype === 'function' && inject == null && !wrapper.isNotMetatype) {
    return typeof metatype.prototype === 'object' ? (metatype as ClassConstructor) : undefined;
  }
  return isObject(wrapper.instance) ? constructorOf(wrapper.instance) : undefined;
}

/** Returns the class of an object from its prototype. It ignores an own `constructor` property. */
export function constructorOf(instance: object): ClassConstructor | undefined {
  const prototype = Object.getPrototypeOf(instance) as { constructor?: unknown } | null;
  return typeof prototype?.constructor === 'function' ? (prototype.constructor as ClassConstructor) : undefined;
}

export function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

/** The decorated methods of a class. */
export function providedMethods(cls: ClassConstructor): ProvidedMethod[] {
  return [...decoratedMethods(cls.prototype)].flatMap((name) => {
    const implementation = (cls.prototype as Record<string | symbol, unknown>)[name];
    if (typeof implementation !== 'function') return [];
    const cached = cachedSiteOf(implementation);
    const invalidating = invalidatingSitesOf(implementation);
    if (cached === undefined && invalidating.length === 0) return [];
    return [{ name, implementation: implementation as Method, cached, invalidating }];
  });
}
