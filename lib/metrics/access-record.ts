import type { OperationStats } from './snapshot.js';

/** Something that was cached elsewhere, told to the metrics by hand: `metrics.record({ … })`. */
export interface AccessRecord {
  readonly operation: OperationStats['operation'];
  /** The key; its pattern is detected. Give `key` or `pattern`. */
  readonly key?: string;
  /** The pattern, such as `feed:*`. */
  readonly pattern?: string;
  /**
   * How it ended. `get`: `hit stale miss coalesced error`; `set` and `warm`: `ok rejected error`; `has`, `delete` and
   * `invalidate`: `ok absent error`; `load` and `refresh`: `ok error timeout`.
   */
  readonly result: 'hit' | 'stale' | 'miss' | 'coalesced' | 'ok' | 'absent' | 'rejected' | 'error' | 'timeout';
  /** Milliseconds, zero or more. */
  readonly responseTimeMs: number;
  /** `GET /feeds/discover`: method and route template. */
  readonly endpoint?: string;
  /** Bytes of the value that was set. */
  readonly sizeBytes?: number;
}

/** What a timer is started with: an {@link AccessRecord} without its time, and without its result where `end` gives it. */
export type TimerSubject = Omit<AccessRecord, 'responseTimeMs' | 'result'> & Partial<Pick<AccessRecord, 'result'>>;

/** A running measurement; recorded once, by `end` or at the end of the block that declared it with `using`. */
export interface MetricsTimer extends Disposable {
  /** Records, and returns the milliseconds that passed. A second call records nothing. Without a result anywhere a `get` is
   *  a miss and everything else succeeded. */
  end(result?: AccessRecord['result']): number;
}
