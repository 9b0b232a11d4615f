import type { HttpServer } from '@nestjs/common';
import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host.js';
import type { ClassConstructor } from '../decoration/decorated-classes.js';
import type { Method } from '../decoration/method-site.js';
import type { Call } from '../inputs/call.js';
import type { HttpHandlerParts } from './http-handler.js';
import type { HttpRequest } from './http-request.js';
import type { StoredAnswers } from './stored-answers.js';

/** What Nest puts on every answer of a handler before its interceptors run. */
interface RouteDefaults {
  readonly status: number;
  readonly headers: readonly { readonly name: string; readonly value: string }[];
}

/** Answers the hits of one handler where the adapter calls its route, before Nest makes anything for the request. */
export class RouteAnswer {
  readonly #parts: HttpHandlerParts;
  readonly #answers: StoredAnswers;
  readonly #adapter: HttpServer;
  readonly #cls: ClassConstructor;
  readonly #implementation: Method;
  readonly #defaults: RouteDefaults;
  /** True once a key was a promise: such requests wait in the chain, which then makes their keys once. */
  #keysComeLater = false;

  constructor(
    parts: HttpHandlerParts,
    answers: StoredAnswers,
    adapter: HttpServer,
    handler: { readonly cls: ClassConstructor; readonly implementation: Method; readonly method: string },
  ) {
    this.#parts = parts;
    this.#answers = answers;
    this.#adapter = adapter;
    this.#cls = handler.cls;
    this.#implementation = handler.implementation;
    this.#defaults = routeDefaults(handler.implementation, handler.method);
  }

  /** False where the request is the chain's: nothing was sent or counted then, or its failure waits there to be told. */
  answer(args: [request: object, response: object, next: unknown]): boolean {
    if (this.#keysComeLater) return false;
    const { methods, cache, answersAuthorization, honorRequestDirectives, keys, plan, face, failures, warming } =
      this.#parts;
    const request = args[0] as HttpRequest;
    const { headers } = request;
    if (!methods.has(request.method) || (headers.authorization !== undefined && !answersAuthorization)) return false;
    if (honorRequestDirectives && (headers['cache-control'] !== undefined || headers.pragma !== undefined))
      return false;
    if (warming.visitOf(request) !== undefined) return false;
    const key = keys.keyOf(new RouteCall(args, this.#cls, this.#implementation));
    if (typeof key !== 'string') {
      this.#keysComeLater = key !== undefined;
      return false;
    }
    const entry = cache.fresh(key, plan);
    if (entry === undefined) return false;
    const response = args[1];
    try {
      face.setStatus(response, this.#defaults.status);
      for (const { name, value } of this.#defaults.headers) this.#adapter.setHeader!(response, name, value);
      this.#adapter.reply(response, this.#answers.hit(request, response, key, entry));
      return true;
    } catch (error) {
      failures.note(request, error);
      return false;
    }
  }
}

/** A call of a handler at its route. Few keys ask for Nest's context of it, so it is made for those that do. */
class RouteCall implements Call {
  readonly args: readonly unknown[];
  readonly instance = undefined;
  readonly #cls: ClassConstructor;
  readonly #implementation: Method;
  #execution: ExecutionContextHost | undefined;

  constructor(args: readonly unknown[], cls: ClassConstructor, implementation: Method) {
    this.args = args;
    this.#cls = cls;
    this.#implementation = implementation;
  }

  get execution(): ExecutionContextHost {
    return (this.#execution ??= new ExecutionContextHost(
      [...this.args],
      this.#cls as never,
      this.#implementation as never,
    ));
  }
}

/** Headers that are made for each answer may fail, or count: they are the chain's to make. */
export function makesHeaders(implementation: Method): boolean {
  const headers: unknown = Reflect.getMetadata('__headers__', implementation);
  return Array.isArray(headers) && headers.some(({ value }: { value: unknown }) => typeof value === 'function');
}

function routeDefaults(implementation: Method, method: string): RouteDefaults {
  const status: unknown = Reflect.getMetadata('__httpCode__', implementation);
  return {
    status: typeof status === 'number' ? status : method === 'POST' ? 201 : 200,
    headers: (Reflect.getMetadata('__headers__', implementation) as RouteDefaults['headers'] | undefined) ?? [],
  };
}
