import { observationOf, observeInPlace } from './cache/adopted/adopted-cache.js';
import type { CacheContract } from './cache/contract/cache-contract.js';
import type { CacheLog } from './cache/cache-log.js';
import { type Clock, systemClock } from './cache/clock.js';
import type { Duration } from './cache/duration.js';
import { LayeredCache } from './cache/layered-cache.js';
import { adoptedLayer } from './cache/layers/adopted-layer.js';
import type { LayerFactory } from './cache/layers/layer.js';
import { memoryLayer } from './cache/layers/memory-layer.js';
import type { CacheObserver } from './cache/observer.js';
import type { CachePolicy } from './cache/policy.js';
import type { CacheTracer } from './cache/tracer.js';
import { type CacheInvalidation, InvalidationFeed } from './cache/writing/invalidation-feed.js';
import type { HealthOptions, MetricsOptions } from './cache-observability.options.js';
import { ExportSchedule } from './exporters/export-schedule.js';
import type { MetricsExporter } from './exporters/metrics-exporter.js';
import { ServerFigures } from './exporters/server-figures.js';
import { createCacheMetrics } from './insight/create-cache-metrics.js';
import type { CacheMetrics } from './metrics/cache-metrics.js';
import { CollectorObserver } from './metrics/collectors/collector-observer.js';
import { composeObservers } from './metrics/collectors/compose-observers.js';
import type { MetricsCollector } from './metrics/collectors/metrics-collector.js';
import { HitObserver } from './profiling/hit-observer.js';
import { CacheProfiler, type ProfilerOptions } from './profiling/profiler.js';
import { packageName } from './service-name.js';
import { composeTracers } from './tracing/compose-tracers.js';

/** What `createObservedCache` takes. Nothing is required. */
export interface ObservedCacheOptions {
  /** Nearest first. @default one memoryLayer() */
  layers?: readonly LayerFactory[];
  /** A cache made by cache-manager's `createCache`: it is observed in place and delegated to. */
  cache?: object;
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
  clock?: Clock;
  /** Told of every cache event, one call each; what one of them throws is felt by nobody. */
  collectors?: readonly MetricsCollector[];
  /** Further observers of everything the cache tells; what one of them throws is felt by nobody. */
  observers?: readonly CacheObserver[];
  /** Carry the figures elsewhere from `connect()` until the cache is closed. */
  exporters?: readonly MetricsExporter[];
  /** Who exporters say that sends. @default the name in the application's package.json */
  serviceName?: string;
  /** Samples where operations spend their time; `profiler` on the cache has what it found. @default false */
  profiling?: boolean | ProfilerOptions;
  /** `false`: every access goes to its origin. @default true */
  enabled?: boolean;
  log?: CacheLog;
  tracer?: CacheTracer;
}

/**
 * The cache and its metrics: cache-manager's whole `Cache` contract, with read-through, tags, globs and statistics.
 * @publicApi
 */
export class ObservedCache extends LayeredCache {
  readonly metrics: CacheMetrics;
  /** Undefined where profiling is off. */
  readonly profiler: CacheProfiler | undefined;
  readonly #observer: CacheObserver;
  readonly #clock: Clock;
  readonly #exports: ExportSchedule | undefined;
  readonly #invalidations = new InvalidationFeed();

