import { observationOf, observeInPlace } from '../cache/adopted/adopted-cache.js';
import type { CacheLog } from '../cache/base/cache-log.js';
import type { CacheContract } from '../cache/contract/cache-contract.js';
import { CallbackErrors } from '../cache/base/callback-errors.js';
import { type Clock, systemClock } from '../cache/base/clock.js';
import { OWN_CACHE } from '../cache/base/tokens.js';
import { type Duration, milliseconds } from '../cache/base/duration.js';
import { adoptedLayer } from '../cache/layers/adopted-layer.js';
import type { CachedClasses } from '../cache/entries/listed-classes.js';
import type { Layer, LayerFactory } from '../cache/layers/layer.js';
import { memoryLayer } from '../cache/layers/memory-layer.js';
import { faultsError } from '../cache/options/option-rules.js';
import { type AutomaticTtl, automaticTtl } from '../cache/policies/automatic-ttl.js';
import { DEFAULT_TTL } from '../cache/policies/default-ttl.js';
import type { CachePolicy } from '../cache/policies/policy.js';
import { redactedLog } from '../cache/base/redacted-error.js';
import { ExportSchedule } from '../exporters/export-schedule.js';
import { exportSourceOf, type MetricsExporter } from '../exporters/metrics-exporter.js';
import type { AlertsOptions } from '../insight/alerts/alerts.options.js';
import { CacheAlerts, type CacheAlertsParts } from '../insight/alerts/cache-alerts.js';
import { CacheInsight, type InsightOptions } from '../insight/cache-insight.js';
import type { CacheMetrics } from '../metrics/cache-metrics.js';
import { namedLog } from './named-log.js';
import { ObservedCache } from './observed-cache.js';
import { type ApplicationPart, SharedServers } from './shared-servers.js';
import { standaloneFaults } from '../options/module-option-rules.js';
import type { TuningOptions } from '../tuning/tuning-bounds.js';
import { defaultServiceName, namespaceOf } from '../options/service-name.js';
import { type WatcherOptions, watchersOf } from './watchers.js';

/** The options of `createObservedCache`. None is required. */
export interface ObservedCacheOptions extends WatcherOptions {
  /** The layers, the fastest first. @default one memoryLayer() */
  layers?: readonly LayerFactory[];
  /** A cache that cache-manager's `createCache` made. It is observed in place, and this cache delegates to it. */
  cache?: object;
  /**
   * Separates this application's keys from the keys of others in shared layers. A shared layer needs one. @default
   *   `serviceName`, or else the name in the nearest package.json
   */
  namespace?: string;
  /** The version of a deploy. A new version starts with an empty shared cache. */
  version?: string;
  /** A duration, or `{ auto: { min, max, maxStaleShare } }`. @default '5m' */
  ttl?: Duration | AutomaticTtl;
  policy?: Omit<CachePolicy, 'ttl'>;
  /** Classes of instances in values of any pattern: see `CachePolicy.classes`. @default none */
  classes?: CachedClasses;
  clock?: Clock;
  /** Sends the metrics to other systems from `connect()` until the cache is closed. @default [] */
  exporters?: readonly MetricsExporter[];
  /** The name of the service in exported metrics. @default the name in the application's package.json */
  serviceName?: string;
  /**
   * Observes a sample of the keys and recommends changes, in `cache.insight`. `false` turns it off. @default on if `metrics` is
   * on
   */
  insight?: InsightOptions | false;
  /** How alerts are sent; `false` turns alerts off. @default alerts are shown and logged, but not sent */
  alerts?: AlertsOptions | false;
  /** `false` sends every access to its origin. @default true */
  enabled?: boolean;
  /** The limits of overrides while the cache is in use. @default none */
  tuning?: TuningOptions;
}

/**
 * Creates a cache without Nest. It can be used at once; `connect()` waits for its layers.
 *
 * With `cache` it adds this API to a cache made by cache-manager's `createCache`: `get set mget mset del mdel clear ttl wrap on
 * off disconnect cacheId stores` are that cache's own methods, observed in place. `getOrSet` stores values in it without the
 * times of an entry. Tags and globs reach only keys that this process wrote through this API.
 * @throws CacheError `INVALID_OPTIONS` or `INVALID_DURATION` that lists every fault.
 * @publicApi
 */
export function createObservedCache(options: ObservedCacheOptions = {}): ObservedCache {
  const faults = standaloneFaults(options);
  if (faults.length > 0) throw faultsError('createObservedCache', faults);
  return observedCacheOf(options);
}

