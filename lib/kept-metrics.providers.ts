import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Provider } from '@nestjs/common';
import { systemClock } from './cache/clock.js';
import { milliseconds } from './cache/duration.js';
import { CacheError } from './cache/errors.js';
import type { Board, Layer } from './cache/layers/layer.js';
import { RESOLVED_OPTIONS } from './cache-observability.module-definition.js';
import { Fleet } from './fleet/fleet.js';
import { CacheMetrics } from './metrics/cache-metrics.js';
import { nestLog } from './nest-log.js';
import { ObservedCache } from './observed-cache.js';
import { BoardStore } from './persistence/board-store.js';
import { FileStore } from './persistence/file-store.js';
import type { MetricsStore } from './persistence/metrics-store.js';
import { Persistence } from './persistence/persistence.js';
import type { ResolvedOptions } from './options/resolved-options.js';

/** How often an instance tells the others, milliseconds. */
const FLEET_EVERY_MS = 5_000;

/** Metrics beyond one process: those of the other instances, and those of the run before. */
export const keptMetricsProviders: Provider[] = [
  {
    provide: Fleet,
    inject: [RESOLVED_OPTIONS, ObservedCache, CacheMetrics],
    useFactory: ({ fleet = false }: ResolvedOptions, cache: ObservedCache, metrics: CacheMetrics) =>
      new Fleet({
        metrics,
        board: sharedBoard(cache.layers)?.board('fleet'),
        everyMs: fleet === false ? undefined : everyOf(fleet),
        clock: systemClock,
        log: nestLog(),
      }),
  },
  {
    provide: Persistence,
    inject: [RESOLVED_OPTIONS, ObservedCache, CacheMetrics],
    useFactory: (options: ResolvedOptions, cache: ObservedCache, metrics: CacheMetrics) =>
      new Persistence({ metrics, store: storeOf(options, cache.layers), clock: systemClock, log: nestLog() }),
  },
];

function everyOf(fleet: NonNullable<ResolvedOptions['fleet']>): number {
  return typeof fleet === 'object' && fleet.every !== undefined
    ? milliseconds(fleet.every, 'fleet.every')
    : FLEET_EVERY_MS;
}

interface LayerWithBoard {
  readonly name: string;
  board(name: string): Board;
}

/** The nearest layer that can keep notes of processes. */
function sharedBoard(layers: readonly Layer[], name?: string): LayerWithBoard | undefined {
  const layer = layers.find((each) => each.board !== undefined && (name === undefined || each.name === name));
  return layer === undefined ? undefined : { name: layer.name, board: (of) => layer.board!(of) };
}

/** @throws CacheError `INVALID_OPTIONS` where the layer that is named cannot keep them. */
function storeOf(options: ResolvedOptions, layers: readonly Layer[]): MetricsStore | undefined {
  const { persistence = false, namespace = 'cache' } = options;
  if (persistence === false) return undefined;
  if (persistence !== true && 'path' in persistence) return new FileStore(persistence.path);
  const wanted = persistence === true ? undefined : persistence.layer;
  const layer = sharedBoard(layers, wanted);
  if (layer !== undefined) {
    const name = persistence === true ? undefined : persistence.name;
    return new BoardStore(layer.board('kept-metrics'), layer.name, name ?? hostname());
  }
  if (wanted === undefined) return new FileStore(join(process.cwd(), '.cache-observability', `${namespace}.metrics`));
  throw new CacheError(
    'INVALID_OPTIONS',
    `persistence.layer: no layer named ${JSON.stringify(wanted)} can keep metrics; name a redisLayer(), or give persistence: { path }.`,
  );
}
