import type { CacheLog } from '../cache/base/cache-log.js';
import type { CallbackErrors } from '../cache/base/callback-errors.js';
import type { Clock } from '../cache/base/clock.js';
import type { CacheObserver } from '../cache/base/observer.js';
import type { CacheTracer } from '../cache/base/tracer.js';
import type { HealthOptions, MetricsOptions } from '../options/cache-observability.options.js';
import { LoadExemplars } from '../exporters/prometheus/exemplars.js';
import { type AdviceSource, createCacheMetrics } from '../insight/create-cache-metrics.js';
import type { CacheMetrics } from '../metrics/cache-metrics.js';
import { CollectorObserver } from '../metrics/collectors/collector-observer.js';
import { composeObservers } from '../metrics/collectors/compose-observers.js';
import type { MetricsCollector } from '../metrics/collectors/metrics-collector.js';
import { hitObserver } from '../profiling/hit-observer.js';
import { CacheProfiler, type ProfilerOptions } from '../profiling/profiler.js';
import { composeTracers } from '../tracing/compose-tracers.js';
import { DiagnosticsObserver } from '../tracing/diagnostics-observer.js';
import { guardedTracer } from '../tracing/guarded-tracer.js';
import { openTelemetryApi } from '../tracing/opentelemetry-api.js';
import { OpenTelemetryTracer, type OpenTelemetryTracerOptions } from '../tracing/opentelemetry-tracer.js';

/** The options of a cache's observers and tracers. */
export interface WatcherOptions {
  /** `false` turns counts and times off. */
  metrics?: MetricsOptions | false;
  health?: HealthOptions;
  /** Called for every cache event. Errors and rejections of a collector are counted and logged once. */
  collectors?: readonly MetricsCollector[];
  /** Further observers, called for every event. Errors and rejections of an observer are counted and logged once. */
  observers?: readonly CacheObserver[];
  /** Samples in which phases operations spend their time. The samples are in the cache's `profiler`. @default false */
  profiling?: boolean | ProfilerOptions;
  /** Creates OpenTelemetry spans; needs the package @opentelemetry/api. @default false */
  tracing?: boolean | OpenTelemetryTracerOptions;
  /** A custom tracer, alone or in addition to OpenTelemetry's. */
  tracer?: CacheTracer;
  log?: CacheLog;
  /** Returns a uniform number in [0, 1): for jitter, XFetch and sampling. @default Math.random */
  random?: () => number;
}

/** The watchers of a cache, combined into one observer and at most one tracer. */
export interface Watchers {
  readonly metrics: CacheMetrics;
  /** Sets the source of the recommendations that low performers contain. */
  readonly adviseBy: (source: AdviceSource) => void;
  readonly observer: CacheObserver;
  readonly tracer: CacheTracer | undefined;
  readonly profiler: CacheProfiler | undefined;
  /** Exemplars of loads for Prometheus, if tracing is on. */
  readonly exemplars: LoadExemplars | undefined;
}

/**
 * Combines the watchers in this order: metrics, diagnostics channels, collectors, the profiler, tracers.
 * @throws CacheError `MISSING_PACKAGE` if tracing is on without @opentelemetry/api.
 */
export function watchersOf(options: WatcherOptions, clock: Clock, callbacks: CallbackErrors): Watchers {
  const { collectors = [], observers = [], log, random = Math.random } = options;
  const logOption = log === undefined ? {} : { log };
  const { metrics, observer, adviseBy } = createCacheMetrics({
    clock,
    random,
    ...(options.metrics !== undefined && { metrics: options.metrics }),
    ...(options.health !== undefined && { health: options.health }),
    ...logOption,
  });
  const profiler = made(options.profiling, (profiling) => new CacheProfiler(clock, profiling, random));
  const spans = made(options.tracing, (tracing) => new OpenTelemetryTracer(tracing));
  const exemplars = made(options.tracing, ({ api = openTelemetryApi() }) => new LoadExemplars(api, clock));
  const others = [
    new DiagnosticsObserver(clock, callbacks),
    ...observers,
    ...collectors.map((collector) => new CollectorObserver(collector, clock, callbacks)),
    ...(profiler === undefined ? [] : [hitObserver(profiler)]),
  ];
  return {
    metrics,
    adviseBy,
    observer: composeObservers(observer, others, callbacks),
    tracer: composeTracers([
      guardedTracer(options.tracer, callbacks),
      guardedTracer(spans, callbacks),
      exemplars,
      profiler,
    ]),
    profiler,
    exemplars,
  };
}

/** Creates a part if its option is on; undefined if it is off. */
function made<O extends object, T>(option: boolean | O | undefined, make: (options: O) => T): T | undefined {
  if (option === undefined || option === false) return undefined;
  return make(option === true ? ({} as O) : option);
}