/**
 * Creates the cache from validated options. @param part the cache's place in an application, which declares its handlers after
 * `connect()`.
 */
export function observedCacheOf(options: ObservedCacheOptions, part?: ApplicationPart): ObservedCache {
  const { cache, clock = systemClock, ttl = DEFAULT_TTL } = options;
  const { cache: name, servers } = part ?? { cache: OWN_CACHE, servers: new SharedServers(clock) };
  const rawLog = options.log === undefined ? undefined : namedLog(redactedLog(options.log), name);
  const callbacks = new CallbackErrors(rawLog);
  const log = rawLog === undefined ? undefined : servers.log.of(name, callbacks.guardedLog(rawLog));
  const watchers = watchersOf({ ...options, ...(log !== undefined && { log }) }, clock, callbacks);
  const { metrics, observer, adviseBy, tracer, profiler, exemplars } = watchers;
  const namespace = namespaceOf(options);
  const shown = { clock, callbacks, log, cache: name, outages: servers.outages };
  const alerts = alertsOf(options, metrics, shown, () => observed.layers);
  const insight = new CacheInsight(options.metrics === false ? false : (options.insight ?? {}), {
    clock,
    namespace,
    errors: callbacks,
    alerts,
    random: options.random,
  });
  const contract = cache === undefined ? undefined : contractOf(cache);
  const unobserved =
    contract === undefined ? undefined : (observationOf(contract)?.unobserved ?? { ...bound(contract) });
  const observed: ObservedCache = new ObservedCache(
    {
      layers: unobserved === undefined ? (options.layers ?? [memoryLayer()]) : [adoptedLayer(unobserved)],
      namespace,
      ttl,
      observer,
      accesses: insight.stream,
      clock,
      ...(options.random !== undefined && { random: options.random }),
      ...(options.version !== undefined && { version: options.version }),
      ...(options.policy !== undefined && { policy: options.policy }),
      ...(options.classes !== undefined && { classes: options.classes }),
      ...(options.enabled !== undefined && { enabled: options.enabled }),
      ...(log !== undefined && { log }),
      ...(tracer !== undefined && { tracer }),
      callbacks,
    },
    metrics,
    {
      insight,
      alerts,
      profiler,
      exemplars,
      exports: exportsOf(options, metrics, clock, callbacks, log),
      tuning: options.tuning,
      declaresLater: part !== undefined,
    },
  );
  insight.advise({
    metrics,
    layers: observed.layers,
    ttlMs: automaticTtl(ttl)?.startMs ?? (milliseconds(ttl as Duration) || Infinity),
  });
  adviseBy((pattern) => insight.adviceOn(pattern));
  servers.caches.add(name, observed.layers);
  alerts?.start();
  if (contract === undefined) return observed;
  observeInPlace(contract, observer, clock);
  return delegating(observed, contract);
}

/**
 * Observes a cache of cache-manager in place and returns it. API and behaviour stay the same; the property `metrics` is added.
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

/** Creates the alerts; undefined if metrics or alerts are off. */
function alertsOf(
  { alerts = {}, metrics: counting, serviceName }: ObservedCacheOptions,
  metrics: CacheMetrics,
  parts: Omit<CacheAlertsParts, 'metrics' | 'options' | 'service' | 'coordination' | 'notes'>,
  layers: () => readonly Layer[],
): CacheAlerts | undefined {
  if (alerts === false || counting === false) return undefined;
  const service = alerts.webhook === undefined ? undefined : (serviceName ?? defaultServiceName());
  const coordination = () => layers().find((layer) => layer.coordination !== undefined)?.coordination;
  const notes = () =>
    layers()
      .find((layer) => layer.sharedMap !== undefined)
      ?.sharedMap?.('alerts', true);
  return new CacheAlerts({ ...parts, metrics, options: alerts, service, coordination, notes });
}

function exportsOf(
  { exporters = [], serviceName }: ObservedCacheOptions,
  metrics: CacheMetrics,
  clock: Clock,
  callbacks: CallbackErrors,
  log: CacheLog = () => undefined,
): ExportSchedule | undefined {
  if (exporters.length === 0) return undefined;
  const source = exportSourceOf(metrics, serviceName ?? defaultServiceName());
  return new ExportSchedule({ exporters, source, clock, log, callbacks });
}

const METHODS = [
  'get', 'mget', 'ttl', 'set', 'mset', 'del', 'mdel', 'clear', 'wrap', 'on', 'off', 'disconnect', 'cacheId',
] as const; // prettier-ignore

/** Replaces the methods of cache-manager's contract on our cache by the methods of the adopted cache. */
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
