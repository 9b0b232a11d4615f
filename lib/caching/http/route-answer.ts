import type { HttpServer } from '@nestjs/common';
import type { LayeredCache } from '../../cache/layered-cache.js';
import type { ReadPlan } from '../../cache/policies/read-plan.js';
import type { ClassConstructor } from '../decoration/decorated-classes.js';
import type { Method } from '../decoration/method-site.js';
import type { HttpRequest } from '../gate/http-request.js';
import type { RequestGate } from '../gate/request-gate.js';
import type { ResponseAdapter } from './response-adapter.js';
import { RouteCall } from './route-call.js';
import type { RouteDecisions } from './route-decisions.js';
import type { RouteFailures } from './route-failures.js';
import type { StoredAnswers } from './stored-answers.js';

/** Status and headers that Nest sets on every response of a handler before its interceptors run. */
interface RouteDefaults {
  readonly status: number;
  readonly headers: readonly { readonly name: string; readonly value: string }[];
}

/** Answers the hits of one handler when the adapter calls its route, before Nest's own work for the request. */
export class RouteAnswer {
  readonly #defaults: RouteDefaults;
  /** True once a key was a promise. From then on requests go to the chain, so that each key is computed once. */
  #keysComeLater = false;

  /** @param method of the route: `GET`. */
  constructor(
    private readonly cache: LayeredCache,
    private readonly plan: ReadPlan,
    private readonly gate: RequestGate,
    private readonly answers: StoredAnswers,
    private readonly failures: RouteFailures,
    private readonly decisions: RouteDecisions,
    private readonly responses: ResponseAdapter,
    private readonly adapter: HttpServer,
    private readonly cls: ClassConstructor,
    private readonly implementation: Method,
    method: string,
  ) {
    this.#defaults = routeDefaults(implementation, method);
  }

  /**
   * True if the request was answered. False if the chain must handle it: nothing was sent, and the chain throws the error if
   * there was one.
   */
  answer(args: [request: object, response: object, next: unknown]): boolean {
    if (this.#keysComeLater) return false;
    const { gate, cache, plan, responses, failures, decisions } = this;
    const request = args[0] as HttpRequest;
    const key = gate.decide(new RouteCall(args, this.cls, this.implementation));
    if (key instanceof Promise) {
      this.#keysComeLater = true;
      return false;
    }
    const entry = typeof key === 'string' ? cache.fresh(key, plan) : undefined;
    if (typeof key !== 'string' || entry === undefined) {
      decisions.hand(request, key);
      return false;
    }
    const response = args[1];
    try {
      responses.setStatus(response, this.#defaults.status);
      for (const { name, value } of this.#defaults.headers) this.adapter.setHeader!(response, name, value);
      this.adapter.reply(response, this.answers.hit(request, response, key, entry));
      return true;
    } catch (error) {
      failures.note(request, error);
      return false;
    }
  }
}

/** True if a `@Header()` has a function. It may throw or count calls, so only the chain runs it. */
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
