import { observeInPlace } from '../cache/adopted/adopted-cache.js';
import type { CacheContract } from '../cache/contract/cache-contract.js';
import { CallbackErrors } from '../cache/base/callback-errors.js';
import { within } from '../cache/base/bounded-wait.js';
import { type Clock, systemClock } from '../cache/base/clock.js';
import { LayeredCache } from '../cache/layered-cache.js';
import { CLOSE_MS } from '../cache/lifecycle.js';
import { OnceLog } from '../cache/base/once-log.js';
import type { CacheObserver } from '../cache/base/observer.js';
import { type CacheInvalidation, InvalidationListeners } from '../cache/invalidation/invalidation-listeners.js';
import type { ExportSchedule } from '../exporters/export-schedule.js';
import { FaultFigures } from '../exporters/fault-figures.js';
import { ServerFigures } from '../exporters/server-figures.js';
import type { AlertChange } from '../insight/alerts/alert.js';
import type { CacheAlerts } from '../insight/alerts/cache-alerts.js';
import { CacheInsight } from '../insight/cache-insight.js';
import type { CacheMetrics } from '../metrics/cache-metrics.js';
import type { ExemplarSource } from '../exporters/prometheus/exemplars.js';
import type { CacheProfiler } from '../profiling/profiler.js';
import { PolicyTuning } from '../tuning/policy-tuning.js';
import { TuningBounds, type TuningOptions } from '../tuning/tuning-bounds.js';

/** How long a start waits for the stored overrides of policies, milliseconds. */
const TUNING_WITHIN_MS = 1_000;

/** Optional parts of an observed cache. */
interface ObservedExtras {
  readonly insight?: CacheInsight | undefined;
  readonly alerts?: CacheAlerts | undefined;
  readonly profiler?: CacheProfiler | undefined;
  readonly exemplars?: ExemplarSource | undefined;
  readonly exports?: ExportSchedule | undefined;
  readonly tuning?: TuningOptions | undefined;
  /** True if handlers are declared after `connect()`: `tuning.settle()` is called then. */
  readonly declaresLater?: boolean | undefined;
}

/**
 * The cache and its metrics: cache-manager's whole `Cache` contract, with read-through, tags, globs and statistics.
 * @publicApi
 */
export class ObservedCache extends LayeredCache {
  readonly metrics: CacheMetrics;
  /** Recommendations from a sample of the accesses. */
  readonly insight: CacheInsight;
  /** Undefined if profiling is off. */
  readonly profiler: CacheProfiler | undefined;
  /** The trace ids of loads, for `serveMetrics`; undefined if tracing is off. */
  readonly exemplars: ExemplarSource | undefined;
  /** Overrides policies while the application runs. */
  readonly tuning: PolicyTuning;
  readonly #declaresLater: boolean;
  readonly #observer: CacheObserver;
  readonly #clock: Clock;
  readonly #exports: ExportSchedule | undefined;
  readonly #alerts: CacheAlerts | undefined;
  /** Counts errors of collectors, exporters, observers, listeners, subscribers, tracers and the log. */
  readonly callbacks: CallbackErrors;
  readonly #invalidations: InvalidationListeners;

