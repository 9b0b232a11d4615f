import {
  type ExecutionContext,
  Inject,
  Injectable,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
  type OnModuleDestroy,
  type OnModuleInit,
} from '@nestjs/common';
import { ApplicationConfig, HttpAdapterHost, ModulesContainer } from '@nestjs/core';
import { systemClock } from '../cache/clock.js';
import { CacheError } from '../cache/errors.js';
import type { LayeredCache } from '../cache/layered-cache.js';
import type { CachedHandler } from './cached-handler.js';
import type { CachingOptions } from './caching.options.js';
import { CACHING_CACHE, CACHING_OPTIONS } from './caching.tokens.js';
import {
  type ApplicationRuntime,
  CachingLink,
  type ClassHost,
  type HandlerRunner,
  type MethodRunner,
} from './decoration/class-host.js';
import { decoratedClasses, providedMethods } from './decoration/decorated-classes.js';
import type { MethodSite } from './decoration/method-site.js';
import { FastLane } from './fast-lane/fast-lane.js';
import { putInFront } from './fast-lane/lane-server.js';
import { middlewareNames, namesInFront } from './fast-lane/middleware-names.js';
import { ApplicationCompiler } from './handlers/application-compiler.js';
import { HandlerTable } from './handlers/handler-table.js';
import { settleInstances } from './handlers/instances.js';
import { moveInnermost } from './handlers/outside-interceptors.js';
import { RouteHits } from './http/route-hits.js';
import { WarmingRequests } from './http/warming-requests.js';

/** Everything `@Cached` and `@CacheInvalidate` need of one application. */
@Injectable()
export class CachingRuntime
  implements ApplicationRuntime, OnModuleInit, OnApplicationBootstrap, OnModuleDestroy, OnApplicationShutdown
{
  readonly cache: LayeredCache;
  readonly options: CachingOptions;
  /** What warming sends its requests by. */
  readonly warming = new WarmingRequests();
  readonly #link: CachingLink;
  readonly #modules: ModulesContainer;
  readonly #adapterHost: HttpAdapterHost;
  readonly #compiler: ApplicationCompiler;
  readonly #lane: FastLane;
  readonly #routes = new RouteHits();
  readonly #handlers = new HandlerTable();
  #takeLaneAway: (() => void) | undefined;
  #routesAreMade: (() => void) | undefined;

  constructor(
    @Inject(CachingLink) link: CachingLink,
    @Inject(CACHING_CACHE) cache: LayeredCache,
    @Inject(CACHING_OPTIONS) options: CachingOptions,
    @Inject(ModulesContainer) modules: ModulesContainer,
    @Inject(ApplicationConfig) config: ApplicationConfig,
    @Inject(HttpAdapterHost) adapterHost: HttpAdapterHost,
  ) {
    this.cache = cache;
    this.options = options;
    this.#link = link;
    this.#modules = modules;
    this.#adapterHost = adapterHost;
    const clock = options.clock ?? systemClock;
    this.#lane = new FastLane({
      now: () => clock.now(),
      log: options.log,
      middleware: () =>
        adapterHost.httpAdapter === undefined ? [] : middlewareNames(adapterHost.httpAdapter, modules),
      inFront: (request) => namesInFront(adapterHost.httpAdapter, request),
      warming: this.warming,
    });
    this.#compiler = new ApplicationCompiler({
      cache,
      options,
      modules,
      config,
      adapterHost,
      lane: this.#lane,
      routes: this.#routes,
      warming: this.warming,
    });
    // Before routes are made, which read the order of interceptors once.
    for (const { cls } of decoratedClasses(modules)) {
      for (const { implementation } of providedMethods(cls)) moveInnermost(implementation);
    }
    link.runtime = this;
  }

  /** Nest is about to hand its routes to the adapter. */
  beforeRoutes(): void {
    this.#routesAreMade = this.#routes.watch(this.#adapterHost.httpAdapter);
  }

  /**
   * Compiles every decorated handler and method: routes, global prefix and interceptors are known by now.
   * @throws CacheError one for all that could not be cached safely: the code of the first fault, the messages of all.
   */
  onModuleInit(): void {
    this.#routesAreMade?.();
    const provided = settleInstances(decoratedClasses(this.#modules), this.#link, this.#modules, this.options.log);
    this.#compiler.compileAll(provided, this.#link, this.#handlers);
    const faults = this.#compiler.faults();
    if (faults.length === 0) return this.#declarePatterns();
    const [first] = faults;
    throw new CacheError(
      first!.code,
      faults.length === 1
        ? first!.message
        : `${faults.length} handlers cannot be cached:\n${faults.map(({ code, message }) => `- ${code} ${message}`).join('\n')}`,
    );
  }

  /** Handlers of one pattern may keep their answers for different times: then no TTL is the pattern's. */
  #declarePatterns(): void {
    const ttls = new Map<string, number | null>();
    for (const { pattern, plan } of this.handlers) {
      const { ttlMs, ttlOf } = plan.policy;
      const fixed = ttlOf === undefined && ttlMs < Infinity ? ttlMs : null;
      ttls.set(pattern, !ttls.has(pattern) || ttls.get(pattern) === fixed ? fixed : null);
    }
    for (const [pattern, ttlMs] of ttls) this.options.metrics?.declare(pattern, { ttlMs });
  }

  onApplicationBootstrap(): void {
    if (this.#lane.wanted) this.#takeLaneAway = putInFront(this.#lane, this.#adapterHost.httpAdapter.getHttpServer());
  }

  /** First of all: while the application closes, every request is the framework's. */
  onModuleDestroy(): void {
    this.#takeLaneAway?.();
  }

  onApplicationShutdown(): void {
    this.#compiler.close();
  }

  /** Every cached handler and method, once the module is initialised. */
  get handlers(): readonly CachedHandler[] {
    return this.#compiler.handlers();
  }

  handlerOf(execution: ExecutionContext): HandlerRunner | undefined {
    return this.#handlers.find(execution);
  }

  methodOf(site: MethodSite, host: ClassHost): MethodRunner | undefined {
    return this.#compiler.methodOf(site, host);
  }
}
