/** What began a run. */
export type WarmingTrigger = 'startup' | 'cron' | 'manual';

/**
 * How a strategy ended: `ok`; `partial` where some entries failed; `failed` where nothing could be warmed or the
 * strategy itself threw; `timeout`; `aborted` by a shutdown; `elsewhere` where another replica warms it just now.
 */
export type WarmingResult = 'ok' | 'partial' | 'failed' | 'timeout' | 'aborted' | 'elsewhere';

/** One kind of failure and how often it came; never with a key or a value. */
export interface WarmingFailure {
  readonly code: string;
  readonly message: string;
  readonly count: number;
}

/** What one strategy did in one run. */
export interface StrategyReport {
  readonly strategy: string;
  /** `running` until it has ended. */
  readonly result: WarmingResult | 'running';
  readonly keysWarmed: number;
  /** Fresh already, and therefore neither loaded nor written; of `warm:` on a handler also answers that are not kept. */
  readonly keysSkipped: number;
  readonly keysFailed: number;
  readonly bytes: number;
  readonly durationMs: number;
  /** Up to ten kinds of failure. */
  readonly errors: readonly WarmingFailure[];
  /** Share of the warmed entries that were hit before they expired, 0–1, so far; null before anything was warmed. */
  readonly efficiency: number | null;
}

/** What a run did. A report of a run that goes on tells how far it is. */
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

/** A run that was begun: `done` resolves with its report, and never rejects because a strategy failed. */
export interface WarmingRunHandle {
  readonly id: string;
  readonly done: Promise<WarmingReport>;
}

/** Told to `CacheWarmer.onProgress` when a strategy starts, every few seconds while it runs, and when it has ended. */
export interface WarmingProgress {
  readonly type: 'started' | 'progress' | 'finished';
  readonly runId: string;
  readonly trigger: WarmingTrigger;
  readonly report: StrategyReport;
}
