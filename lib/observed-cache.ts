import { observeInPlace } from './cache/adopted/adopted-cache.js';
import type { CacheContract } from './cache/contract/cache-contract.js';
import { type Clock, systemClock } from './cache/clock.js';
import { LayeredCache } from './cache/layered-cache.js';
import type { CacheObserver } from './cache/observer.js';
import { type CacheInvalidation, InvalidationFeed } from './cache/writing/invalidation-feed.js';
import type { ExportSchedule } from './exporters/export-schedule.js';
import { ServerFigures } from './exporters/server-figures.js';
import type { CacheMetrics } from './metrics/cache-metrics.js';
import type { ExemplarSource } from './exporters/prometheus/exemplars.js';
import type { CacheProfiler } from './profiling/profiler.js';

/** What stands beside a cache where it is asked for. */
interface ObservedExtras {
  readonly profiler?: CacheProfiler | undefined;
  readonly exemplars?: ExemplarSource | undefined;
  readonly exports?: ExportSchedule | undefined;
}

/**
 * The cache and its metrics: cache-manager's whole `Cache` contract, with read-through, tags, globs and statistics.
 * @publicApi
 */
export class ObservedCache extends LayeredCache {
  readonly metrics: CacheMetrics;
  /** Undefined where profiling is off. */
  readonly profiler: CacheProfiler | undefined;
  /** The traces of loads, for `serveMetrics`; undefined where tracing is off. */
  readonly exemplars: ExemplarSource | undefined;
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
    this.exemplars = extras.exemplars;
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
    return observeInPlace(cache as CacheContract<unknown>, this.#observer, this.#clock).unobserved;
  }
}
