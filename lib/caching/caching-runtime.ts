import {
  Inject,
  Injectable,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
  type OnModuleDestroy,
  type OnModuleInit,
  Optional,
} from '@nestjs/common';
import { ApplicationConfig, HttpAdapterHost, ModulesContainer } from '@nestjs/core';
import { CacheError } from '../cache/base/errors.js';
import type { LayeredCache } from '../cache/layered-cache.js';
import type { ReadPlan } from '../cache/policies/read-plan.js';
import type { CacheMetrics } from '../metrics/cache-metrics.js';
import type { PatternDeclaration } from '../metrics/judgement.js';
import type { CachedHandler } from './decoration/cached-handler.js';
import type { CachingOptions } from './options/caching.options.js';
import { loggedRefusal } from './boot-refusal.js';
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
import { EARLY_HITS, type EarlyHits } from './http/early-hits.js';
import { ApplicationCompiler } from './handlers/application-compiler.js';
import { HandlerTable } from './handlers/handler-table.js';
import { settleInstances } from './handlers/instances.js';
import { moveInnermost } from './handlers/outside-interceptors.js';
import type { Fault } from './keys/key-design.js';
import { RouteHits } from './http/route-hits.js';
import { shortenChains } from './http/sole-interceptor.js';
import { WarmingRequests } from './gate/warming-requests.js';

/** Runs `@Cached` and `@CacheInvalidate` in one application. */
@Injectable()
export class CachingRuntime
  implements ApplicationRuntime, OnModuleInit, OnApplicationBootstrap, OnModuleDestroy, OnApplicationShutdown
{
  readonly cache: LayeredCache;
  readonly options: CachingOptions;
  /** Marks the requests of warming. */
  readonly warming = new WarmingRequests();
  readonly #link: CachingLink;
  readonly #modules: ModulesContainer;
  readonly #adapterHost: HttpAdapterHost;
  readonly #compiler: ApplicationCompiler;
  readonly #early: EarlyHits | undefined;
  readonly #routes = new RouteHits();
  readonly #handlers = new HandlerTable();
  #routesAreMade: (() => void) | undefined;

  constructor(
    @Inject(CachingLink) link: CachingLink,
    @Inject(CACHING_CACHE) cache: LayeredCache,
    @Inject(CACHING_OPTIONS) options: CachingOptions,
    @Inject(ModulesContainer) modules: ModulesContainer,
    @Inject(ApplicationConfig) config: ApplicationConfig,
    @Inject(HttpAdapterHost) adapterHost: HttpAdapterHost,
    @Optional() @Inject(EARLY_HITS) early?: EarlyHits,
  ) {
    this.cache = cache;
    this.options = options;
    this.#link = link;
    this.#modules = modules;
    this.#adapterHost = adapterHost;
    this.#early = early;
    this.#compiler = new ApplicationCompiler(
      cache,
      options,
      modules,
      config,
      adapterHost,
      early,
      this.#routes,
      this.warming,
    );
    // This must run before Nest registers routes, because Nest reads the order of interceptors at that time.
    for (const { cls } of decoratedClasses(modules)) {
      for (const { implementation } of providedMethods(cls)) moveInnermost(implementation);
    }
  }

  /** Call it before Nest adds the middleware of modules and the routes to the adapter. */
  async beforeRoutes(): Promise<void> {
    const stopWatching = this.#routes.watch(this.#adapterHost.httpAdapter, this.#early !== undefined);
    const stopShortening = shortenChains();
    this.#routesAreMade = () => {
      stopWatching();
      stopShortening();
    };
    await this.#early?.beforeRoutes();
  }

  /**
   * Compiles every decorated handler and method. Routes, global prefix and interceptors are known by then.
   * @throws CacheError one error for all faults of decorators and handlers, with the code of the first fault and the messages
   *   of all.
   */
  onModuleInit(): void {
    this.#routesAreMade?.();
    const classes = settleInstances(decoratedClasses(this.#modules), this.#link, this.#modules, this.options.log);
    this.#compiler.settled(classes);
    this.#link.runtime = this;
    this.#compiler.compileAll(classes, this.#handlers);
    const faults = this.#compiler.faults();
    if (faults.length === 0) return this.#declarePatterns();
    const [first] = faults;
    throw loggedRefusal(
      new CacheError(
        first!.code,
        faults.length === 1
          ? first!.message
          : `${countOf(faults)} cannot be used as written:\n${faults.map(({ code, message }) => `- ${code} ${message}`).join('\n')}`,
      ),
    );
  }

  /** Declares patterns to the metrics. A pattern whose handlers have different TTLs is declared without a TTL. */
  #declarePatterns(): void {
    const named = this.options.named?.();
    const declared = new Map<CacheMetrics | undefined, Map<string, PatternDeclaration>>();
    for (const { pattern, text, plan, cache, className, methodName, transport } of this.handlers) {
      const metrics = cache === undefined ? this.options.metrics : named?.get(cache)?.metrics;
      const ofCache = declared.get(metrics) ?? new Map<string, PatternDeclaration>();
      declared.set(metrics, ofCache);
      const { ttlMs, ttlOf } = plan.policy;
      const fixed = ttlOf === undefined && ttlMs < Infinity ? ttlMs : null;
      const earlier = ofCache.get(pattern);
      const endpoint = plan.series.endpoint ?? null;
      ofCache.set(pattern, {
        ...(earlier ?? { text, plan: plan as ReadPlan<never> }),
        ttlMs: earlier === undefined || earlier.ttlMs === fixed ? fixed : null,
        declaredBy: (earlier?.declaredBy ?? []).concat({ class: className, method: methodName, transport, endpoint }),
      });
    }
    for (const [metrics, ofCache] of declared) {
      for (const [pattern, declaration] of ofCache) metrics?.declare(pattern, declaration);
    }
  }

  onApplicationBootstrap(): void {
    this.#early?.open();
  }

  /** Closes early hits first: while the application closes, the framework answers every request. */
  onModuleDestroy(): void {
    this.#early?.close();
  }

  onApplicationShutdown(): void {
    this.#compiler.close();
  }

  /** True if hits of any handler are answered before the framework gets the request. */
  get answersEarly(): boolean {
    return this.#early?.areUsed ?? false;
  }

  /** All cached handlers and methods. Read it when the module is initialised. */
  get handlers(): readonly CachedHandler[] {
    return this.#compiler.handlers();
  }

  handlerOf(implementation: unknown, cls: unknown, transport: string): HandlerRunner | undefined {
    return this.#handlers.find(implementation, cls, transport);
  }

  methodOf(site: MethodSite, host: ClassHost): MethodRunner | undefined {
    return this.#compiler.methodOf(site, host);
  }
}

/** Counts the faulty handlers and methods by the beginnings of the messages, which name them. */
function countOf(faults: readonly Fault[]): string {
  const owners = new Set(faults.map(({ message }) => message.slice(0, message.indexOf('('))));
  return owners.size === 1 ? 'One handler or method' : `${owners.size} handlers or methods`;
}
