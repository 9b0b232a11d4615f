import type { Duration } from '../../cache/base/duration.js';
import type { DatabaseMetrics } from '../records/database-metrics.js';
import type { Dialect } from '../statements/dialect.js';

export interface ObserveQueriesOptions {
  /** Where queries are counted. @default the metrics of the process, which the module exports and shows */
  readonly metrics?: DatabaseMetrics;
  /** The duration from which a query counts as slow. @default the `slowThreshold` of `metrics`, one second */
  readonly slowThreshold?: Duration;
  /**
   * Lets `GET /cache/database/plan` ask for the plan of a slow statement: `EXPLAIN` without `ANALYZE` on a separate connection. For
   * pools of pg and mysql2, a DataSource of TypeORM, and a PGlite. @default false
   */
  readonly explain?: boolean;
  /** The SQL dialect of the queries. @default detected from the target; `unknown` if that fails */
  readonly dialect?: Dialect;
}
