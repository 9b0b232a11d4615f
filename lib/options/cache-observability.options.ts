import type { ModuleMetadata, Type } from '@nestjs/common';
import type { Clock } from '../cache/base/clock.js';
import type { Duration } from '../cache/base/duration.js';
import type { CachedClasses } from '../cache/entries/listed-classes.js';
import type { LayerFactory } from '../cache/layers/layer.js';
import type { AutomaticTtl } from '../cache/policies/automatic-ttl.js';
import type { CachePolicy } from '../cache/policies/policy.js';
import type { FastLaneOptions } from '../caching/options/fast-lane.options.js';
import type { AlertsOptions } from '../insight/alerts/alerts.options.js';
import type { InsightOptions } from '../insight/cache-insight.js';
import type { MetricsExporter } from '../exporters/metrics-exporter.js';
import type { MetricsCollector } from '../metrics/collectors/metrics-collector.js';
import type { Window } from '../metrics/snapshot.js';
import type { MonitoringOptions } from '../monitoring/monitoring.options.js';
import type { PrometheusOptions } from '../exporters/prometheus/endpoint.js';
import type { TuningOptions } from '../tuning/tuning-bounds.js';
import type { WarmingOptions } from '../warming/warming.options.js';

export type { MonitoringOptions, PrometheusOptions, TuningOptions, WarmingOptions };

/** How accesses are measured. */
export interface MetricsOptions {
  /** Share of accesses that are timed, 0–1; every access is counted. @default 1 */
  samplingRate?: number;
  /** The number of patterns that are counted separately; later ones are counted together as `__other__`. @default 100 */
  maxPatterns?: number;
  /** The number of endpoints that are counted separately; later ones are counted together as `__other__`. @default 100 */
  maxEndpoints?: number;
  /** Prepended to every exported metric name. @default '' */
  prefix?: string;
  /** Returns the pattern of a key that no handler declares; undefined lets the pattern be detected. */
  patternOf?: (key: string) => string | undefined;
}

/** Thresholds of the cache's health. */
export interface HealthOptions {
  /** Below this hit rate, 0–1, the status is `degraded`. @default 0.5 */
  minHitRate?: number;
  /** From this mean response time on, milliseconds, the status is `degraded`. @default 50 */
  maxAvgResponseTimeMs?: number;
  /** From this p95 response time on, milliseconds, the status is `warning`. @default 100 */
  maxP95ResponseTimeMs?: number;
  /** The window of the figures. @default '5m' */
  window?: Window;
  /** With fewer accesses in the window, the hit rate and times are not judged, and a note says so. @default 20 */
  minimumRequests?: number;
  /** Targets of single patterns, by pattern. If a hit rate is below its target, the status is `warning`. */
  patterns?: Readonly<Record<string, { readonly hitRate: number }>>;
}

/** Spans of OpenTelemetry. */
export interface TracingOptions {
  /** Also record spans of operations without a parent span: startup, timers, scripts. @default false */
  withoutParent?: boolean;
  /** Returns the part of a key that spans may show as `cache.key`; undefined for none. @default no part */
  sanitizeKey?: (key: string, pattern: string) => string | undefined;
}

export interface ProfilingOptions {
  /** One operation in this many is sampled. @default 100 */
  every?: number;
  /** The number of call stacks that are counted separately; later ones are counted together as `__other__`. @default 2000 */
  maxStacks?: number;
}

export interface FleetOptions {
  /** How often an instance sends its figures to the others. After three missed intervals it counts as ended. @default '5s' */
  every?: Duration;
}

/**
 * Where metrics are saved for the next start: in a file, or in a shared layer under a name that is the same after a
 * restart. Every process needs its own file or name. @default for `name`: the name of the host
 */
export type PersistenceOptions = { path: string } | { layer: string; name?: string };

export interface HttpOptions {
  /** `'minimal'` sends X-Cache and ETag; `'standard'` also Cache-Status (RFC 9211) and Age; `false` none. @default 'minimal' */
  headers?: 'minimal' | 'standard' | false;
  /**
   * Answers hits of every cached GET handler before the framework. The option `fastLane` of a handler overrides it.
   * @default false
   */
  fastLane?: boolean | FastLaneOptions;
}

