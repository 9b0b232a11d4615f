import type { Duration } from '../../cache/base/duration.js';
import type { DatabaseMetrics } from '../records/database-metrics.js';
import type { Dialect } from '../statements/dialect.js';

export interface ObserveQueriesOptions {
  /** Where queries are counted. @default the metrics of the process, which the module exports and shows */
  readonly metrics?: DatabaseMetrics;
  /** The duration from which a query counts as slow. @default the `slowThreshold` of `metrics`, one second */
  readonly slowThreshold?: Duration;
  /**
   * Lets `GET /cache/database/plan` return the plan of a slow statement, from `EXPLAIN` without `ANALYZE` on a separate
   *   connection. Only for a pool of pg or mysql2, a DataSource of TypeORM, or a PGlite. @default false
   */
  readonly explain?: boolean;
  /** The SQL dialect of the queries. @default detected from the target; `unknown` if that fails */
  readonly dialect?: Dialect;
}
