import type { Duration } from '../../cache/duration.js';
import type { DatabaseMetrics } from '../database-metrics.js';
import type { Dialect } from '../statements/dialect.js';

export interface ObserveQueriesOptions {
  /** Where they are counted. @default the process' own, which the module exports and shows */
  readonly metrics?: DatabaseMetrics;
  /** Queries that take this long are slow. @default that of `metrics`, one second */
  readonly slowThreshold?: Duration;
  /** Whose SQL it is. @default known by the target; `unknown` for others */
  readonly dialect?: Dialect;
}
