import type { CacheErrorCode } from '../cache/base/errors.js';

/** The trigger of a run. */
export type WarmingTrigger = 'startup' | 'cron' | 'manual';

/**
 * The result of a strategy: `ok`; `partial` if some entries failed; `failed` if no entry could be warmed or the
 * strategy threw; `timeout`; `aborted` at shutdown; `elsewhere` if another replica warms it.
 */
export type WarmingResult = 'ok' | 'partial' | 'failed' | 'timeout' | 'aborted' | 'elsewhere';

/** One kind of failure with its count. It never contains a key or value. */
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
   * Entries that were already fresh, so they were neither loaded nor written. For `warm` on a handler also responses that are not stored;
   * for popular and predicted keys also those for which the origin now answers with a 4xx.
   */
  readonly keysSkipped: number;
  /** Entries named in code that could not be loaded. A request of `warm` fails with any status other than 2xx. */
  readonly keysFailed: number;
  readonly bytes: number;
  readonly durationMs: number;
  /** Up to ten kinds of failure. */
  readonly errors: readonly WarmingFailure[];
  /** The share of warmed entries that have been hit before they expired, 0–1; null if none was warmed yet. */
  readonly efficiency: number | null;
}

/** The report of a run. During the run it contains the progress. */
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
  /** The share of warmed entries that have been hit before they expired, 0–1; null if none was warmed yet. */
  readonly efficiency: number | null;
  readonly strategies: readonly StrategyReport[];
}

/** A run. `done` resolves with its report, even if a strategy failed. */
export interface WarmingRunHandle {
  readonly id: string;
  readonly done: Promise<WarmingReport>;
}

/** The argument of `CacheWarmer.onProgress` listeners: when a strategy starts, every few seconds while it runs, and when it has ended. */
export interface WarmingProgress {
  readonly type: 'started' | 'progress' | 'finished';
  readonly runId: string;
  readonly trigger: WarmingTrigger;
  readonly report: StrategyReport;
}
