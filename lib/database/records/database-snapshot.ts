/** The statistics of databases, as `/cache/database` returns them. Rates are 0–1, times are milliseconds. */
export interface DatabaseSnapshot {
  readonly pools: readonly PoolSnapshot[];
  readonly queries: readonly QuerySnapshot[];
  readonly slowQueries: readonly SlowQuerySnapshot[];
}

/** One connection pool: its present state, and counts since it was first observed. */
export interface PoolSnapshot {
  readonly pool: string;
  /** `postgresql` or `mysql`. */
  readonly system: string;
  /** The most connections that it may hold; without a limit, the number that it holds now. */
  readonly size: number;
  /** Connections available without waiting: `size - inUse`. */
  readonly available: number;
  readonly inUse: number;
  /** Connections open and unused. */
  readonly idle: number;
  /** Callers waiting for a connection. */
  readonly pending: number;
  /** `inUse / size`. */
  readonly utilization: number;
  /** Successful acquisitions. */
  readonly acquired: number;
  /** Acquisitions that failed because no connection came free in time. */
  readonly timeouts: number;
  /** Acquisitions that failed for another reason, such as a server that cannot be reached. */
  readonly errors: number;
  readonly avgWaitTimeMs: number | null;
  readonly p50WaitTimeMs: number | null;
  readonly p95WaitTimeMs: number | null;
  readonly p99WaitTimeMs: number | null;
  readonly maxWaitTimeMs: number | null;
}

/** Queries of one kind on one table since start or the last reset. */
export interface QuerySnapshot {
  /** `SELECT`, `INSERT` …; `BATCH` for several statements of different kinds sent at once. */
  readonly queryType: string;
  /** The statement's table, without its schema. `__none__` if it has none; `__other__` for tables beyond the limit. */
  readonly table: string;
  readonly count: number;
  readonly errors: number;
  readonly slow: number;
  readonly avgTimeMs: number | null;
  readonly p50TimeMs: number | null;
  readonly p95TimeMs: number | null;
  readonly p99TimeMs: number | null;
  readonly maxTimeMs: number | null;
}

/** A statement that took longer than the threshold, identified by its shape: its text without literals and comments. */
export interface SlowQuerySnapshot {
  readonly queryType: string;
  readonly table: string;
  readonly shape: string;
  readonly count: number;
  readonly maxTimeMs: number;
  readonly lastTimeMs: number;
  /** ISO 8601. */
  readonly lastAt: string;
}
