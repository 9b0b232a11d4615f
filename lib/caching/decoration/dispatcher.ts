import { Inject, Optional } from '@nestjs/common';
import { CacheError } from '../../cache/base/errors.js';
import { noteVersion } from '../../cache/version.js';
import { CachingLink, type ClassHost } from './class-host.js';
import { copyMetadata } from './copy-metadata.js';
import { type Method, type MethodSite, noteDecorated } from './method-site.js';

/** The property of a decorated class's instances that holds their {@link ClassHost}. */
export const HOST = Symbol('cache-observability:host');

interface Hosted {
  readonly [HOST]?: ClassHost | undefined;
}

/**
 * Replaces a decorated method by a dispatcher that finds the application of the instance it is called on. Singleton,
 * transient, request-scoped and inherited instances, self-calls and methods bound in a constructor all reach their application.
 */
export function replaceByDispatcher<S extends MethodSite>(
  decorator: string,
  target: object,
  method: string | symbol,
  descriptor: TypedPropertyDescriptor<unknown> | undefined,
  siteOf: (original: Method, dispatcher: Method) => S,
): S {
  const original = descriptor?.value;
  if (typeof target === 'function' || typeof original !== 'function' || descriptor === undefined) {
    throw new CacheError(
      'INVALID_TEMPLATE',
      `@${decorator} is on '${String(method)}', which is not an instance method. Static members and accessors cannot be cached.`,
    );
  }
  const implementation = original as Method;
  const { name } = implementation;
  // Method syntax, like the replaced method: the function has no `prototype`, and its name needs no second definition.
  const dispatcher: Method = {
    [name](this: Hosted | undefined | null, ...args: unknown[]): unknown {
      const host = this?.[HOST];
      return host === undefined ? implementation.apply(this, args) : host.call(site, this as object, args);
    },
  }[name]!;
  const site = siteOf(implementation, dispatcher);
  Object.defineProperty(dispatcher, 'length', { value: implementation.length, configurable: true });
  copyMetadata(implementation, dispatcher);
  descriptor.value = dispatcher;
  // Define the dispatcher now: decorators above this one may look up the method instead of using their descriptor.
  Object.defineProperty(target, method, descriptor);
  noteDecorated(target, method);
  noteVersion();
  receiveLink(target);
  return site;
}

/** Makes Nest inject the application's {@link CachingLink} into the instances of a class. */
function receiveLink(prototype: object): void {
  if (HOST in prototype) return;
  Object.defineProperty(prototype, HOST, {
    configurable: true,
    get: () => undefined,
    set(this: object, link: CachingLink) {
      assignHost(this, link.hostOf(this));
    },
  });
  Inject(CachingLink)(prototype, HOST);
  Optional()(prototype, HOST);
}

/** Assigns the host to an instance. If the instance refuses new properties, its methods run undecorated. */
export function assignHost(instance: object, host: ClassHost): void {
  Reflect.defineProperty(instance, HOST, { value: host, configurable: true, enumerable: false, writable: false });
}

/** Returns the host of an instance; undefined before Nest has injected it. */
export function hostOf(instance: object): ClassHost | undefined {
  return (instance as Hosted)[HOST];
}
