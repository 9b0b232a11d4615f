import type { ExecutionContext, Type } from '@nestjs/common';
import type { CachedContext, CachedRequest } from '../options/cached.options.js';

/** The transport of a handler; `method` for a method of a provider. */
export type Transport = 'http' | 'rpc' | 'ws' | 'graphql' | 'method';

/** One call, as keys, tags and invalidations read it. */
export interface Call {
  /** The arguments that the transport passes to the handler, or the method's arguments. */
  readonly args: readonly unknown[];
  /** Nest's context of a handler; undefined for methods. */
  readonly execution: ExecutionContext | undefined;
  /** The object whose method was called; undefined for handlers. */
  readonly instance: unknown;
}

/** Reads one input of a call. */
export type Reader = (call: Call) => unknown;

/** Creates the call of a handler through its transport. */
export function handlerCall(execution: ExecutionContext): Call {
  return { args: execution.getArgs(), execution, instance: undefined };
}

/** Returns the HTTP request of a call: the request of an HTTP handler, or the request in a GraphQL context. */
export function requestOf(args: readonly unknown[], transport: Transport): CachedRequest | undefined {
  if (transport === 'http') return args[0] as CachedRequest;
  if (transport !== 'graphql') return undefined;
  const context = args[2] as
    { req?: CachedRequest; request?: CachedRequest; reply?: { request?: CachedRequest } } | undefined;
  return context?.req ?? context?.request ?? context?.reply?.request;
}

/** The argument that functions in options get. */
export class CallContext implements CachedContext {
  readonly args: readonly unknown[];
  readonly instance: unknown;
  readonly request: CachedRequest | undefined;
  readonly #execution: ExecutionContext;

  constructor(call: Call, transport: Transport, execution: ExecutionContext) {
    this.args = call.args;
    this.instance = call.instance;
    this.request = requestOf(call.args, transport);
    this.#execution = execution;
  }

  getClass<T = unknown>(): Type<T> {
    return this.#execution.getClass<T>();
  }

  getHandler(): ReturnType<ExecutionContext['getHandler']> {
    return this.#execution.getHandler();
  }

  getArgs<T extends unknown[] = unknown[]>(): T {
    return this.#execution.getArgs<T>();
  }

  getArgByIndex<T = unknown>(index: number): T {
    return this.#execution.getArgByIndex<T>(index);
  }

  getType<T extends string = string>(): T {
    return this.#execution.getType<T>();
  }

  switchToHttp(): ReturnType<ExecutionContext['switchToHttp']> {
    return this.#execution.switchToHttp();
  }

  switchToRpc(): ReturnType<ExecutionContext['switchToRpc']> {
    return this.#execution.switchToRpc();
  }

  switchToWs(): ReturnType<ExecutionContext['switchToWs']> {
    return this.#execution.switchToWs();
  }
}
