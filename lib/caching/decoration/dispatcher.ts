import { Inject, Optional } from '@nestjs/common';
import { CacheError } from '../../cache/errors.js';
import { CachingLink, type ClassHost } from './class-host.js';
import { copyMetadata } from './copy-metadata.js';
import { type Method, type MethodSite, noteDecorated } from './method-site.js';

/** Under which every instance of a decorated class holds its {@link ClassHost}; the property its link is injected into. */
export const HOST = Symbol('cache-observability:host');

interface Hosted {
  readonly [HOST]?: ClassHost | undefined;
}

/**
 * Leaves a dispatcher in place of a decorated method: it finds the application of the instance it is called on, so that
 * static, transient, request-scoped and inherited instances, self-calls and methods bound in a constructor all reach theirs.
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
      `@${decorator} stands on '${String(method)}', which is no method of an instance: static members and accessors have no application.`,
    );
  }
  const implementation = original as Method;
  const dispatcher: Method = function (this: Hosted | undefined | null, ...args: unknown[]): unknown {
    const host = this?.[HOST];
    return host === undefined ? implementation.apply(this, args) : host.call(site, this as object, args);
  };
  const site = siteOf(implementation, dispatcher);
  Object.defineProperty(dispatcher, 'name', { value: implementation.name, configurable: true });
  Object.defineProperty(dispatcher, 'length', { value: implementation.length, configurable: true });
  copyMetadata(implementation, dispatcher);
  descriptor.value = dispatcher;
  // At once: decorators above may look the method up instead of taking what is handed to them.
  Object.defineProperty(target, method, descriptor);
  noteDecorated(target, method);
  receiveLink(target);
  return site;
}

/** Makes Nest inject the application's link into instances of a class, without their having to know. */
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

/** Gives an instance its host; one that refuses new properties keeps calling its methods as they stand. */
export function assignHost(instance: object, host: ClassHost): void {
  Reflect.defineProperty(instance, HOST, { value: host, configurable: true, enumerable: false, writable: false });
}

/** The host of an instance, once Nest has injected it. */
export function hostOf(instance: object): ClassHost | undefined {
  return (instance as Hosted)[HOST];
}