/** The options of `CacheObservabilityModule.forRoot()`. None is required. */
export interface CacheObservabilityOptions {
  /** The fastest layer first. @default one memoryLayer() */
  layers?: LayerFactory[];
  /** A cache of cache-manager to use instead of `layers`; `'app'` observes the application's own CacheModule in place. */
  cache?: object | 'app';
  /**
   * Separates the keys of this application from those of others in shared layers. @default `serviceName`, otherwise the name in the
   * nearest package.json; if a shared layer has neither, the start fails
   */
  namespace?: string;
  /** The version of the application. Each version begins with an empty shared cache. @default none */
  version?: string;
  /** A duration, or `{ auto: { min, max, maxStaleShare } }`. @default '5m' */
  ttl?: Duration | AutomaticTtl;
  policy?: Omit<CachePolicy, 'ttl'>;
  /** Classes whose instances values of any pattern may contain: see `CachePolicy.classes`. @default none */
  classes?: CachedClasses;
  /** `false`: nothing is counted or timed. */
  metrics?: MetricsOptions | false;
  health?: HealthOptions;
  /** Follows a sample of the keys to recommend changes; `false` turns it off. @default on if `metrics` is on */
  insight?: InsightOptions | false;
  /** How alerts are sent; `false` turns alerts off. @default they are shown and logged, but not sent */
  alerts?: AlertsOptions | false;
  /** `false`: no routes. */
  monitoring?: MonitoringOptions | false;
  /** `false`: no endpoint for Prometheus. */
  prometheus?: PrometheusOptions | false;
  warming?: WarmingOptions;
  http?: HttpOptions;
  /** `false` turns the cache off: every access calls its origin. @default true */
  enabled?: boolean;
  /** The name of the service in exported metrics. @default the name in the application's package.json */
  serviceName?: string;
  /** Called for every cache event. Errors thrown by a collector are caught. @default [] */
  collectors?: MetricsCollector[];
  /** Sends the metrics to other systems, each at its own interval: StatsD, CloudWatch, your own. @default [] */
  exporters?: MetricsExporter[];
  /** Records OpenTelemetry spans of accesses, except hits in memory; needs the package @opentelemetry/api. @default false */
  tracing?: boolean | TracingOptions;
  /** Samples phases and call stacks of operations, for `GET flamegraph`. @default false */
  profiling?: boolean | ProfilingOptions;
  /** Shares metrics between instances over a shared layer, so that `?scope=fleet` covers all of them. @default false */
  fleet?: boolean | FleetOptions;
  /**
   * Saves metrics for the next start, every 30 seconds and on close. `true`: in the first shared layer, or if there is none, in
   * `.cache-observability/<namespace>.metrics` in the working directory. @default false
   */
  persistence?: boolean | PersistenceOptions;
  /** Also runs the handler for this share of hits, and warns if the answers differ; only in development. @default 0 */
  probe?: number;
  /** Bounds of overrides while the application runs. @default none */
  tuning?: TuningOptions;
  /**
   * The clock of the caches and all other parts, to replace it in tests, for example with `ManualClock` of `/testing`. Cron expressions and
   * the shutdown of the application always use the machine's clock. @default the machine's clock
   */
  clock?: Clock;
  /** Returns a uniform number in [0, 1), for jitter, XFetch and sampling. A seeded function makes tests repeatable. @default Math.random */
  random?: () => number;
  /** Makes the module's providers available everywhere. @default true */
  isGlobal?: boolean;
}

/** The options of `CacheObservabilityModule.forFeature(name, …)`. None is required. Missing options have defaults, not the application's values. */
export interface CacheFeatureOptions {
  /** The fastest layer first. @default one memoryLayer() */
  layers?: LayerFactory[];
  /** A duration, or `{ auto: { min, max, maxStaleShare } }`. @default '5m' */
  ttl?: Duration | AutomaticTtl;
  policy?: Omit<CachePolicy, 'ttl'>;
  /** Classes whose instances values of any pattern may contain: see `CachePolicy.classes`. @default none */
  classes?: CachedClasses;
  /** `false` turns this cache off. @default the value of the application */
  enabled?: boolean;
  /** Bounds of overrides while the application runs. @default none */
  tuning?: TuningOptions;
}

/** The options that determine which controllers and tokens exist. Give them next to `useFactory`, not in its result. */
export type StaticOptions = Pick<CacheObservabilityOptions, 'isGlobal' | 'monitoring' | 'prometheus'> & {
  cache?: 'app';
};

export interface CacheObservabilityOptionsFactory {
  createCacheObservabilityOptions(): Promise<CacheObservabilityOptions> | CacheObservabilityOptions;
}

/** Allows undefined in the fields, as Nest's own options do, for compilers with `exactOptionalPropertyTypes`. */
export interface CacheObservabilityAsyncOptions extends StaticOptions {
  imports?: ModuleMetadata['imports'] | undefined;
  useFactory?:
    ((...dependencies: never[]) => Promise<CacheObservabilityOptions> | CacheObservabilityOptions) | undefined;
  useClass?: Type<CacheObservabilityOptionsFactory> | undefined;
  useExisting?: Type<CacheObservabilityOptionsFactory> | undefined;
  inject?: unknown[] | undefined;
}
