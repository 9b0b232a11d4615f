import {
  type DynamicModule,
  Inject,
  Module,
  type NestModule,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
  type OnModuleInit,
  type Provider,
} from '@nestjs/common';
import { ApplicationConfig, DiscoveryModule } from '@nestjs/core';
import { APPLICATION_CACHE } from './wiring/application-cache.js';
import {
  ConfigurableModuleClass,
  MODULE_OPTIONS_TOKEN,
  RESOLVED_OPTIONS,
} from './options/cache-observability.module-definition.js';
import type {
  CacheFeatureOptions,
  CacheObservabilityAsyncOptions,
  CacheObservabilityOptions,
  StaticOptions,
} from './options/cache-observability.options.js';
import { cacheManagerProviders, roomProviders } from './cache-observability.providers.js';
import { isRecord } from './cache/options/option-rules.js';
import { ShutdownBudget } from './cache/base/shutdown-budget.js';
import { CACHE_CLOCK } from './cache/base/tokens.js';
import { loggedRefusal } from './caching/boot-refusal.js';
import { CachingRuntime } from './caching/caching-runtime.js';
import { cachingExports } from './caching/caching.providers.js';
import { dashboardRoutes } from './dashboard/dashboard.routes.js';
import { prometheusEndpoint } from './exporters/prometheus/endpoint.js';
import { FEATURE_SOURCES, featureExports, type FeatureSource } from './wiring/features.js';
import { CacheHealthIndicator } from './health/cache-health.indicator.js';
import { CacheInsight } from './insight/cache-insight.js';
import { CacheMetrics } from './metrics/cache-metrics.js';
import { monitoringRoutes } from './monitoring/controllers.js';
import { DECLARING_PARTS, type DeclaringParts, declaredFaults, refuseStrategies } from './wiring/declared-faults.js';
import { featureModule, NamedCaches } from './wiring/named-caches.js';
import { keepOutsidePrefix } from './wiring/outside-prefix.js';
import { ObservedCache } from './wiring/observed-cache.js';
import { SharedServers } from './wiring/shared-servers.js';
import {
  type ResolvedOptions,
  resolveAsyncOptions,
  resolveMonitoring,
  resolveOptions,
  resolvePrometheus,
} from './options/resolved-options.js';
import { CacheWarmer } from './warming/cache-warmer.js';

/**
 * A layered cache with warming, metrics and monitoring routes.
 *
 * @example
 * ```ts
 * @Module({ imports: [CacheObservabilityModule.forRoot({ layers: [memoryLayer(), redisLayer({ url })], ttl: '5m' })] })
 * export class AppModule {}
 * ```
 *
 * @publicApi
 */
