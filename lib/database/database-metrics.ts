import { Logger } from '@nestjs/common';
import type { CacheLog } from '../cache/cache-log.js';
import { systemClock, type Clock } from '../cache/clock.js';
import { milliseconds, type Duration } from '../cache/duration.js';
import { CacheError } from '../cache/errors.js';
import type { FamilySource, MetricFamily } from '../metrics/family.js';
import { databaseFamilies } from './database-families.js';
import type { DatabaseSnapshot } from './database-snapshot.js';
import { PoolRecord, type PoolGauge } from './pools/pool-record.js';
import { QueryRecords } from './queries/query-records.js';
import { SlowStatements } from './queries/slow-statements.js';
import type { Dialect } from './statements/dialect.js';
import type { QueryType } from './statements/query-type.js';
import { OTHER_TABLE } from './statements/statement.js';

export interface DatabaseMetricsOptions {
  /** Tables kept apart; later ones are counted together as `__other__`. @default 50 */
  readonly maxTables?: number;
  /** Pools kept apart; later ones are counted together as `__other__`. @default 20 */
  readonly maxPools?: number;
  /** Queries that take this long are slow. @default '1s' */
  readonly slowThreshold?: Duration;
  /** Where slow queries are told, by their shape. @default Nest's logger, `Database` */
  readonly log?: CacheLog;
  readonly clock?: Clock;
}

/**
 * Everything known of the databases in use: pools and queries that were given to `observePool` and `observeQueries`. The
 * module provides one; `cache.metrics.addSource(databaseMetrics)` adds it to what is exported where there is no Nest.
 */
export class DatabaseMetrics implements FamilySource {
  readonly clock: Clock;
  /** Queries that take this long are slow, milliseconds. */
  readonly slowThresholdMs: number;
  readonly #maxPools: number;
  readonly #pools = new Map<string, PoolRecord>();
  readonly #queries: QueryRecords;
  readonly #slow: SlowStatements;
  readonly #claimed = { pool: new WeakSet<object>(), queries: new WeakSet<object>() };

  /** @throws CacheError `INVALID_OPTIONS` for a cap that is no whole number above zero. */
  constructor(options: DatabaseMetricsOptions = {}) {
    this.clock = options.clock ?? systemClock;
    this.slowThresholdMs = milliseconds(options.slowThreshold ?? '1s', 'slowThreshold');
    this.#maxPools = cap(options.maxPools ?? 20, 'maxPools');
    this.#queries = new QueryRecords(cap(options.maxTables ?? 50, 'maxTables'));
    this.#slow = new SlowStatements(options.log ?? nestLog());
  }

  /** Pools, queries and slow statements as they stand. Frozen. */
  snapshot(): DatabaseSnapshot {
    return Object.freeze({
      pools: Object.freeze([...this.#pools.values()].map((pool) => pool.snapshot())),
      queries: Object.freeze(this.#queries.all().map((query) => query.snapshot())),
      slowQueries: Object.freeze(this.#slow.snapshot()),
    });
  }

  families(): Iterable<MetricFamily> {
    return databaseFamilies([...this.#pools.values()], this.#queries.all());
  }

  /** Forgets what was counted; what is observed stays observed. */
  reset(): void {
    for (const pool of this.#pools.values()) pool.clear();
    this.#queries.clear();
    this.#slow.clear();
  }

  /** The record of the pools of a name, which from now on reads how this one stands. */
  pool(name: string, system: string, gauge: PoolGauge): PoolRecord {
    const admitted = this.#pools.has(name) || this.#pools.size < this.#maxPools ? name : OTHER_TABLE;
    let pool = this.#pools.get(admitted);
    if (pool === undefined) this.#pools.set(admitted, (pool = new PoolRecord(admitted, system)));
    pool.watch(gauge);
    return pool;
  }

  /** Counts a query by its text. Never throws. */
  query(text: string, dialect: Dialect, ok: boolean, durationMs: number, slowThresholdMs = this.slowThresholdMs): void {
    const record = this.#queries.ofText(text, dialect);
    record.add(ok, durationMs);
    if (durationMs < slowThresholdMs) return;
    try {
      this.#slow.add(record, text, dialect, durationMs, this.clock.now(), slowThresholdMs);
    } catch {
      // A log that throws is not the query's concern.
    }
  }

  /** Counts an operation that has no text, such as one of Prisma's. */
  operation(
    type: QueryType,
    table: string,
    ok: boolean,
    durationMs: number,
    slowThresholdMs = this.slowThresholdMs,
  ): void {
    const record = this.#queries.of(type, table);
    record.add(ok, durationMs);
    if (durationMs >= slowThresholdMs) record.slow++;
  }

  /** True for whoever asks first to observe `target` in this way: nothing is observed twice. */
  claim(target: object, as: 'pool' | 'queries'): boolean {
    if (this.#claimed[as].has(target)) return false;
    this.#claimed[as].add(target);
    return true;
  }
}

function cap(value: number, option: string): number {
  if (Number.isInteger(value) && value > 0) return value;
  throw new CacheError('INVALID_OPTIONS', `${option}: ${value} is no whole number above zero.`);
}

function nestLog(): CacheLog {
  const logger = new Logger('Database');
  return (level, code, message, details) => logger[level]({ message, code, ...details });
}
