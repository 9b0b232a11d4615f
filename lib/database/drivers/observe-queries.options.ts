import type { Duration } from '../../cache/base/duration.js';
import type { DatabaseMetrics } from '../records/database-metrics.js';
import type { Dialect } from '../statements/dialect.js';

export interface ObserveQueriesOptions {
  /** Where they are counted. @default the process' own, which the module exports and shows */
  readonly metrics?: DatabaseMetrics;
  /** Queries that take this long are slow. @default that of `metrics`, one second */
  readonly slowThreshold?: Duration;
  /**
   * Lets `GET /cache/database/plan` ask for the plan of a slow statement: `EXPLAIN` without `ANALYZE` on a connection of its own. For
   * pools of pg and mysql2, a DataSource of TypeORM and a PGlite. @default false
   */
  readonly explain?: boolean;
  /** Whose SQL it is. @default known by the target; `unknown` for others */
  readonly dialect?: Dialect;
}
