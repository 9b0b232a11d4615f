import type { ExistingProvider, Provider } from '@nestjs/common';
import type { TracingOptions } from './options/cache-observability.options.js';
import { RESOLVED_OPTIONS } from './options/cache-observability.module-definition.js';
import { CACHE_MANAGER, cacheClass } from './adoption/cache-manager-tokens.js';
import { ApplicationCaches } from './adoption/application-caches.js';
import { APPLICATION_CACHE, applicationCache } from './wiring/application-cache.js';
import { BootReport } from './wiring/boot-report.js';
import { CachingInterceptors } from './adoption/caching-interceptors.js';
import type { Clock } from './cache/base/clock.js';
import { CACHE_CLOCK, OWN_CACHE } from './cache/base/tokens.js';
import { cachingProviders } from './caching/caching.providers.js';
import { DASHBOARD_FACTS, type DashboardFacts } from './dashboard/dashboard-facts.js';
import { DeferredCache } from './adoption/deferred-cache.js';
import { Exporting } from './wiring/exporting.js';
import { EXEMPLARS } from './exporters/prometheus/exemplars.js';
import { featureProviders } from './wiring/features.js';
import { Starts } from './instances/starts.js';
import { CacheHealthIndicator, HEALTH_SUBJECT, type HealthSubject } from './health/cache-health.indicator.js';
import { CacheInsight } from './insight/cache-insight.js';
import { CacheMetrics } from './metrics/cache-metrics.js';
import { MONITORED_CACHE, MONITORED_CACHES } from './monitoring/monitored-cache.js';
import { keptMetricsProviders } from './wiring/kept-metrics.providers.js';
import { NamedCaches } from './wiring/named-caches.js';
import { nestLog, unguardedNestLog } from './wiring/nest-log.js';
import { observedCacheOf } from './wiring/create-observed-cache.js';
import { ObservedCache } from './wiring/observed-cache.js';
import { SharedServers } from './wiring/shared-servers.js';
import type { ResolvedOptions } from './options/resolved-options.js';
import { loadOpenTelemetryApi } from './tracing/opentelemetry-api.js';
import type { OpenTelemetryTracerOptions } from './tracing/opentelemetry-tracer.js';
import { VERSION } from './cache/version.js';
import { CacheWarmer } from './warming/cache-warmer.js';
import { PredictiveWarming } from './wiring/predictive-warming.js';
import { WarmStarts } from './wiring/warm-starts.js';
import { WARMING_OPTIONS, WARMING_TARGET } from './warming/warming-target.js';
import { warmingProviders } from './warming/warming.providers.js';

/** Provides the cache and its metrics, each under its own class. */
const cacheProviders: Provider[] = [
  { provide: CACHE_CLOCK, inject: [RESOLVED_OPTIONS], useFactory: ({ clock }: ResolvedOptions) => clock },
  DeferredCache,
  { provide: SharedServers, inject: [CACHE_CLOCK], useFactory: (clock: Clock) => new SharedServers(clock) },
  {
    provide: ObservedCache,
    inject: [RESOLVED_OPTIONS, CACHE_CLOCK, DeferredCache, SharedServers],
    // Exporters live as long as the application, not as its layers.
    useFactory: async (
      { cache, exporters: _, ...options }: ResolvedOptions,
      clock: Clock,
      deferred: DeferredCache,
      servers: SharedServers,
    ) =>
      observedCacheOf(
        {
          ...options,
          clock,
          ...(cache === undefined ? {} : { cache: cache === 'app' ? deferred : cache }),
          ...(options.tracing ? { tracing: await withApi(options.tracing) } : {}),
          log: unguardedNestLog(),
        },
        { cache: OWN_CACHE, servers },
      ),
  },
  applicationCache,
  NamedCaches,
  ApplicationCaches,
  CachingInterceptors,
  { provide: CacheMetrics, inject: [APPLICATION_CACHE], useFactory: (cache: ObservedCache) => cache.metrics },
  { provide: CacheInsight, inject: [APPLICATION_CACHE], useFactory: (cache: ObservedCache) => cache.insight },
];

