import { Histogram, timesOf } from '../../metrics/windows/histogram.js';
import type { PoolSnapshot } from './database-snapshot.js';

/** The present state of a pool. */
export interface PoolState {
  /** The most connections it may hold; Infinity without a limit. */
  readonly limit: number;
  readonly open: number;
  readonly idle: number;
  readonly pending: number;
}

/** Returns the state of a pool; undefined once it has been closed. */
export type PoolGauge = () => PoolState | undefined;

/**
 * How an acquisition ended. `timeout` means that no connection became free in time, or that the pool refused to let the caller
 * wait.
 */
export type Acquisition = 'acquired' | 'timeout' | 'error';

export interface PoolFigures {
  readonly size: number;
  readonly available: number;
  readonly inUse: number;
  readonly idle: number;
  readonly pending: number;
  readonly utilization: number;
}

/** The counts of all pools with one name, such as a pool and its successor. */
export class PoolRecord {
  readonly wait = new Histogram();
  acquired = 0;
  timeouts = 0;
  errors = 0;
  readonly #gauges = new Set<PoolGauge>();

  constructor(
    readonly name: string,
    readonly system: string,
  ) {}

  watch(gauge: PoolGauge): void {
    this.#gauges.add(gauge);
  }

  /** Counts an acquisition that took `waitMs`. */
  add(acquisition: Acquisition, waitMs: number): void {
    if (acquisition === 'acquired') {
      this.acquired++;
      this.wait.record(waitMs, 1);
    } else if (acquisition === 'timeout') this.timeouts++;
    else this.errors++;
  }

  figures(): PoolFigures {
    let size = 0;
    let open = 0;
    let idle = 0;
    let pending = 0;
    for (const gauge of this.#gauges) {
      const state = gauge();
      if (state === undefined) {
        this.#gauges.delete(gauge);
        continue;
      }
      // More connections than the limit may be open after the limit was lowered.
      size += Math.max(state.open, Number.isFinite(state.limit) ? state.limit : 0);
      open += state.open;
      idle += state.idle;
      pending += state.pending;
    }
    const inUse = open - idle;
    return { size, available: size - inUse, inUse, idle, pending, utilization: size === 0 ? 0 : inUse / size };
  }

  clear(): void {
    this.acquired = 0;
    this.timeouts = 0;
    this.errors = 0;
    this.wait.clear();
  }

  snapshot(): PoolSnapshot {
    const { avg, p50, p95, p99, max } = timesOf([this.wait]);
    return Object.freeze({
      pool: this.name,
      system: this.system,
      ...this.figures(),
      acquired: this.acquired,
      timeouts: this.timeouts,
      errors: this.errors,
      avgWaitTimeMs: avg,
      p50WaitTimeMs: p50,
      p95WaitTimeMs: p95,
      p99WaitTimeMs: p99,
      maxWaitTimeMs: max,
    });
  }
}
