import type { DatabaseMetrics } from '../records/database-metrics.js';
import type { OpenPlanSession } from '../plans/plan-session.js';
import type { Dialect } from '../statements/dialect.js';
import { isThenable } from './patch.js';

/** Ends a query. Without an error, the query succeeded. Only the first call counts. */
export type Settle = (error?: unknown) => void;

/** Times the queries of one observed target. */
export class QueryWatch {
  constructor(
    readonly metrics: DatabaseMetrics,
    readonly dialect: Dialect,
    readonly slowThresholdMs: number = metrics.slowThresholdMs,
    /** Opens sessions for plans; undefined if plans are off. */
    readonly plans?: OpenPlanSession,
  ) {}

  /** Starts timing a query. */
  begin(text: string): Settle {
    const { clock } = this.metrics;
    const startedAt = clock.now();
    let settled = false;
    return (error) => {
      if (settled) return;
      settled = true;
      this.record(text, error === undefined || error === null, clock.now() - startedAt);
    };
  }

  /** Counts a query with a known duration. */
  record(text: string, ok: boolean, durationMs: number): void {
    this.metrics.query(text, this.dialect, ok, durationMs, this.slowThresholdMs, this.plans);
  }

  /** Runs and times a query that returns a promise, and returns the same promise. */
  run(text: string, query: () => unknown): unknown {
    const settle = this.begin(text);
    let answer: unknown;
    try {
      answer = query();
    } catch (error) {
      settle(error ?? new Error('threw nothing'));
      throw error;
    }
    if (isThenable(answer))
      answer.then(
        () => settle(),
        (error: unknown) => settle(error ?? new Error('rejected with nothing')),
      );
    return answer;
  }
}

/** Wraps a callback: ends the query, then calls it. */
export function settling(callback: unknown, settle: Settle): (...args: unknown[]) => unknown {
  return function (this: unknown, ...args: unknown[]): unknown {
    settle(args[0]);
    return (callback as (...args: unknown[]) => unknown).apply(this, args);
  };
}