  constructor(
    options: ConstructorParameters<typeof LayeredCache>[0],
    metrics: CacheMetrics,
    extras: ObservedExtras = {},
  ) {
    super(options);
    this.metrics = metrics;
    this.profiler = extras.profiler;
    this.#exports = extras.exports;
    this.#observer = options.observer;
    this.#clock = options.clock ?? systemClock;
    metrics.watchLayers(() => this.layers.map((layer) => layer.status()));
    metrics.addSource(new ServerFigures(() => this.layers, { clock: this.#clock }));
  }

  override async connect(): Promise<void> {
    await super.connect();
    await this.#exports?.start();
  }

  /** Aborts running loads, drains and closes the layers; where `disconnect` is an adopted cache's own, this is still ours. */
  async close(): Promise<void> {
    await this.#exports?.stop();
    await super.disconnect();
  }

  override async disconnect(): Promise<undefined> {
    await this.close();
  }

  /** Calls back for everything that is invalidated through this cache; returns how to stop. */
  watchInvalidations(listener: (invalidation: CacheInvalidation) => void): () => void {
    return this.#invalidations.listen(listener);
  }

  override async del(key: string): Promise<boolean> {
    const answer = await super.del(key);
    this.#invalidations.tell({ keys: [key] });
    return answer;
  }

  override async mdel(keys: string[]): Promise<boolean> {
    const answer = await super.mdel(keys);
    this.#invalidations.tell({ keys });
    return answer;
  }

  override async clear(): Promise<boolean> {
    const answer = await super.clear();
    this.#invalidations.tell({ all: true });
    return answer;
  }

  override async deleteByPattern(glob: string): Promise<number> {
    const removed = await super.deleteByPattern(glob);
    this.#invalidations.tell({ globs: [glob], removed });
    return removed;
  }

  override async invalidateTags(...tags: string[]): Promise<void> {
    await super.invalidateTags(...tags);
    this.#invalidations.tell({ tags });
  }

  /**
   * Observes another cache of cache-manager's in place: what its holders do with it is counted here.
   * @returns the same cache as it was, told to nobody.
   */
  observe(cache: object): CacheContract<unknown> {
    return observeInPlace(contractOf(cache), this.#observer, this.#clock).unobserved;
  }
}

/**
 * The cache without Nest, ready at once; `connect()` waits for its layers.
 *
 * With `cache` it gives this API over a cache made by cache-manager's `createCache`: `get set mget mset del mdel clear ttl wrap
 * on off disconnect cacheId stores` are that cache's own, observed in place; `getOrSet`, tags and globs keep their values
 * raw in it, and tags and globs know what this process wrote through here.
 * @throws CacheError `INVALID_OPTIONS` or `INVALID_DURATION`.
 * @publicApi
 */
export function createObservedCache(options: ObservedCacheOptions = {}): ObservedCache {
  const { cache, clock = systemClock, log, collectors = [], observers = [], namespace = 'cache', ttl = '5m' } = options;
  const made = createCacheMetrics({
    clock,
    ...(options.metrics !== undefined && { metrics: options.metrics }),
    ...(options.health !== undefined && { health: options.health }),
    ...(log !== undefined && { log }),
  });
  const profiler = profilerOf(options.profiling, clock);
  const observer = composeObservers(
    made.observer,
    [
      ...observers,
      ...collectors.map((collector) => new CollectorObserver(collector, clock)),
      ...(profiler === undefined ? [] : [new HitObserver(profiler)]),
    ],
    log === undefined ? {} : { log },
  );
  const tracer = composeTracers([options.tracer, profiler]);
  const contract = cache === undefined ? undefined : contractOf(cache);
  const unobserved =
    contract === undefined ? undefined : (observationOf(contract)?.unobserved ?? { ...bound(contract) });
  const observed = new ObservedCache(
    {
      layers: unobserved === undefined ? (options.layers ?? [memoryLayer()]) : [adoptedLayer(unobserved)],
      namespace,
      ttl,
      observer,
      clock,
      ...(options.version !== undefined && { version: options.version }),
      ...(options.policy !== undefined && { policy: options.policy }),
      ...(options.enabled !== undefined && { enabled: options.enabled }),
      ...(log !== undefined && { log }),
      ...(tracer !== undefined && { tracer }),
    },
    made.metrics,
    { profiler, exports: exportsOf(options, made.metrics, clock) },
  );
  if (contract === undefined) return observed;
  observeInPlace(contract, observer, clock);
  return delegating(observed, contract);
}

/**
 * The same cache of cache-manager's, same API and behaviour, observed, with `metrics` on it.
 * @publicApi
 */
export function observeCache<C extends object>(
  cache: C,
  options: Pick<ObservedCacheOptions, 'metrics' | 'health' | 'clock' | 'collectors' | 'observers' | 'log'> = {},
): C & { readonly metrics: CacheMetrics } {
  if (observationOf(contractOf(cache)) !== undefined && 'metrics' in cache) {
    return cache as C & { readonly metrics: CacheMetrics };
  }
  const { metrics } = createObservedCache({ ...options, cache });
  return Object.defineProperty(cache, 'metrics', { value: metrics }) as C & { readonly metrics: CacheMetrics };
}

/** What stands beside a cache where it is asked for. */
interface ObservedExtras {
  readonly profiler?: CacheProfiler | undefined;
  readonly exports?: ExportSchedule | undefined;
}

function profilerOf(profiling: ObservedCacheOptions['profiling'], clock: Clock): CacheProfiler | undefined {
  if (profiling === undefined || profiling === false) return undefined;
  return new CacheProfiler(clock, profiling === true ? {} : profiling);
}

function exportsOf(
  { exporters = [], serviceName, log }: ObservedCacheOptions,
  metrics: CacheMetrics,
  clock: Clock,
): ExportSchedule | undefined {
  if (exporters.length === 0) return undefined;
  const source = { serviceName: serviceName ?? packageName(), families: () => metrics.families() };
  return new ExportSchedule({ exporters, source, clock, log: log ?? (() => undefined) });
}

const METHODS = [
  'get', 'mget', 'ttl', 'set', 'mset', 'del', 'mdel', 'clear', 'wrap', 'on', 'off', 'disconnect', 'cacheId',
] as const; // prettier-ignore

/** The contract's methods on our cache become the adopted cache's own. */
function delegating(observed: ObservedCache, contract: CacheContract<unknown>): ObservedCache {
  for (const method of METHODS) {
    Object.defineProperty(observed, method, { value: (contract[method] as () => unknown).bind(contract) });
  }
  return Object.defineProperty(observed, 'stores', { get: () => contract.stores });
}

function bound(contract: CacheContract<unknown>): CacheContract<unknown> {
  const methods = METHODS.map((method) => [method, (contract[method] as () => unknown).bind(contract)]);
  return { ...(Object.fromEntries(methods) as CacheContract<unknown>), stores: contract.stores };
}

function contractOf(cache: object): CacheContract<unknown> {
  return cache as CacheContract<unknown>;
}
