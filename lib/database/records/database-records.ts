import { Logger } from '@nestjs/common';
import type { CacheLog } from '../../cache/base/cache-log.js';
import type { Clock } from '../../cache/base/clock.js';
import { LogEntry } from '../../cache/base/log-entry.js';
import { redactedLog } from '../../cache/base/redacted-error.js';
import type { MetricFamily } from '../../metrics/family.js';
import type { HealthWarning } from '../../metrics/snapshot.js';
import { databaseFamilies } from './database-families.js';
import type { StatementPlan } from '../plans/statement-plan.js';
import type { DatabaseSnapshot } from './database-snapshot.js';
import { OWN_STATEMENT, type OpenPlanSession } from '../plans/plan-session.js';
import { planOf } from '../plans/statement-plan.js';
import { type PoolGauge, PoolRecord } from './pool-record.js';
import { poolWarnings } from './pool-warnings.js';
import { QueryRecords } from './query-records.js';
import { SlowStatements } from './slow-statements.js';
import type { Dialect } from '../statements/dialect.js';
import type { QueryType } from '../statements/query-type.js';
import { OTHER_TABLE } from '../statements/statement.js';

/** The limits of records, and the log for slow queries. */
export interface RecordOptions {
  readonly maxTables: number;
  readonly maxPools: number;
  readonly clock: Clock;
  readonly log: CacheLog | undefined;
}

/** The records of pools and queries. The entry `database` loads this class, because it needs the SQL parser. */
export class DatabaseRecords {
  readonly #clock: Clock;
  readonly #maxPools: number;
  readonly #pools = new Map<string, PoolRecord>();
  readonly #queries: QueryRecords;
  readonly #slow: SlowStatements;
  /** Settles when the last requested plan is done. */
  #planning: Promise<unknown> = Promise.resolve();

  constructor({ maxTables, maxPools, clock, log }: RecordOptions) {
    this.#clock = clock;
    this.#maxPools = maxPools;
    this.#queries = new QueryRecords(maxTables);
    this.#slow = new SlowStatements(redactedLog(log ?? databaseLog()));
  }

  snapshot(): DatabaseSnapshot {
    return Object.freeze({
      pools: Object.freeze([...this.#pools.values()].map((pool) => pool.snapshot())),
      queries: Object.freeze(this.#queries.all().map((query) => query.snapshot())),
      slowQueries: Object.freeze(this.#slow.snapshot()),
    });
  }

  warnings(): readonly HealthWarning[] {
    return poolWarnings(this.#pools.values());
  }

  families(): Iterable<MetricFamily> {
    return databaseFamilies([...this.#pools.values()], this.#queries.all());
  }

  reset(): void {
    for (const pool of this.#pools.values()) pool.clear();
    this.#queries.clear();
    this.#slow.clear();
  }

  pool(name: string, system: string, gauge: PoolGauge): PoolRecord {
    const admitted = this.#pools.has(name) || this.#pools.size < this.#maxPools ? name : OTHER_TABLE;
    let pool = this.#pools.get(admitted);
    if (pool === undefined) this.#pools.set(admitted, (pool = new PoolRecord(admitted, system)));
    pool.watch(gauge);
    return pool;
  }

  /**
   * Returns the plan of a slow statement; undefined if none has this shape. @throws CacheError as `DatabaseMetrics.plan` does.
   */
  async plan(shape: string): Promise<StatementPlan | undefined> {
    const statement = this.#slow.find(shape);
    if (statement === undefined) return undefined;
    // Plan one statement at a time, because each plan holds a connection.
    const planned = this.#planning.then(() => planOf(shape, statement, this.#clock));
    this.#planning = planned.catch(() => undefined);
    return planned;
  }

  query(
    text: string,
    dialect: Dialect,
    ok: boolean,
    durationMs: number,
    slowThresholdMs: number,
    plans?: OpenPlanSession,
  ): void {
    if (text.startsWith(OWN_STATEMENT)) return;
    const record = this.#queries.ofText(text, dialect);
    record.add(ok, durationMs);
    if (durationMs < slowThresholdMs) return;
    try {
      this.#slow.add(record, text, dialect, durationMs, this.#clock.now(), slowThresholdMs, plans);
    } catch {
      // A log that throws must not fail the query.
    }
  }

  operation(type: QueryType, table: string, ok: boolean, durationMs: number, slowThresholdMs: number): void {
    const record = this.#queries.of(type, table);
    record.add(ok, durationMs);
    if (durationMs >= slowThresholdMs) record.slow++;
  }
}

function databaseLog(): CacheLog {
  const logger = new Logger('Database');
  return (level, code, message, details = {}) => logger[level](new LogEntry(code, message, details));
}
