import type { CacheLog } from '../../cache/base/cache-log.js';
import { systemClock, type Clock } from '../../cache/base/clock.js';
import { milliseconds, type Duration } from '../../cache/base/duration.js';
import { CacheError } from '../../cache/base/errors.js';
import { OneInProcess, oneInProcess } from '../../cache/one-in-process.js';
import type { FamilySource, MetricFamily } from '../../metrics/family.js';
import type { HealthWarning } from '../../metrics/snapshot.js';
import type { DatabaseRecords, RecordOptions } from './database-records.js';
import type { StatementPlan } from '../plans/statement-plan.js';
import type { DatabaseSnapshot } from './database-snapshot.js';
import type { OpenPlanSession } from '../plans/plan-session.js';
import type { PoolRecord, PoolGauge } from './pool-record.js';
import type { Dialect } from '../statements/dialect.js';
import type { QueryType } from '../statements/query-type.js';

export interface DatabaseMetricsOptions {
  /** The most tables counted separately; further tables are counted together as `__other__`. @default 50 */
  readonly maxTables?: number;
  /** The most pools counted separately; further pools are counted together as `__other__`. @default 20 */
  readonly maxPools?: number;
  /** The duration from which a query counts as slow. @default '1s' */
  readonly slowThreshold?: Duration;
  /** Logs slow queries by their shape. @default Nest's logger with the context `Database` */
  readonly log?: CacheLog;
  readonly clock?: Clock;
}

/** Creates the records; set by the entry `database`, the only entry that exports this class. */
const counting = oneInProcess<{ make?: (options: RecordOptions) => DatabaseRecords }>('database records', () => ({}));

/** Sets the function that creates the records of this process. */
export function countDatabasesWith(make: (options: RecordOptions) => DatabaseRecords): void {
  counting.make ??= make;
}

const NOTHING: DatabaseSnapshot = Object.freeze({
  pools: Object.freeze([]),
  queries: Object.freeze([]),
  slowQueries: Object.freeze([]),
});

/**
 * The statistics of databases: of the pools and clients that were passed to `observePool` and `observeQueries`. The module
 * provides one. Without Nest, `cache.metrics.addSource(databaseMetrics)` adds it to the exported metrics.
 */
@OneInProcess('DatabaseMetrics')
export class DatabaseMetrics implements FamilySource {
  readonly clock: Clock;
  /** The duration from which a query counts as slow, milliseconds. */
  readonly slowThresholdMs: number;
  readonly #options: RecordOptions;
  /** Created with the first pool or query. */
  #records: DatabaseRecords | undefined;
  readonly #claimed = { pool: new WeakSet<object>(), queries: new WeakSet<object>() };

  /** @throws CacheError `INVALID_OPTIONS` for a limit that is not a whole number above zero. */
  constructor(options: DatabaseMetricsOptions = {}) {
    this.clock = options.clock ?? systemClock;
    this.slowThresholdMs = milliseconds(options.slowThreshold ?? '1s', 'slowThreshold');
    this.#options = {
      maxPools: cap(options.maxPools ?? 20, 'maxPools'),
      maxTables: cap(options.maxTables ?? 50, 'maxTables'),
      clock: this.clock,
      log: options.log,
    };
  }

  /** Returns a frozen snapshot of pools, queries and slow statements. */
  snapshot(): DatabaseSnapshot {
    return this.#records?.snapshot() ?? NOTHING;
  }

  /**
   * Returns the plan of a slow statement by its shape from {@link snapshot}. The plan comes from `EXPLAIN` without `ANALYZE`;
   *   calls run one at a time.
   * @throws CacheError `UNKNOWN_SHAPE`; `PLANS_OFF` if its target is not observed with `explain: true`; `PLAN_UNAVAILABLE` if
   *   the statement cannot be planned without its values, or the database does not answer.
   */
  async plan(shape: string): Promise<StatementPlan> {
    const plan = await this.#records?.plan(shape);
    if (plan === undefined) {
      throw new CacheError('UNKNOWN_SHAPE', 'No slow statement of this shape is known. Take one from slow_queries.');
    }
    return plan;
  }

  /**
   * Returns warnings about pools that are busy or exhausted now. `cache.metrics.addAlerts(() => databaseMetrics.warnings())`
   * makes alerts of them.
   */
  warnings(): readonly HealthWarning[] {
    return this.#records?.warnings() ?? [];
  }

  families(): Iterable<MetricFamily> {
    return this.#records?.families() ?? [];
  }

  /** Resets the counts; pools and queries stay observed. */
  reset(): void {
    this.#records?.reset();
  }

  /** Returns the record of all pools with this name. From now on it reads the state of the given pool. */
  pool(name: string, system: string, gauge: PoolGauge): PoolRecord {
    return this.#counted().pool(name, system, gauge);
  }

  /** Counts a query by its text. Never throws. */
  query(
    text: string,
    dialect: Dialect,
    ok: boolean,
    durationMs: number,
    slowThresholdMs = this.slowThresholdMs,
    plans?: OpenPlanSession,
  ): void {
    this.#counted().query(text, dialect, ok, durationMs, slowThresholdMs, plans);
  }

  /** Counts an operation without a text, such as an operation of Prisma. */
  operation(
    type: QueryType,
    table: string,
    ok: boolean,
    durationMs: number,
    slowThresholdMs = this.slowThresholdMs,
  ): void {
    this.#counted().operation(type, table, ok, durationMs, slowThresholdMs);
  }

  /** True for the first call with this `target` and `as`, so that nothing is observed twice. */
  claim(target: object, as: 'pool' | 'queries'): boolean {
    if (this.#claimed[as].has(target)) return false;
    this.#claimed[as].add(target);
    return true;
  }

  #counted(): DatabaseRecords {
    return (this.#records ??= counting.make!(this.#options));
  }
}

function cap(value: number, option: string): number {
  if (Number.isInteger(value) && value > 0) return value;
  throw new CacheError('INVALID_OPTIONS', `${option}: ${value} must be a whole number above zero.`);
}