@Module({ imports: [DiscoveryModule] })
export class CacheObservabilityModule
  extends ConfigurableModuleClass
  implements NestModule, OnModuleInit, OnApplicationBootstrap, OnApplicationShutdown
{
  readonly #cache: ObservedCache;
  readonly #caching: CachingRuntime;
  readonly #shutdown: ShutdownBudget;
  readonly #named: NamedCaches;

  constructor(
    @Inject(APPLICATION_CACHE) cache: ObservedCache,
    @Inject(CachingRuntime) caching: CachingRuntime,
    @Inject(CacheWarmer) warmer: CacheWarmer,
    @Inject(FEATURE_SOURCES) sources: readonly FeatureSource[],
    @Inject(ShutdownBudget) shutdown: ShutdownBudget,
    @Inject(NamedCaches) named: NamedCaches,
    @Inject(RESOLVED_OPTIONS) { monitoring, prometheus }: ResolvedOptions,
    @Inject(ApplicationConfig) config: ApplicationConfig,
  ) {
    super();
    const routes = [monitoring, prometheus].filter((one) => one !== false && !one.globalPrefix);
    keepOutsidePrefix(
      config,
      routes.map((one) => (one as { readonly path: string }).path),
    );
    this.#shutdown = shutdown;
    this.#named = named;
    this.#cache = cache;
    this.#caching = caching;
    cache.metrics.addSource(warmer.metrics);
    cache.insight.addWarmed((pattern) => warmer.warmedOf(pattern));
    for (const source of sources) {
      cache.metrics.addSource(source);
      cache.metrics.addAlerts(() => source.warnings?.() ?? []);
    }
  }

  /**
   * Creates the module. Without options, it has one bounded layer in memory, metrics, routes under `/cache` and Prometheus at
   * `/metrics`. Faults in the options fail the start of the application with one `INVALID_OPTIONS` that lists all of them.
   */
  static override forRoot(options: CacheObservabilityOptions = {}): DynamicModule {
    return assembled(super.forRoot(options), options, {
      provide: RESOLVED_OPTIONS,
      inject: [MODULE_OPTIONS_TOKEN, ...DECLARING_PARTS],
      useFactory: (given: CacheObservabilityOptions, ...parts: DeclaringParts) => {
        const resolved = resolveOptions(given, (namespace) => declaredFaults(parts, namespace));
        refuseStrategies(parts, resolved.namespace);
        return resolved;
      },
    });
  }

  /** Takes the options from dependency injection. Set options that select routes and tokens beside the factory. */
  static override forRootAsync(options: CacheObservabilityAsyncOptions): DynamicModule {
    const { useFactory, useClass, useExisting } = objectOf(options);
    const source = (useFactory ?? useClass ?? useExisting) ? options : { ...options, useFactory: () => ({}) };
    return assembled(
      super.forRootAsync(source as Parameters<typeof ConfigurableModuleClass.forRootAsync>[0]),
      options,
      {
        provide: RESOLVED_OPTIONS,
        inject: [MODULE_OPTIONS_TOKEN, ...DECLARING_PARTS],
        useFactory: (result: CacheObservabilityOptions, ...parts: DeclaringParts) => {
          const resolved = resolveAsyncOptions({ ...options }, result, (namespace) => declaredFaults(parts, namespace));
          refuseStrategies(parts, resolved.namespace);
          return resolved;
        },
      },
    );
  }

  /**
   * Adds a cache with its own layers, bounds and policy: `@InjectCache(name)` injects it, and `@Cached(pattern, { cache: name
   * })` uses it. Metrics and routes show it under its name. Faults in the options fail the start of the application with one
   * `INVALID_OPTIONS` that lists all of them.
   * @param name letters, digits, `_`, `.` and `-`; not `default`.
   */
  static forFeature(name: string, options: CacheFeatureOptions = {}): DynamicModule {
    return featureModule(name, options);
  }

  /** Adds no middleware. Nest calls this method last before it creates the routes. */
  async configure(): Promise<void> {
    await this.#caching.beforeRoutes();
  }

  async onModuleInit(): Promise<void> {
    for (const [name, { metrics }] of this.#named.all) this.#cache.metrics.addCache(name, metrics);
    await Promise.all([this.#cache.connect(), this.#named.connect()]).catch((error: unknown) => {
      throw loggedRefusal(error);
    });
  }

  /** By now every handler is compiled. */
  onApplicationBootstrap(): void {
    this.#cache.tuning.settle();
    this.#named.settle();
  }

  /** Writes pending data. It runs last, when no request runs any more. */
  async onApplicationShutdown(): Promise<void> {
    await this.#shutdown.spend(async (ms) => {
      await Promise.all([this.#cache.close(ms), this.#named.close(ms)]);
    });
  }
}

/** Adds the controllers and tokens that the static options select. */
function assembled(
  definition: DynamicModule,
  given: StaticOptions | CacheObservabilityOptions,
  resolved: Provider,
): DynamicModule {
  const options = objectOf(given);
  const monitoring = resolveMonitoring(options.monitoring);
  const prometheus = resolvePrometheus(options.prometheus);
  const manager = options.cache === 'app' ? [] : cacheManagerProviders;
  const parts = [
    ...(monitoring === false ? [] : [monitoringRoutes(monitoring), dashboardRoutes(monitoring)]),
    ...(prometheus === false
      ? []
      : [prometheusEndpoint(prometheus, monitoring === false ? [] : monitoring.decorators)]),
  ];
  return {
    ...definition,
    global: options.isGlobal ?? true,
    imports: [...(definition.imports ?? []), ...(monitoring === false ? [] : (monitoring.imports ?? []))],
    controllers: parts.flatMap(({ controllers }) => controllers),
    providers: [
      ...(definition.providers ?? []),
      resolved,
      ...roomProviders,
      ...manager,
      ...parts.flatMap(({ providers }) => providers),
    ],
    exports: [
      ObservedCache,
      CacheMetrics,
      CacheInsight,
      CacheWarmer,
      CacheHealthIndicator,
      ...featureExports,
      // The modules of `forFeature()` inject it.
      RESOLVED_OPTIONS,
      CACHE_CLOCK,
      SharedServers,
      ...cachingExports,
      ...manager.map(({ provide }) => provide),
    ],
  };
}

/** Returns options that are an object, otherwise an empty object. The boot reports the fault. */
function objectOf<T extends object>(options: T): Partial<T> {
  return isRecord(options) ? options : {};
}
