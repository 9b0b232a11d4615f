import type { CallHandler, ExecutionContext } from '@nestjs/common';
import type { Observable } from 'rxjs';
import type { MethodSite } from './method-site.js';

/** Runs the calls of one decorated method in one application. */
export interface MethodRunner {
  run(instance: object, args: unknown[]): unknown;
}

/** Answers the calls of one decorated handler in one application. */
export interface HandlerRunner {
  answer(execution: ExecutionContext, next: CallHandler): Observable<unknown> | Promise<Observable<unknown>>;
  /**
   * Answers a call of a handler that has no other interceptor, without Nest's chain; HTTP only.
   * @param args the arguments of the route.
   * @param run runs pipes and handler.
   * @returns what Nest sends, or a promise of it.
   */
  answerAlone?(args: readonly unknown[], run: () => Promise<unknown>): unknown;
}

/** The part of an application that decorated methods and handlers use. */
export interface ApplicationRuntime {
  /** Undefined if the method runs undecorated, as handlers do: their interceptor answers from the cache. */
  methodOf(site: MethodSite, host: ClassHost): MethodRunner | undefined;
  /** Undefined if the handler runs uncached. */
  handlerOf(implementation: unknown, cls: unknown, transport: string): HandlerRunner | undefined;
}

/** The decorated methods of one class in one application. */
export class ClassHost {
  readonly #runners = new Map<MethodSite, MethodRunner | undefined>();

  constructor(
    readonly link: CachingLink,
    readonly cls: abstract new (...args: never[]) => object,
    /** The only instance that this host serves; undefined if it serves all instances of its class. */
    readonly instance?: object,
  ) {}

  call(site: MethodSite, instance: object, args: unknown[]): unknown {
    const runner = this.#runners.get(site) ?? this.prepare(site);
    return runner === undefined ? site.original.apply(instance, args) : runner.run(instance, args);
  }

  /**
   * Returns the runner of a method and creates it once; undefined while there is no runtime, and for methods that run
   * undecorated.
   */
  prepare(site: MethodSite): MethodRunner | undefined {
    const { runtime } = this.link;
    if (runtime === undefined || this.#runners.has(site)) return this.#runners.get(site);
    const runner = runtime.methodOf(site, this);
    this.#runners.set(site, runner);
    return runner;
  }
}

/**
 * Connects decorated classes to the runtime of their application. Nest injects it into them as an optional property. It has no
 * dependencies, so that classes on which the module's own options depend can be cached too. Calls bypass the cache until the
 * module is initialised and has registered the instances.
 */
export class CachingLink {
  runtime: ApplicationRuntime | undefined;
  readonly #hosts = new Map<object, ClassHost>();

  /** The host of an instance's class. */
  hostOf(instance: object): ClassHost {
    return this.hostOfClass(instance.constructor as abstract new (...args: never[]) => object);
  }

  hostOfClass(cls: abstract new (...args: never[]) => object): ClassHost {
    let host = this.#hosts.get(cls);
    if (host === undefined) {
      host = new ClassHost(this, cls);
      this.#hosts.set(cls, host);
    }
    return host;
  }
}
