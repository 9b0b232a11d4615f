import { observationOf, observeInPlace } from './cache/adopted/adopted-cache.js';
import type { CacheContract } from './cache/contract/cache-contract.js';
import { type Clock, systemClock } from './cache/clock.js';
import type { Duration } from './cache/duration.js';
import { adoptedLayer } from './cache/layers/adopted-layer.js';
import type { LayerFactory } from './cache/layers/layer.js';
import { memoryLayer } from './cache/layers/memory-layer.js';
import type { CachePolicy } from './cache/policy.js';
import { ExportSchedule } from './exporters/export-schedule.js';
import type { MetricsExporter } from './exporters/metrics-exporter.js';
import type { CacheMetrics } from './metrics/cache-metrics.js';
import { ObservedCache } from './observed-cache.js';
import { packageName } from './service-name.js';
import { type WatcherOptions, watchersOf } from './watchers.js';

/** What `createObservedCache` takes. Nothing is required. */
export interface ObservedCacheOptions extends WatcherOptions {
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
  clock?: Clock;
  /** Carry the figures elsewhere from `connect()` until the cache is closed. */
  exporters?: readonly MetricsExporter[];
  /** Who exporters say that sends. @default the name in the application's package.json */
  serviceName?: string;
  /** `false`: every access goes to its origin. @default true */
  enabled?: boolean;
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
  const { cache, clock = systemClock, log, namespace = 'cache', ttl = '5m' } = options;
  const { metrics, observer, tracer, profiler, exemplars } = watchersOf(options, clock);
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
    metrics,
    { profiler, exemplars, exports: exportsOf(options, metrics, clock) },
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

function exportsOf(
  { exporters = [], serviceName, log }: ObservedCacheOptions,
  metrics: CacheMetrics,
  clock: Clock,
): ExportSchedule | undefined {
  if (exporters.length === 0) return undefined;
  const source = {
    serviceName: serviceName ?? packageName(),
    families: () => metrics.families(),
    collectFamilies: () => metrics.collectFamilies(),
  };
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
