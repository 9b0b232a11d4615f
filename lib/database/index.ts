import { countDatabasesWith } from './records/database-metrics.js';
import { DatabaseRecords } from './records/database-records.js';

countDatabasesWith((options) => new DatabaseRecords(options));

export { DatabaseMetrics, type DatabaseMetricsOptions } from './records/database-metrics.js';
export type { DatabaseSnapshot, PoolSnapshot, QuerySnapshot, SlowQuerySnapshot } from './records/database-snapshot.js';
export type { StatementPlan } from './plans/statement-plan.js';
export { observePool, type ObservePoolOptions } from './drivers/observe-pool.js';
export { databaseMetrics } from './records/process-metrics.js';
export { observeQueries } from './drivers/observe-queries.js';
export type { ObserveQueriesOptions } from './drivers/observe-queries.options.js';
export { prismaQueries, type PrismaOperation, type PrismaQueries } from './drivers/prisma-queries.js';
export { dialectOf, type Dialect } from './statements/dialect.js';
export type { QueryType } from './statements/query-type.js';
export { statementShape } from './statements/shape.js';
export { describeStatement, NO_TABLE, OTHER_TABLE, type Statement } from './statements/statement.js';
