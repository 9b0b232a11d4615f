import type { ModulesContainer } from '@nestjs/core';
import type { InstanceWrapper } from '@nestjs/core/injector/instance-wrapper.js';
import type { Module } from '@nestjs/core/injector/module.js';
import { cachedSiteOf, decoratedMethods, invalidatingSitesOf, type Method } from './method-site.js';

export type ClassConstructor = (abstract new (...args: never[]) => object) & { readonly prototype: object };

/** One class with decorated methods as an application provides it. */
export interface ProvidedClass {
  readonly cls: ClassConstructor;
  readonly module: Module;
  readonly wrapper: InstanceWrapper;
  readonly isController: boolean;
}

/** One decorated method as a class has it: its own or an inherited one, and nobody's that a subclass replaced undecorated. */
export interface ProvidedMethod {
  readonly name: string | symbol;
  /** What Nest would call. */
  readonly implementation: Method;
}

/** Classes with decorated methods, in the order in which the application declares them. */
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

/** The class of a provider, and of the object a factory or value provider has. */
function classOf(wrapper: InstanceWrapper): ClassConstructor | undefined {
  const { metatype, inject } = wrapper;
  if (typeof metatype === 'function' && inject == null && !wrapper.isNotMetatype) {
    return typeof metatype.prototype === 'object' ? (metatype as ClassConstructor) : undefined;
  }
  return isObject(wrapper.instance) ? constructorOf(wrapper.instance) : undefined;
}

/** The class an object was made of, whatever it says of itself. */
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
    const decorated = cachedSiteOf(implementation) !== undefined || invalidatingSitesOf(implementation).length > 0;
    return decorated ? [{ name, implementation: implementation as Method }] : [];
  });
}
