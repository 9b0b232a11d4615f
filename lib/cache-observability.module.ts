import {
  type DynamicModule,
  Inject,
  Module,
  type NestModule,
  type OnApplicationShutdown,
  type OnModuleInit,
  type Provider,
} from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import {
  ConfigurableModuleClass,
  MODULE_OPTIONS_TOKEN,
  RESOLVED_OPTIONS,
} from './cache-observability.module-definition.js';
import type {
  CacheObservabilityAsyncOptions,
  CacheObservabilityOptions,
  StaticOptions,
} from './cache-observability.options.js';
import { cacheManagerProviders, roomProviders } from './cache-observability.providers.js';
import { CachingRuntime } from './caching/caching-runtime.js';
import { cachingExports } from './caching/caching.providers.js';
import { DatabaseMetrics } from './database/database-metrics.js';
import { prometheusEndpoint } from './exporters/prometheus/endpoint.js';
import { CacheHealthIndicator } from './health/cache-health.indicator.js';
import { CacheMetrics } from './metrics/cache-metrics.js';
import { monitoringRoutes } from './monitoring/controllers.js';
import { ObservedCache } from './observed-cache.js';
import {
  resolveAsyncOptions,
  resolveMonitoring,
  resolveOptions,
  resolvePrometheus,
} from './options/resolved-options.js';
import { CacheWarmer } from './warming/cache-warmer.js';

/**
 * A fast layered cache that stays warm and shows what it does.
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
  implements NestModule, OnModuleInit, OnApplicationShutdown
{
  readonly #cache: ObservedCache;
  readonly #caching: CachingRuntime;

  constructor(
    @Inject(ObservedCache) cache: ObservedCache,
    @Inject(CachingRuntime) caching: CachingRuntime,
    @Inject(CacheWarmer) warmer: CacheWarmer,
    @Inject(DatabaseMetrics) databases: DatabaseMetrics,
  ) {
    super();
    this.#cache = cache;
    this.#caching = caching;
    cache.metrics.addSource(warmer.metrics);
    cache.metrics.addSource(databases);
  }

  /**
   * Without an argument: one bounded layer in memory, metrics, routes under `/cache`, Prometheus at `/metrics`.
   * A fault in the options fails the start of the application: `INVALID_OPTIONS`, listing every one.
   */
  static override forRoot(options: CacheObservabilityOptions = {}): DynamicModule {
    return assembled(super.forRoot(options), options, {
      provide: RESOLVED_OPTIONS,
      inject: [MODULE_OPTIONS_TOKEN],
      useFactory: resolveOptions,
    });
  }

  /** The same from dependency injection; what decides routes and tokens stands beside the factory. */
  static override forRootAsync(options: CacheObservabilityAsyncOptions): DynamicModule {
    const { useFactory, useClass, useExisting } = options;
    const source = (useFactory ?? useClass ?? useExisting) ? options : { ...options, useFactory: () => ({}) };
    return assembled(
      super.forRootAsync(source as Parameters<typeof ConfigurableModuleClass.forRootAsync>[0]),
      options,
      {
        provide: RESOLVED_OPTIONS,
        inject: [MODULE_OPTIONS_TOKEN],
        useFactory: (result: CacheObservabilityOptions) => resolveAsyncOptions({ ...options }, result),
      },
    );
  }

  /** Adds no middleware: it is the last that Nest asks of a module before it makes the routes. */
  configure(): void {
    this.#caching.beforeRoutes();
  }

  async onModuleInit(): Promise<void> {
    await this.#cache.connect();
  }

  /** Last of all, when no request is under way any more: what is to be written is written now. */
  async onApplicationShutdown(): Promise<void> {
    await this.#cache.close();
  }
}

/** The definition with the controllers and tokens that the static options decide on. */
function assembled(
  definition: DynamicModule,
  options: StaticOptions | CacheObservabilityOptions,
  resolved: Provider,
): DynamicModule {
  const monitoring = resolveMonitoring(options.monitoring);
  const prometheus = resolvePrometheus(options.prometheus);
  const manager = options.cache === 'app' ? [] : cacheManagerProviders;
  const parts = [
    ...(monitoring === false ? [] : [monitoringRoutes(monitoring)]),
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
      CacheWarmer,
      CacheHealthIndicator,
      DatabaseMetrics,
      ...cachingExports,
      ...manager.map(({ provide }) => provide),
    ],
  };
}
