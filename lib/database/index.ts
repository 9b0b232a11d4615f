import { countDatabasesWith } from './database-metrics.js';
import { DatabaseRecords } from './database-records.js';

countDatabasesWith((options) => new DatabaseRecords(options));

export { DatabaseMetrics, type DatabaseMetricsOptions } from './database-metrics.js';
export type {
  DatabaseSnapshot,
  PoolSnapshot,
  QuerySnapshot,
  SlowQuerySnapshot,
  StatementPlan,
} from './database-snapshot.js';
export { observePool, type ObservePoolOptions } from './pools/observe-pool.js';
export { databaseMetrics } from './process-metrics.js';
export { observeQueries } from './queries/observe-queries.js';
export type { ObserveQueriesOptions } from './queries/observe-queries.options.js';
export { prismaQueries, type PrismaOperation, type PrismaQueries } from './queries/prisma-queries.js';
export { dialectOf, type Dialect } from './statements/dialect.js';
export type { QueryType } from './statements/query-type.js';
export { statementShape } from './statements/shape.js';
export { describeStatement, NO_TABLE, OTHER_TABLE, type Statement } from './statements/statement.js';
