import { milliseconds } from '../../cache/base/duration.js';
import { CacheError } from '../../cache/base/errors.js';
import type { DatabaseMetrics } from '../records/database-metrics.js';
import { hasMethods } from './patch.js';
import { mysql2PoolOf } from './mysql2-pool.js';
import { planSessionsOf } from './open-session.js';
import { isPgPool } from './pg-pool.js';
import { databaseMetrics } from '../records/process-metrics.js';
import { dialectOf, type Dialect } from '../statements/dialect.js';
import { mysql2ConnectionOf, observeMysql2PoolQueries, observeMysql2Queries } from './mysql2-queries.js';
import { observePgClientQueries, observePgPoolQueries } from './pg-queries.js';
import type { ObserveQueriesOptions } from './observe-queries.options.js';
import { isPglite, observePgliteQueries } from './pglite-queries.js';
import { isPrismaClient, observePrismaQueries, prismaDialect } from './prisma-queries.js';
import { QueryWatch } from './query-watch.js';
import { isTypeOrmDataSource, observeTypeOrmQueries } from './typeorm-queries.js';

/**
 * Counts and times the queries of a pool or client of `pg`, a pool or connection of `mysql2` (with callbacks or promises), a
 * PGlite, a DataSource of TypeORM, a client of Prisma, or any other object with a `query(text, values?, callback?)`: by query
 * type, table and result. Slow queries are logged by their shape, never with a literal. Returns the same target. A second call
 * with the same target changes nothing. Observe either the pool or the ORM that uses it: with both, queries count twice.
 *
 * @throws CacheError `INVALID_OPTIONS` for any other target.
 */
export function observeQueries<T extends object>(target: T, options: ObserveQueriesOptions = {}): T {
  const { metrics = databaseMetrics, slowThreshold } = options;
  const slowMs = slowThreshold === undefined ? undefined : milliseconds(slowThreshold, 'slowThreshold');
  const plans = options.explain === true ? planSessionsOf(target) : undefined;
  if (options.explain === true && plans === undefined) {
    throw new CacheError(
      'INVALID_OPTIONS',
      'observeQueries: explain needs a pool of pg or mysql2, a DataSource of TypeORM or a PGlite. Leave it out for anything else.',
    );
  }
  const watch = (dialect: Dialect): QueryWatch => new QueryWatch(metrics, options.dialect ?? dialect, slowMs, plans);

  if (isTypeOrmDataSource(target)) observeTypeOrmQueries(target, watch(dialectOf(target.options.type)));
  else if (isPrismaClient(target)) observePrismaQueries(target, watch(prismaDialect(target)));
  else if (isPgPool(target)) {
    if (metrics.claim(target, 'queries')) observePgPoolQueries(target, watch('postgresql'));
  } else if (isPglite(target)) observePgliteQueries(target, watch('postgresql'));
  else observeOther(target, metrics, watch);
  return target;
}

function observeOther(target: object, metrics: DatabaseMetrics, watch: (dialect: Dialect) => QueryWatch): void {
  const pool = mysql2PoolOf(target);
  const connection = mysql2ConnectionOf(target);
  if (pool !== undefined) {
    if (metrics.claim(pool, 'queries')) observeMysql2PoolQueries(pool, watch('mysql'));
  } else if (connection !== undefined) observeMysql2Queries(connection, watch('mysql'));
  else if (hasMethods(target, 'query')) {
    observePgClientQueries(target, watch('connectionParameters' in target ? 'postgresql' : 'unknown'));
  } else {
    throw new CacheError(
      'INVALID_OPTIONS',
      'observeQueries: the target has no query method, and is not a DataSource or Prisma client.',
    );
  }
}
