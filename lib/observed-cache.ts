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
import type { HealthOptions, MetricsOptions } from './cache-observability.options.js';
import { createCacheMetrics } from './insight/create-cache-metrics.js';
import type { CacheMetrics } from './metrics/cache-metrics.js';
import { composeObservers } from './metrics/collectors/compose-observers.js';

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
  /** Further observers; what one of them throws is felt by nobody. */
  collectors?: readonly CacheObserver[];
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
  readonly #observer: CacheObserver;
  readonly #clock: Clock;

  constructor(options: ConstructorParameters<typeof LayeredCache>[0], metrics: CacheMetrics) {
    super(options);
    this.metrics = metrics;
    this.#observer = options.observer;
    this.#clock = options.clock ?? systemClock;
    metrics.watchLayers(() => this.layers.map((layer) => layer.status()));
  }

  /** Aborts running loads, drains and closes the layers; where `disconnect` is an adopted cache's own, this is still ours. */
  async close(): Promise<void> {
    await super.disconnect();
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
  const { cache, clock = systemClock, log, collectors = [], namespace = 'cache', ttl = '5m' } = options;
  const made = createCacheMetrics({
    clock,
    ...(options.metrics !== undefined && { metrics: options.metrics }),
    ...(options.health !== undefined && { health: options.health }),
    ...(log !== undefined && { log }),
  });
  const observer = composeObservers(made.observer, collectors, log === undefined ? {} : { log });
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
      ...(options.tracer !== undefined && { tracer: options.tracer }),
    },
    made.metrics,
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
  options: Pick<ObservedCacheOptions, 'metrics' | 'health' | 'clock' | 'collectors' | 'log'> = {},
): C & { readonly metrics: CacheMetrics } {
  if (observationOf(contractOf(cache)) !== undefined && 'metrics' in cache) {
    return cache as C & { readonly metrics: CacheMetrics };
  }
  const { metrics } = createObservedCache({ ...options, cache });
  return Object.defineProperty(cache, 'metrics', { value: metrics }) as C & { readonly metrics: CacheMetrics };
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
