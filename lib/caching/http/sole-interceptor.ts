import type { Type } from '@nestjs/common';
import { RouterExecutionContext } from '@nestjs/core/router/router-execution-context.js';
import { CachedInterceptor } from '../decoration/cached.interceptor.js';
import { cachedSiteOf, type Method } from '../decoration/method-site.js';

/*
 * Calls the interceptor of a cached handler without Nest's chain if the handler has no other interceptor.
 *
 * The problem. Nest runs interceptors as Observables, even a single one: that costs a fifth of a small request on Fastify, and
 * three times as much if the interceptor waits for a load.
 *
 * The rule. Guards run before, pipes and the handler inside, exception filters outside, as in the chain. The interceptor gets the function
 * with which Nest calls a handler that has no interceptors, and returns what Nest sends. With any other interceptor, Nest's chain runs.
 *
 * How. Nest compiles each route once, by `RouterExecutionContext.create()`, and each request calls `interceptorsConsumer.intercept()` of that
 * object. While Nest makes its routes, those of cached handlers get another consumer.
 */

/** Nest's `InterceptorsConsumer`, as its routes use it. */
interface Consumer {
  intercept(
    interceptors: readonly unknown[],
    args: unknown[],
    instance: object,
    callback: Method,
    next: () => Promise<unknown>,
    type?: string,
  ): unknown;
}

/** The number of parameters of Nest's `intercept()`. If it has others, all routes keep Nest's chain. */
const PARAMETERS = 6;

class SoleInterceptor implements Consumer {
  constructor(private readonly chain: Consumer) {}

  intercept(
    interceptors: readonly unknown[],
    args: unknown[],
    instance: object,
    callback: Method,
    next: () => Promise<unknown>,
    type?: string,
  ): unknown {
    const [first] = interceptors;
    if (interceptors.length === 1 && first instanceof CachedInterceptor) {
      const runner = first.runnerOf(callback, instance.constructor as Type, 'http');
      if (runner?.answerAlone !== undefined) return runner.answerAlone(args, next);
    }
    return this.chain.intercept(interceptors, args, instance, callback, next, type);
  }
}

type Create = RouterExecutionContext['create'];

/**
 * Shortens the chains of the routes that Nest makes from now on.
 * @returns a function that ends it; call it when all routes are made.
 */
export function shortenChains(): () => void {
  const { prototype } = RouterExecutionContext;
  const { create } = prototype;
  let active = true;
  const shortened = function (this: RouterExecutionContext, ...args: Parameters<Create>): ReturnType<Create> {
    const chain = (this as unknown as { readonly interceptorsConsumer?: Consumer }).interceptorsConsumer;
    if (!active || chain?.intercept.length !== PARAMETERS || cachedSiteOf(args[1]) === undefined) {
      return create.apply(this, args);
    }
    const consumer = { value: new SoleInterceptor(chain) };
    return create.apply(Object.create(this, { interceptorsConsumer: consumer }) as RouterExecutionContext, args);
  };
  prototype.create = shortened;
  return () => {
    active = false;
    // Another application that is starting may have replaced it since: its function stays, and calls this one.
    if (prototype.create === shortened) prototype.create = create;
  };
}
