export { CacheObservabilityModule } from './cache-observability.module.js';
export type {
  CacheObservabilityAsyncOptions,
  CacheObservabilityOptions,
  CacheObservabilityOptionsFactory,
  FleetOptions,
  HealthOptions,
  HttpOptions,
  MetricsOptions,
  MonitoringOptions,
  PersistenceOptions,
  ProfilingOptions,
  PrometheusOptions,
  StaticOptions,
  TracingOptions,
  WarmingOptions,
} from './cache-observability.options.js';

export { createObservedCache, observeCache, type ObservedCacheOptions } from './create-observed-cache.js';
export { ObservedCache } from './observed-cache.js';
export type { CacheContract, CacheItem, KeyvLike, RawValue, WrapOptions } from './cache/contract/cache-contract.js';
export type { CacheLog } from './cache/cache-log.js';
export type { Clock } from './cache/clock.js';
export type { Duration } from './cache/duration.js';
export { CacheError, type CacheErrorCode } from './cache/errors.js';
export type { ManyLoader } from './cache/layered-cache.js';
export type { CacheObserver } from './cache/observer.js';
export type { CachePolicy, LoadContext, Loader } from './cache/policy.js';
export type { CacheTracer } from './cache/tracer.js';

export { keyvLayer, type KeyvLayerOptions } from './cache/layers/stores/keyv-layer.js';
export type { Layer, LayerFactory, LayerStatus, ServerInfo } from './cache/layers/layer.js';
export { legacyStoreLayer, type LegacyStoreLayerOptions } from './cache/layers/stores/legacy-store-layer.js';
export { memoryLayer, type MemoryLayerOptions } from './cache/layers/memory-layer.js';
export { redisLayer } from './cache/layers/redis/redis-layer.js';
export type { RedisLayerOptions } from './cache/layers/redis/redis-options.js';
export type { RemoteLayerOptions } from './cache/layers/resilience/remote-layer-options.js';

export { CacheInvalidate } from './caching/cache-invalidate.decorator.js';
export { cacheMetricsOf } from './caching/cache-metrics-of.js';
export { Cached } from './caching/cached.decorator.js';
export { cacheKeyOf, type TemplateInputs } from './caching/keys/cache-key-of.js';
export type {
  CachedContext,
  CachedOptions,
  CachedRequest,
  CacheInvalidateOptions,
  ClientCacheOptions,
  FastLaneOptions,
  VaryFunction,
  WarmRequest,
} from './caching/cached.options.js';

export type { CacheInvalidation } from './cache/writing/invalidation-feed.js';
export { CacheMetrics, type OtherProcess, type SubjectMetrics } from './metrics/cache-metrics.js';
export type { CacheStatistics } from './metrics/cache-statistics.js';
export type { AccessRecord, MetricsTimer, TimerSubject } from './metrics/access-record.js';
export type { MetricsCollector } from './metrics/collectors/metrics-collector.js';
export { NoopCollector } from './metrics/collectors/noop-collector.js';
export type { FamilySource, HistogramView, MetricFamily, MetricPoint } from './metrics/family.js';
export { WINDOWS } from './metrics/snapshot.js';
export type {
  CacheStats,
  EndpointStats,
  HealthReport,
  HealthStatus,
  HealthWarning,
  HitRates,
  LayerStats,
  LowPerformer,
  OperationStats,
  PatternStats,
  Realtime,
  Window,
} from './metrics/snapshot.js';

export { CacheWarmer } from './warming/cache-warmer.js';
export { WarmingStrategy, type WarmingEntry, type WarmingStrategyOptions } from './warming/strategy.js';
export type {
  StrategyReport,
  WarmingFailure,
  WarmingProgress,
  WarmingReport,
  WarmingResult,
  WarmingRunHandle,
} from './warming/warming-report.js';

export type { MetricsExporter, MetricsSnapshot } from './exporters/metrics-exporter.js';
export { serveMetrics } from './exporters/prometheus/serve.js';
export { prometheusText } from './exporters/prometheus/text.js';
export { CacheHealthIndicator } from './health/cache-health.indicator.js';
