import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Provider } from '@nestjs/common';
import { type Clock, systemClock } from '../cache/base/clock.js';
import { milliseconds } from '../cache/base/duration.js';
import { CacheError } from '../cache/base/errors.js';
import type { SharedMap, Layer } from '../cache/layers/layer.js';
import { sharedPrefix } from '../cache/base/namespace.js';
import { ShutdownBudget } from '../cache/base/shutdown-budget.js';
import { CACHE_CLOCK } from '../cache/base/tokens.js';
import { APPLICATION_CACHE } from './application-cache.js';
import { RESOLVED_OPTIONS } from '../options/cache-observability.module-definition.js';
import { FLEET, type FleetAnswers, noFleet } from '../fleet/fleet-answers.js';
import { Instances } from '../instances/instances.js';
import { type ProcessFacts, processFacts } from '../instances/process-facts.js';
import { SharedStarts, Starts } from '../instances/starts.js';
import { CacheMetrics } from '../metrics/cache-metrics.js';
import { nestLog } from './nest-log.js';
import type { ObservedCache } from './observed-cache.js';
import { PREDICTIONS_STORE } from './predictive-warming.js';
import { SharedMapStore } from '../persistence/metrics-store.js';
import { FileStore } from '../persistence/file-store.js';
import type { MetricsStore } from '../persistence/metrics-store.js';
import { Persistence } from '../persistence/persistence.js';
import { StartsBehindMetrics } from '../persistence/starts-behind-metrics.js';
import type { ResolvedOptions } from '../options/resolved-options.js';

/** How often an instance sends its figures to the others, milliseconds. */
const FLEET_EVERY_MS = 5_000;

/** Token of the {@link ProcessFacts} of this run. */
const PROCESS_FACTS = Symbol('cache-observability:process-facts');

/** Token of the store of metrics; undefined if persistence is off. */
const KEPT = Symbol('cache-observability:kept-metrics');

/** Provides metrics from outside this process: the metrics of other instances and of the previous run. */
export const keptMetricsProviders: Provider[] = [
  { provide: ShutdownBudget, useFactory: () => new ShutdownBudget(systemClock) },
  {
    provide: PROCESS_FACTS,
    inject: [RESOLVED_OPTIONS, CACHE_CLOCK],
    useFactory: ({ version }: ResolvedOptions, clock: Clock) => processFacts(version, clock.now()),
  },
  {
    provide: KEPT,
    inject: [RESOLVED_OPTIONS, APPLICATION_CACHE, CACHE_CLOCK],
    useFactory: (options: ResolvedOptions, { layers }: ObservedCache, clock: Clock) => {
      const store = partStoreOf(options, layers);
      return store === undefined ? undefined : new StartsBehindMetrics(store, clock);
    },
  },
  {
    provide: Instances,
    inject: [PROCESS_FACTS, RESOLVED_OPTIONS, APPLICATION_CACHE, CacheMetrics, CACHE_CLOCK, ShutdownBudget],
    useFactory: (
      own: ProcessFacts,
      { fleet = false }: ResolvedOptions,
      { layers }: ObservedCache,
      metrics: CacheMetrics,
      clock: Clock,
      shutdown: ShutdownBudget,
    ) =>
      new Instances({
        own,
        metrics,
        sharedMap: sharedBoard(layers)?.sharedMap('instances', true),
        everyMs: fleet === false ? undefined : everyOf(fleet),
        clock,
        shutdown,
      }),
  },
  {
    provide: Starts,
    inject: [PROCESS_FACTS, KEPT, APPLICATION_CACHE, CACHE_CLOCK],
    // The starts are stored in Redis if there is one, otherwise beside the file of the metrics.
    useFactory: (own: ProcessFacts, kept: StartsBehindMetrics | undefined, { layers }: ObservedCache, clock: Clock) => {
      const shared = sharedBoard(layers)?.sharedMap('starts', true);
      return new Starts(own, shared === undefined ? kept : new SharedStarts(shared, clock), clock);
    },
  },
  {
    provide: FLEET,
    inject: [PROCESS_FACTS, RESOLVED_OPTIONS, APPLICATION_CACHE, CacheMetrics, ShutdownBudget, CACHE_CLOCK],
    useFactory: async (
      own: ProcessFacts,
      { fleet = false }: ResolvedOptions,
      { callbacks, insight, layers }: ObservedCache,
      metrics: CacheMetrics,
      shutdown: ShutdownBudget,
      clock: Clock,
    ): Promise<FleetAnswers> => {
      if (fleet === false) return noFleet;
      const { RunningFleet } = await import('../fleet/running-fleet.js');
      const sharedMapOf = (name: string) => sharedBoard(layers)?.sharedMap(name);
      const everyMs = everyOf(fleet);
      return new RunningFleet({
        own,
        metrics,
        insight,
        sharedMapOf,
        everyMs,
        clock,
        log: nestLog(callbacks),
        shutdown,
      });
    },
  },
  {
    provide: PREDICTIONS_STORE,
    inject: [RESOLVED_OPTIONS, APPLICATION_CACHE],
    useFactory: (options: ResolvedOptions, { layers }: ObservedCache) => predictionsStoreOf(options, layers),
  },
  ...keptInsightProviders(),
  {
    provide: Persistence,
    inject: [KEPT, APPLICATION_CACHE, CacheMetrics, ShutdownBudget, CACHE_CLOCK],
    useFactory: (
      store: MetricsStore | undefined,
      cache: ObservedCache,
      metrics: CacheMetrics,
      shutdown: ShutdownBudget,
      clock: Clock,
    ) => {
      const connect = () => cache.connect();
      return new Persistence({ metrics, store, connect, clock, log: nestLog(cache.callbacks), shutdown });
    },
  },
];

