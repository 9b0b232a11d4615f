import { LRUCache } from 'lru-cache';
import type { CacheLog } from '../../cache/base/cache-log.js';
import type { SlowQuerySnapshot } from './database-snapshot.js';
import type { OpenPlanSession } from '../plans/plan-session.js';
import type { Dialect } from '../statements/dialect.js';
import { statementShape } from '../statements/shape.js';
import type { QueryRecord } from './query-record.js';

/** The limit of stored shapes. The shape that was not seen for the longest time is removed first. */
const SHAPES = 50;
/** The least time between two logs of one shape, milliseconds. */
const LOG_EVERY = 60_000;

interface SlowStatement {
  readonly record: QueryRecord;
  readonly shape: string;
  readonly dialect: Dialect;
  /** Opens sessions for its plan, on the target on which the statement ran last. */
  plans: OpenPlanSession | undefined;
  count: number;
  maxMs: number;
  lastMs: number;
  lastAt: number;
  loggedAt: number;
  unlogged: number;
}

/** Counts slow statements by shape, keeps them for the snapshot and logs them. Literals are never stored or logged. */
export class SlowStatements {
  readonly #log: CacheLog;
  readonly #shapes = new LRUCache<string, SlowStatement>({ max: SHAPES });

  constructor(log: CacheLog) {
    this.#log = log;
  }

  add(
    record: QueryRecord,
    text: string,
    dialect: Dialect,
    durationMs: number,
    now: number,
    thresholdMs: number,
    plans?: OpenPlanSession,
  ): void {
    record.slow++;
    const shape = statementShape(text, dialect);
    const key = `${record.type} ${record.table} ${shape}`;
    let slow = this.#shapes.get(key);
    if (slow === undefined) {
      slow = {
        record,
        shape,
        dialect,
        plans,
        count: 0,
        maxMs: 0,
        lastMs: 0,
        lastAt: 0,
        loggedAt: -Infinity,
        unlogged: 0,
      };
      this.#shapes.set(key, slow);
    }
    slow.count++;
    slow.plans = plans ?? slow.plans;
    slow.maxMs = Math.max(slow.maxMs, durationMs);
    slow.lastMs = durationMs;
    slow.lastAt = now;
    this.#report(slow, now, thresholdMs);
  }

  /** Returns the slow statements, the longest first. */
  snapshot(): readonly SlowQuerySnapshot[] {
    return [...this.#shapes.values()]
      .sort((a, b) => b.maxMs - a.maxMs)
      .map(({ record, shape, count, maxMs, lastMs, lastAt }) =>
        Object.freeze({
          queryType: record.type,
          table: record.table,
          shape,
          count,
          maxTimeMs: maxMs,
          lastTimeMs: lastMs,
          lastAt: new Date(lastAt).toISOString(),
        }),
      );
  }

  /** Finds a statement by its shape. Of several, one that can be planned is preferred. */
  find(shape: string): Pick<SlowStatement, 'record' | 'dialect' | 'plans'> | undefined {
    const all = [...this.#shapes.values()].filter((each) => each.shape === shape);
    return all.find(({ plans }) => plans !== undefined) ?? all[0];
  }

  clear(): void {
    this.#shapes.clear();
  }

  #report(slow: SlowStatement, now: number, thresholdMs: number): void {
    if (now - slow.loggedAt < LOG_EVERY) {
      slow.unlogged++;
      return;
    }
    const { record, shape, lastMs, unlogged } = slow;
    slow.loggedAt = now;
    slow.unlogged = 0;
    this.#log('warn', 'SLOW_QUERY', `Slow query: ${record.type} on ${record.table} took ${Math.round(lastMs)} ms.`, {
      query_type: record.type,
      table: record.table,
      shape,
      duration_ms: lastMs,
      threshold_ms: thresholdMs,
      not_logged_since: unlogged,
    });
  }
}
