import type { CacheLog } from './cache/cache-log.js';
import type { Clock } from './cache/clock.js';
import type { CacheObserver } from './cache/observer.js';
import type { CacheTracer } from './cache/tracer.js';
import type { HealthOptions, MetricsOptions } from './cache-observability.options.js';
import { LoadExemplars } from './exporters/prometheus/load-exemplars.js';
import { createCacheMetrics } from './insight/create-cache-metrics.js';
import type { CacheMetrics } from './metrics/cache-metrics.js';
import { CollectorObserver } from './metrics/collectors/collector-observer.js';
import { composeObservers } from './metrics/collectors/compose-observers.js';
import type { MetricsCollector } from './metrics/collectors/metrics-collector.js';
import { hitObserver } from './profiling/hit-observer.js';
import { CacheProfiler, type ProfilerOptions } from './profiling/profiler.js';
import { composeTracers } from './tracing/compose-tracers.js';
import { DiagnosticsObserver } from './tracing/diagnostics-observer.js';
import { openTelemetryApi } from './tracing/opentelemetry-api.js';
import { OpenTelemetryTracer, type OpenTelemetryTracerOptions } from './tracing/opentelemetry-tracer.js';

/** What decides who watches a cache. */
export interface WatcherOptions {
  /** `false`: nothing is counted or timed. */
  metrics?: MetricsOptions | false;
  health?: HealthOptions;
  /** Told of every cache event, one call each; what one of them throws is felt by nobody. */
  collectors?: readonly MetricsCollector[];
  /** Further observers of everything the cache tells; what one of them throws is felt by nobody. */
  observers?: readonly CacheObserver[];
  /** Samples where operations spend their time; `profiler` on the cache has what it found. @default false */
  profiling?: boolean | ProfilerOptions;
  /** Spans of OpenTelemetry; needs the package @opentelemetry/api. @default false */
  tracing?: boolean | OpenTelemetryTracerOptions;
  /** A tracer of your own, beside or instead of OpenTelemetry's. */
  tracer?: CacheTracer;
  log?: CacheLog;
}

/** Whoever watches a cache, as the cache sees them: one observer and at most one tracer. */
export interface Watchers {
  readonly metrics: CacheMetrics;
  readonly observer: CacheObserver;
  readonly tracer: CacheTracer | undefined;
  readonly profiler: CacheProfiler | undefined;
  /** Of loads, for Prometheus, where there are spans. */
  readonly exemplars: LoadExemplars | undefined;
}

/**
 * Puts together who watches: the metrics first, then the diagnostics channels, collectors, the profiler and tracers.
 * @throws CacheError `MISSING_PACKAGE` where tracing is on without @opentelemetry/api.
 */
export function watchersOf(options: WatcherOptions, clock: Clock): Watchers {
  const { collectors = [], observers = [], log } = options;
  const told = log === undefined ? {} : { log };
  const { metrics, observer } = createCacheMetrics({
    clock,
    ...(options.metrics !== undefined && { metrics: options.metrics }),
    ...(options.health !== undefined && { health: options.health }),
    ...told,
  });
  const profiler = made(options.profiling, (profiling) => new CacheProfiler(clock, profiling));
  const spans = made(options.tracing, (tracing) => new OpenTelemetryTracer(tracing));
  const exemplars = made(options.tracing, ({ api = openTelemetryApi() }) => new LoadExemplars(api, clock));
  const others = [
    new DiagnosticsObserver(clock),
    ...observers,
    ...collectors.map((collector) => new CollectorObserver(collector, clock)),
    ...(profiler === undefined ? [] : [hitObserver(profiler)]),
  ];
  return {
    metrics,
    observer: composeObservers(observer, others, told),
    tracer: composeTracers([options.tracer, spans, exemplars, profiler]),
    profiler,
    exemplars,
  };
}

/** What a switch with options makes: nothing when it is off. */
function made<O extends object, T>(option: boolean | O | undefined, make: (options: O) => T): T | undefined {
  if (option === undefined || option === false) return undefined;
  return make(option === true ? ({} as O) : option);
}