/**
 * Provides the persistence of insight's learned state. Each part has its own place, so that one unreadable part does not affect
 * the others.
 */
function keptInsightProviders(): Provider[] {
  const parts = [
    ['ladders', 'Ladders of TTLs'],
    ['recommendations', 'Times of recommendations'],
    ['usual', 'What is usual'],
  ] as const;
  return parts.map(([part, what]) => ({
    provide: Symbol(`cache-observability:kept-${part}`),
    inject: [RESOLVED_OPTIONS, APPLICATION_CACHE, ShutdownBudget, CACHE_CLOCK],
    useFactory: (options: ResolvedOptions, cache: ObservedCache, shutdown: ShutdownBudget, clock: Clock) => {
      const { kept } = cache.insight;
      const store = kept === undefined ? undefined : partStoreOf(options, cache.layers, part);
      const metrics = kept?.[part] ?? NOTHING;
      const connect = () => cache.connect();
      return new Persistence({
        what,
        beside: true,
        metrics,
        store,
        connect,
        clock,
        log: nestLog(cache.callbacks),
        shutdown,
      });
    },
  }));
}

/** Replaces a part that insight does not have. */
const NOTHING = { collectDump: async () => undefined, restore: () => undefined };

/** Returns the store for predictions: the shared layer, for all instances, or without one a store beside the metrics. */
function predictionsStoreOf(options: ResolvedOptions, layers: readonly Layer[]): MetricsStore | undefined {
  const layer = sharedBoard(layers);
  if (layer !== undefined) return new SharedMapStore(layer.sharedMap('asked-keys', true), layer.name, 'latest');
  return partStoreOf(options, layers, 'asked-keys');
}

function everyOf(fleet: NonNullable<ResolvedOptions['fleet']>): number {
  return typeof fleet === 'object' && fleet.every !== undefined
    ? milliseconds(fleet.every, 'fleet.every')
    : FLEET_EVERY_MS;
}

interface LayerWithBoard {
  readonly name: string;
  sharedMap(name: string, everyVersion?: boolean): SharedMap;
}

/** Returns the fastest layer with a shared map. */
function sharedBoard(layers: readonly Layer[], name?: string): LayerWithBoard | undefined {
  const layer = layers.find((each) => each.sharedMap !== undefined && (name === undefined || each.name === name));
  return layer === undefined ? undefined : { name: layer.name, sharedMap: (of, every) => layer.sharedMap!(of, every) };
}

/**
 * Returns the store of a part, or without `part` of the metrics; undefined if persistence is off.
 * @throws CacheError `INVALID_OPTIONS` if the named layer cannot store it.
 */
function partStoreOf(options: ResolvedOptions, layers: readonly Layer[], part?: string): MetricsStore | undefined {
  const suffix = part === undefined ? '' : `.${part}`;
  const { persistence = false, namespace } = options;
  if (persistence === false) return undefined;
  if (persistence !== true && 'path' in persistence) return new FileStore(`${persistence.path}${suffix}`);
  const wanted = persistence === true ? undefined : persistence.layer;
  const layer = sharedBoard(layers, wanted);
  if (layer !== undefined) {
    const name = persistence === true ? undefined : persistence.name;
    const writers = part === undefined ? layer.sharedMap('kept-writers') : undefined;
    return new SharedMapStore(layer.sharedMap(`kept-${part ?? 'metrics'}`), layer.name, name ?? hostname(), writers);
  }
  if (wanted === undefined)
    return new FileStore(join(process.cwd(), '.cache-observability', `${fileName(namespace)}.metrics${suffix}`));
  throw new CacheError(
    'INVALID_OPTIONS',
    `persistence.layer: no layer named ${JSON.stringify(wanted)} can keep metrics; name a redisLayer(), or give persistence: { path }.`,
  );
}

/** Returns a file name for a namespace. The name cannot lead out of the directory. */
function fileName(namespace: string): string {
  return sharedPrefix(namespace).replaceAll('/', '%2F;');
}
