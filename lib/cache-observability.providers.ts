import { Cache, CACHE_MANAGER } from '@nestjs/cache-manager';
import type { ExistingProvider, Provider } from '@nestjs/common';
import { RESOLVED_OPTIONS } from './cache-observability.module-definition.js';
import { ApplicationCaches } from './adoption/application-caches.js';
import { cachingProviders } from './caching/caching.providers.js';
import { DatabaseMetrics } from './database/database-metrics.js';
import { databaseMetrics } from './database/process-metrics.js';
import { DeferredCache } from './adoption/deferred-cache.js';
import { Exporting } from './exporting.js';
import { EXEMPLARS } from './exporters/prometheus/exemplars.js';
import { CacheHealthIndicator, HEALTH_SUBJECT, type HealthSubject } from './health/cache-health.indicator.js';
import { CacheMetrics } from './metrics/cache-metrics.js';
import { MONITORED_CACHE } from './monitoring/monitored-cache.js';
import { MONITORED_PROFILER } from './monitoring/profile.controller.js';
import { keptMetricsProviders } from './kept-metrics.providers.js';
import { nestLog } from './nest-log.js';
import { createObservedCache } from './create-observed-cache.js';
import { ObservedCache } from './observed-cache.js';
import type { ResolvedOptions } from './options/resolved-options.js';
import { WARMING_OPTIONS, WARMING_TARGET } from './warming/warming-target.js';
import { warmingProviders } from './warming/warming.providers.js';

/** The cache and its metrics, each under its own class. */
const cacheProviders: Provider[] = [
  DeferredCache,
  {
    provide: ObservedCache,
    inject: [RESOLVED_OPTIONS, DeferredCache],
    // Exporters live as long as the application, not as its layers.
    useFactory: ({ cache, exporters: _, ...options }: ResolvedOptions, deferred: DeferredCache) =>
      createObservedCache({
        ...options,
        ...(cache === undefined ? {} : { cache: cache === 'app' ? deferred : cache }),
        log: nestLog(),
      }),
  },
  ApplicationCaches,
  { provide: CacheMetrics, inject: [ObservedCache], useFactory: (cache: ObservedCache) => cache.metrics },
];

/** The tokens of @nestjs/cache-manager, so that what was written for them finds this cache. */
export const cacheManagerProviders: ExistingProvider[] = [
  { provide: CACHE_MANAGER, useExisting: ObservedCache },
  { provide: Cache, useExisting: ObservedCache },
];

/** Every room's providers, bound to the one cache. */
export const roomProviders: Provider[] = [
  ...cacheProviders,
  ...cachingProviders({
    cache: ObservedCache,
    options: {
      inject: [RESOLVED_OPTIONS, CacheMetrics],
      useFactory: (options: ResolvedOptions, metrics: CacheMetrics) => ({
        headers: options.http.headers,
        fastLane: options.http.fastLane,
        ...(options.probe === undefined ? {} : { probe: options.probe }),
        ...(options.metrics === false ? {} : { metrics }),
        log: nestLog(),
      }),
    },
  }),
  { provide: WARMING_TARGET, useExisting: ObservedCache },
  { provide: WARMING_OPTIONS, inject: [RESOLVED_OPTIONS], useFactory: ({ warming }: ResolvedOptions) => warming ?? {} },
  ...warmingProviders,
  { provide: DatabaseMetrics, useValue: databaseMetrics },
  { provide: MONITORED_CACHE, useExisting: ObservedCache },
  { provide: EXEMPLARS, inject: [ObservedCache], useFactory: ({ exemplars }: ObservedCache) => exemplars },
  { provide: MONITORED_PROFILER, inject: [ObservedCache], useFactory: ({ profiler }: ObservedCache) => profiler },
  ...keptMetricsProviders,
  {
    provide: HEALTH_SUBJECT,
    inject: [ObservedCache, RESOLVED_OPTIONS],
    useFactory: (cache: ObservedCache, options: ResolvedOptions): HealthSubject => ({
      layers: cache.layers,
      required: new Set(options.layers?.filter(({ required }) => required).map(({ name }) => name)),
      closed: () => cache.closed,
    }),
  },
  CacheHealthIndicator,
  Exporting,
];
