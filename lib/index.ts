export { CacheObservabilityModule } from './cache-observability.module.js';
export type {
  CacheFeatureOptions,
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
  TuningOptions,
  WarmingOptions,
} from './options/cache-observability.options.js';

export { InjectCache } from './wiring/named-caches.js';
export { createObservedCache, observeCache, type ObservedCacheOptions } from './wiring/create-observed-cache.js';
export { ObservedCache } from './wiring/observed-cache.js';
export type {
  CacheContract,
  CacheEventPayloads,
  CacheItem,
  KeyvLike,
  RawValue,
  WrapOptions,
} from './cache/contract/cache-contract.js';
export type { CacheLog } from './cache/base/cache-log.js';
export type { LogCode } from './cache/base/log-codes.js';
export type { Clock } from './cache/base/clock.js';
export type { Duration } from './cache/base/duration.js';
export { CacheError, type CacheErrorCode } from './cache/base/errors.js';
export type { ManyLoader } from './cache/layered-cache.js';
// The numbers with which a CacheObserver is called.
export {
  BypassReason,
  CircuitState,
  EvictionReason,
  LayerOperation,
  LayerResult,
  MissReason,
  NotKept,
  Operation,
  Outcome,
  Result,
  type CacheObserver,
  type LayerDescription,
  type Series,
  type SeriesOptions,
} from './cache/base/observer.js';
export type { CachedClasses, EncodedClass } from './cache/entries/listed-classes.js';
export type { CachePolicy, LoadContext, Loader } from './cache/policies/policy.js';
export type { CacheTracer, SpanHandle, TracedOperation } from './cache/base/tracer.js';

export { keyvLayer, type KeyvLayerOptions } from './cache/layers/stores/keyv-layer.js';
// The types that a custom layer implements and receives.
export type { Entry } from './cache/entries/entry.js';
export type { LoadTicket } from './cache/layers/load-ticket.js';
export type {
  Coordination,
  Layer,
  LayerBounds,
  LayerContext,
  LayerEvents,
  LayerFactory,
  LayerStatus,
  LayerWrite,
  ServerInfo,
  SharedMap,
} from './cache/layers/layer.js';
export { legacyStoreLayer, type LegacyStoreLayerOptions } from './cache/layers/stores/legacy-store-layer.js';
export { memoryLayer, type MemoryLayerOptions } from './cache/layers/memory-layer.js';
export { redisLayer } from './cache/layers/redis/redis-layer.js';
export type { RedisClientLike, RedisConnectionOptions, RedisLayerOptions } from './cache/layers/redis/redis-options.js';
export type {
  CircuitBreakerOptions,
  RemoteLayerOptions,
  WriteBehindOptions,
} from './cache/layers/resilience/remote-layer-options.js';
export type { Serializer } from './cache/layers/encoding/serializer.js';

export { CacheInvalidate } from './caching/cache-invalidate.decorator.js';
export { cacheMetricsOf } from './caching/cache-metrics-of.js';
export { Cached } from './caching/cached.decorator.js';
export { cacheGlobOf, cacheKeyOf, type TemplateInputs } from './caching/keys/cache-key-of.js';
export type {
  CachedContext,
  CachedOptions,
  CachedRequest,
  CacheInvalidateOptions,
  ClientCacheOptions,
  FastLaneOptions,
  VaryFunction,
  WarmRequest,
} from './caching/options/cached.options.js';

export type { CacheInvalidation } from './cache/invalidation/invalidation-listeners.js';
export type { Alert, AlertChange, AlertCode, AlertSeverity } from './insight/alerts/alert.js';
export type { AlertsOptions, WebhookOptions } from './insight/alerts/alerts.options.js';
export type { MemoryLadder, MemoryRung } from './insight/memory-ladder.js';
export type { AdvisedTtl, TtlAdviceOptions, TtlLadder, TtlRung } from './insight/ladder-report.js';
export { CacheInsight, type InsightOptions } from './insight/cache-insight.js';
export type { HotKey } from './insight/hot-key-figures.js';
export type {
  PredictedEffect,
  Recommendation,
  RecommendedChange,
} from './insight/recommendations/recommendation-types.js';
export type { RecommendationFilter } from './insight/recommendations/recommendation-list.js';
export { CacheMetrics, type OtherProcess, type SubjectMetrics } from './metrics/cache-metrics.js';
export type { CacheStatistics } from './metrics/cache-statistics.js';
export type { AccessRecord, MetricsTimer, TimerSubject } from './metrics/access-record.js';
export type { MetricsCollector } from './metrics/collectors/metrics-collector.js';
export { NoopCollector } from './metrics/collectors/metrics-collector.js';
export type { FamilySource, HistogramView, MetricFamily, MetricPoint } from './metrics/family.js';
export { WINDOWS } from './metrics/snapshot.js';
export type {
  AdviceCode,
  RecommendationCode,
  CacheStats,
  EndpointStats,
  HealthReport,
  HealthStatus,
  HealthWarning,
  History,
  HistoryPoint,
  HitRates,
  LayerStats,
  LowPerformer,
  NotKeptCounts,
  OperationStats,
  PatternStats,
  Realtime,
  Window,
} from './metrics/snapshot.js';

export type { AutomaticTtl } from './cache/policies/automatic-ttl.js';
export type { PolicyChange } from './cache/policies/policy-overrides.js';
export type {
  OverrideTerms,
  PolicyEvent,
  PolicyOutcome,
  PolicyOverride,
  PolicyReport,
  PolicyTuning,
} from './tuning/policy-tuning.js';
export type { AutomaticTtlValues, PolicyValues } from './tuning/policy-values.js';
export type { TtlBounds } from './tuning/tuning-bounds.js';

export { CacheWarmer } from './warming/cache-warmer.js';
export { WarmingStrategy, type WarmingEntry, type WarmingStrategyOptions } from './warming/strategy.js';
export type {
  StrategyReport,
  WarmingFailure,
  WarmingProgress,
  WarmingReport,
  WarmingResult,
  WarmingRunHandle,
  WarmingTrigger,
} from './warming/warming-report.js';

export type { ExportSource, MetricsExporter, MetricsSnapshot } from './exporters/metrics-exporter.js';
export { serveMetrics, type ServeMetricsOptions } from './exporters/prometheus/serve.js';
export { prometheusText, type PrometheusTextOptions } from './exporters/prometheus/text.js';
export { CacheHealthIndicator } from './health/cache-health.indicator.js';