  constructor(
    options: ConstructorParameters<typeof LayeredCache>[0],
    metrics: CacheMetrics,
    extras: ObservedExtras = {},
  ) {
    const callbacks = options.callbacks ?? new CallbackErrors(options.log);
    super({ ...options, callbacks });
    this.callbacks = callbacks;
    this.#invalidations = new InvalidationListeners(callbacks);
    this.metrics = metrics;
    this.insight =
      extras.insight ??
      new CacheInsight(false, { clock: options.clock ?? systemClock, namespace: options.namespace, errors: callbacks });
    this.profiler = extras.profiler;
    this.exemplars = extras.exemplars;
    this.#exports = extras.exports;
    this.#alerts = extras.alerts;
    this.#observer = options.observer;
    this.#clock = options.clock ?? systemClock;
    this.#declaresLater = extras.declaresLater === true;
    this.tuning = new PolicyTuning({
      overrides: this.overrides,
      bounds: new TuningBounds(extras.tuning),
      map: this.layers.find((layer) => layer.sharedMap !== undefined)?.sharedMap?.('policies', true),
      announce: this.sharePolicies(() => void this.tuning.refresh()),
      clock: this.#clock,
      log: new OnceLog(options.log),
      callbacks,
      onTtl: (pattern, ttlMs) => metrics.declare(pattern, { ttlMs }),
      evidence: {
        ladder: (pattern, maxStaleShare) =>
          this.insight.ttlLadder(pattern, maxStaleShare === undefined ? {} : { maxStaleShare }),
        counts: (pattern) => {
          const { cacheHits, totalRequests } = metrics.getPatternStats(pattern);
          return { hits: cacheHits, total: totalRequests };
        },
        ttlChanged: (pattern, ttlMs) => this.insight.ttlChanged(pattern, ttlMs),
      },
    });
    metrics.watchLayers(() => this.layers.map((layer) => layer.status()));
    metrics.addSource(new ServerFigures(() => this.layers, { clock: this.#clock }));
    metrics.addSource(new FaultFigures(() => this.layers, callbacks));
  }

  /** True if this class created the object. False for a stub that only inherits from the class. */
  static isOne(candidate: unknown): candidate is ObservedCache {
    return typeof candidate === 'object' && candidate !== null && #clock in candidate;
  }

  override connect(): Promise<void> {
    return this.waiting(this.#connect());
  }

  async #connect(): Promise<void> {
    await super.connect();
    this.#alerts?.connected();
    await within(this.tuning.start(), TUNING_WITHIN_MS, this.#clock);
    if (!this.#declaresLater) this.tuning.settle();
    await this.#exports?.start();
  }

  /**
   * Aborts running loads, finishes writes and closes the layers. With an adopted cache, `disconnect` belongs to that cache, and
   * this method closes ours.
   * @param withinMs the time limit, milliseconds. It holds even if a layer hangs. @default 4500
   */
  close(withinMs = CLOSE_MS): Promise<void> {
    return this.waiting(this.#close(withinMs));
  }

  async #close(withinMs: number): Promise<void> {
    const startedAt = this.#clock.now();
    this.tuning.close();
    await Promise.all([this.#exports?.stop(withinMs / 3), this.#alerts?.close(withinMs / 3)]);
    await this.shutDown(withinMs - (this.#clock.now() - startedAt));
  }

  override async disconnect(): Promise<undefined> {
    await this.close();
  }

  /** Calls `listener` for every invalidation through this cache. Returns a function that removes the listener. */
  watchInvalidations(listener: (invalidation: CacheInvalidation) => void): () => void {
    return this.#invalidations.listen(listener);
  }

  /** Calls `listener` for every alert that opens or closes. Returns a function that removes the listener. */
  watchAlerts(listener: (change: AlertChange) => void): () => void {
    return this.#alerts?.onChange(listener) ?? (() => undefined);
  }

  override async del(key: string): Promise<boolean> {
    const answer = await super.del(key);
    this.#invalidations.report({ keys: [key] });
    return answer;
  }

  override async mdel(keys: string[]): Promise<boolean> {
    const answer = await super.mdel(keys);
    this.#invalidations.report({ keys });
    return answer;
  }

  override async clear(): Promise<boolean> {
    const answer = await super.clear();
    this.#invalidations.report({ all: true });
    return answer;
  }

  override async deleteByPattern(glob: string): Promise<number> {
    const removed = await super.deleteByPattern(glob);
    this.#invalidations.report({ globs: [glob], removed });
    return removed;
  }

  override async invalidateTags(...tags: string[]): Promise<void> {
    await super.invalidateTags(...tags);
    this.#invalidations.report({ tags });
  }

  /**
   * Observes another cache of cache-manager in place: its calls are counted in this cache's metrics.
   * @returns the same cache without observation.
   */
  observe(cache: object): CacheContract<unknown> {
    return observeInPlace(cache as CacheContract<unknown>, this.#observer, this.#clock).unobserved;
  }
}