/**
 * Adds the OpenTelemetry API to the options. It is loaded here, so that an application that is bundled with the package finds
 * it.
 */
async function withApi(tracing: true | TracingOptions): Promise<OpenTelemetryTracerOptions> {
  return { ...(tracing === true ? {} : tracing), api: await loadOpenTelemetryApi() };
}

function dashboardFacts(
  { namespace, serviceName = namespace, version, metrics, fleet }: ResolvedOptions,
  cache: ObservedCache,
  named: NamedCaches,
  warmer: CacheWarmer,
  starts: Starts,
): () => Promise<DashboardFacts> {
  const startedAt = new Date().toISOString();
  return async () => ({
    service: serviceName,
    version: version ?? null,
    libraryVersion: VERSION,
    startedAt,
    enabled: cache.enabled,
    metrics: metrics !== false,
    fleet: fleet !== undefined && fleet !== false,
    profiling: cache.profiler !== undefined,
    caches: [OWN_CACHE, ...named.all.keys()],
    strategies: warmer.strategies.map(({ name }) => name),
    starts: await starts.list(),
  });
}

/** Provides this cache under the tokens of @nestjs/cache-manager, for code that injects them. */
export const cacheManagerProviders: ExistingProvider[] = [CACHE_MANAGER, ...(cacheClass ? [cacheClass] : [])].map(
  (provide) => ({
    provide,
    useExisting: ObservedCache,
  }),
);

/** The providers of all folders that use the cache. */
export const roomProviders: Provider[] = [
  ...cacheProviders,
  ...cachingProviders({
    cache: APPLICATION_CACHE,
    options: {
      inject: [RESOLVED_OPTIONS, CacheMetrics, APPLICATION_CACHE, NamedCaches],
      useFactory: (
        options: ResolvedOptions,
        metrics: CacheMetrics,
        { callbacks }: ObservedCache,
        named: NamedCaches,
      ) => ({
        headers: options.http.headers,
        fastLane: options.http.fastLane,
        ...(options.probe === undefined ? {} : { probe: options.probe }),
        ...(options.random === undefined ? {} : { random: options.random }),
        ...(options.metrics === false ? {} : { metrics }),
        named: () => named.all,
        log: nestLog(callbacks),
      }),
    },
  }),
  { provide: WARMING_TARGET, useExisting: APPLICATION_CACHE },
  { provide: WARMING_OPTIONS, inject: [RESOLVED_OPTIONS], useFactory: ({ warming }: ResolvedOptions) => warming ?? {} },
  ...warmingProviders,
  WarmStarts,
  PredictiveWarming,
  ...featureProviders,
  { provide: MONITORED_CACHE, useExisting: APPLICATION_CACHE },
  { provide: MONITORED_CACHES, useExisting: NamedCaches },
  { provide: EXEMPLARS, inject: [APPLICATION_CACHE], useFactory: ({ exemplars }: ObservedCache) => exemplars },
  ...keptMetricsProviders,
  {
    provide: DASHBOARD_FACTS,
    inject: [RESOLVED_OPTIONS, APPLICATION_CACHE, NamedCaches, CacheWarmer, Starts],
    useFactory: dashboardFacts,
  },
  {
    provide: HEALTH_SUBJECT,
    inject: [APPLICATION_CACHE, RESOLVED_OPTIONS],
    useFactory: (cache: ObservedCache, options: ResolvedOptions): HealthSubject => ({
      layers: cache.layers,
      required: new Set(options.layers?.filter(({ required }) => required).map(({ name }) => name)),
      addresses: new Map(options.layers?.map(({ name, address }) => [name, address])),
      closed: () => cache.closed,
    }),
  },
  CacheHealthIndicator,
  Exporting,
  BootReport,
];
