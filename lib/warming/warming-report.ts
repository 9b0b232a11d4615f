import type { CacheErrorCode } from '../cache/base/errors.js';

/** The trigger of a run. */
export type WarmingTrigger = 'startup' | 'cron' | 'manual';

/**
 * How a strategy ended: `ok`; `partial` if some entries failed; `failed` if nothing could be warmed or the
 * strategy itself threw; `timeout`; `aborted` by a shutdown; `elsewhere` if another replica is warming it.
 */
export type WarmingResult = 'ok' | 'partial' | 'failed' | 'timeout' | 'aborted' | 'elsewhere';

/** One kind of failure with its count; never with a key or a value. */
export interface WarmingFailure {
  readonly code: CacheErrorCode | 'WARMING_LOAD_FAILED' | 'WARMING_STRATEGY_FAILED';
  readonly message: string;
  readonly count: number;
}

/** The report of one strategy in one run. */
export interface StrategyReport {
  readonly strategy: string;
  /** `running` until it has ended. */
  readonly result: WarmingResult | 'running';
  readonly keysWarmed: number;
  /**
   * Entries that were already fresh, so neither loaded nor written; for `warm` on a handler also responses that are not stored; for
   * popular and predicted keys also those that the origin answers with a 4xx by now.
   */
  readonly keysSkipped: number;
  /** Entries that the code names and that could not be loaded: requests of `warm` that are not answered with a 2xx count, 4xx included. */
  readonly keysFailed: number;
  readonly bytes: number;
  readonly durationMs: number;
  /** Up to ten kinds of failure. */
  readonly errors: readonly WarmingFailure[];
  /** Share of the warmed entries that were hit before they expired, 0–1, so far; null before anything was warmed. */
  readonly efficiency: number | null;
}

/** The report of a run. During the run it shows the progress. */
export interface WarmingReport {
  readonly id: string;
  readonly trigger: WarmingTrigger;
  readonly status: 'running' | 'completed' | 'aborted';
  /** ISO 8601. */
  readonly startedAt: string;
  /** ISO 8601; null while it runs. */
  readonly finishedAt: string | null;
  readonly keysWarmed: number;
  readonly keysSkipped: number;
  readonly keysFailed: number;
  readonly bytes: number;
  readonly durationMs: number;
  /** Share of the warmed entries that were hit before they expired, 0–1, so far; null before anything was warmed. */
  readonly efficiency: number | null;
  readonly strategies: readonly StrategyReport[];
}

/** A running or ended run: `done` resolves with its report, also when a strategy failed. */
export interface WarmingRunHandle {
  readonly id: string;
  readonly done: Promise<WarmingReport>;
}

/** Passed to `CacheWarmer.onProgress` when a strategy starts, every few seconds while it runs, and when it has ended. */
export interface WarmingProgress {
  readonly type: 'started' | 'progress' | 'finished';
  readonly runId: string;
  readonly trigger: WarmingTrigger;
  readonly report: StrategyReport;
}
