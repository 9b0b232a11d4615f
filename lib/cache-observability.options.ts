import type { ModuleMetadata, Type } from '@nestjs/common';
import type { Duration } from './cache/duration.js';
import type { LayerFactory } from './cache/layers/layer.js';
import type { CachePolicy } from './cache/policy.js';
import type { FastLaneOptions } from './caching/fast-lane/fast-lane.options.js';
import type { MetricsExporter } from './exporters/metrics-exporter.js';
import type { MetricsCollector } from './metrics/collectors/metrics-collector.js';
import type { Window } from './metrics/snapshot.js';
import type { MonitoringOptions } from './monitoring/monitoring.options.js';
import type { PrometheusOptions } from './exporters/prometheus/prometheus.options.js';
import type { WarmingOptions } from './warming/warming.options.js';

export type { MonitoringOptions, PrometheusOptions, WarmingOptions };

/** How the cache is measured. */
export interface MetricsOptions {
  /** Share of accesses that are timed, 0–1; every access is counted. @default 1 */
  samplingRate?: number;
  /** Patterns kept apart; later ones are counted together as `__other__`. @default 100 */
  maxPatterns?: number;
  /** Endpoints kept apart; later ones are counted together as `__other__`. @default 100 */
  maxEndpoints?: number;
  /** Put before every exported metric name. @default '' */
  prefix?: string;
  /** The pattern of a key that no handler declared; undefined leaves it to the detection. */
  patternOf?: (key: string) => string | undefined;
}

/** When the cache is called healthy. */
export interface HealthOptions {
  /** Degraded below this hit rate, 0–1. @default 0.5 */
  minHitRate?: number;
  /** Degraded from this mean response time on, milliseconds. @default 50 */
  maxAvgResponseTimeMs?: number;
  /** Warning from this 95th percentile of the response time on, milliseconds. @default 100 */
  maxP95ResponseTimeMs?: number;
  /** Which window is judged. @default '5m' */
  window?: Window;
  /** With fewer accesses in the window the cache is healthy, with a note. @default 20 */
  minimumRequests?: number;
  /** Targets of single patterns; one that is missed is a warning. */
  patterns?: Readonly<Record<string, { readonly hitRate: number }>>;
}

/** Spans of OpenTelemetry. */
export interface TracingOptions {
  /** Record spans of operations that no span asked for, too: startup, timers, scripts. @default false */
  withoutParent?: boolean;
  /** What of a key may stand in a span, as `cache.key`; undefined for nothing. @default no key at all */
  sanitizeKey?: (key: string, pattern: string) => string | undefined;
}

export interface ProfilingOptions {
  /** One operation in this many is sampled. @default 100 */
  every?: number;
  /** Call stacks kept apart; later ones are added up as `__other__`. @default 2000 */
  maxStacks?: number;
}

export interface FleetOptions {
  /** How often an instance tells the others what it counts; one that is silent for three times as long is gone. @default '5s' */
  every?: Duration;
}

/**
 * Where metrics are kept over a restart: in a file, or in a layer that processes share, there under a name that is the same
 * after the restart. Every process needs a file or name of its own. @default for `name`: the name of the host
 */
export type PersistenceOptions = { path: string } | { layer: string; name?: string };

export interface HttpOptions {
  /** `'minimal'`: X-Cache and ETag; `'standard'` adds Cache-Status (RFC 9211) and Age; false none. @default 'minimal' */
  headers?: 'minimal' | 'standard' | false;
  /** Answers hits of every cached GET handler in front of the framework; a handler's own `fastLane` goes before. @default false */
  fastLane?: boolean | FastLaneOptions;
}

/** What `CacheObservabilityModule.forRoot()` takes. Nothing is required. */
export interface CacheObservabilityOptions {
  /** Nearest first. @default one memoryLayer() */
  layers?: LayerFactory[];
  /** Adopts a cache of cache-manager's instead: `'app'` observes the application's own CacheModule in place. */
  cache?: object | 'app';
  /** Prefix of keys in shared layers. @default 'cache' */
  namespace?: string;
  /** A deploy's version: a new one starts with an empty shared cache. */
  version?: string;
  /** @default '5m' */
  ttl?: Duration;
  policy?: Omit<CachePolicy, 'ttl'>;
  /** `false`: nothing is counted or timed. */
  metrics?: MetricsOptions | false;
  health?: HealthOptions;
  /** `false`: no routes. */
  monitoring?: MonitoringOptions | false;
  /** `false`: none. */
  prometheus?: PrometheusOptions | false;
  warming?: WarmingOptions;
  http?: HttpOptions;
  /** `false` switches the cache off: every access goes to its origin. @default true */
  enabled?: boolean;
  /** Who exporters say that sends. @default the name in the application's package.json */
  serviceName?: string;
  /** Told of every cache event, one call each; what one of them throws is felt by nobody. @default [] */
  collectors?: MetricsCollector[];
  /** Carry the figures elsewhere, each at its own interval: StatsD, CloudWatch, your own. @default [] */
  exporters?: MetricsExporter[];
  /** Spans of OpenTelemetry for what hits in memory do not answer; needs the package @opentelemetry/api. @default false */
  tracing?: boolean | TracingOptions;
  /** Samples phases and call stacks of operations, for `GET flamegraph`. @default false */
  profiling?: boolean | ProfilingOptions;
  /** Tells other instances over a shared layer what this one counts, so that `?scope=fleet` answers for all. @default false */
  fleet?: boolean | FleetOptions;
  /**
   * Carries metrics over a restart, written every 30 seconds and at the end. `true`: in the nearest layer that processes share,
   * else in `.cache-observability/<namespace>.metrics` where the process was started. @default false
   */
  persistence?: boolean | PersistenceOptions;
  /** Runs this share of hits through the handler too and warns where the answers differ; development only. @default 0 */
  probe?: number;
  /** Makes the module's providers available everywhere. @default true */
  isGlobal?: boolean;
}

/** The options that decide which controllers and tokens exist: they stand beside `useFactory`, not in its result. */
export type StaticOptions = Pick<CacheObservabilityOptions, 'isGlobal' | 'monitoring' | 'prometheus'> & {
  cache?: 'app';
};

export interface CacheObservabilityOptionsFactory {
  createCacheObservabilityOptions(): Promise<CacheObservabilityOptions> | CacheObservabilityOptions;
}

export interface CacheObservabilityAsyncOptions extends StaticOptions, Pick<ModuleMetadata, 'imports'> {
  useFactory?: (...dependencies: never[]) => Promise<CacheObservabilityOptions> | CacheObservabilityOptions;
  useClass?: Type<CacheObservabilityOptionsFactory>;
  useExisting?: Type<CacheObservabilityOptionsFactory>;
  inject?: unknown[];
}
