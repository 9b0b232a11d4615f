import { CacheError } from '../../cache/base/errors.js';
import type { DatabaseMetrics } from '../records/database-metrics.js';
import { databaseMetrics } from '../records/process-metrics.js';
import { mysql2PoolOf, observeMysql2Pool } from './mysql2-pool.js';
import { isPgPool, observePgPool } from './pg-pool.js';

export interface ObservePoolOptions {
  /** The label `pool`. Pools of one name are counted as one. */
  readonly name: string;
  /** Where it is counted. @default the process' own, which the module exports and shows */
  readonly metrics?: DatabaseMetrics;
}

/**
 * Watches a connection pool of `pg` or `mysql2` (with callbacks or promises): its size, how many connections are available,
 * in use and asked for, how long callers waited, how many got none in time. The pool is given back as it was, with the same
 * methods, types and events; observing it again changes nothing. Once it is closed it counts as empty.
 *
 * ```ts
 * { provide: Pool, inject: [DatabaseMetrics], useFactory: (metrics: DatabaseMetrics) =>
 *     observePool(new Pool({ max: 20 }), { name: 'main', metrics }) }
 * ```
 *
 * @throws CacheError `INVALID_OPTIONS` for what is no such pool, or a name that is empty.
 */
export function observePool<P extends object>(pool: P, options: ObservePoolOptions): P {
  const { name, metrics = databaseMetrics } = options;
  if (typeof name !== 'string' || name === '') {
    throw new CacheError('INVALID_OPTIONS', 'observePool: name is missing; give the pool a name such as "main".');
  }
  if (isPgPool(pool)) {
    if (metrics.claim(pool, 'pool')) observePgPool(pool, name, metrics);
    return pool;
  }
  const mysql2 = mysql2PoolOf(pool);
  if (mysql2 === undefined) {
    throw new CacheError('INVALID_OPTIONS', `observePool: "${name}" is neither a Pool of pg nor a pool of mysql2.`);
  }
  if (metrics.claim(mysql2, 'pool')) observeMysql2Pool(mysql2, name, metrics);
  return pool;
}
