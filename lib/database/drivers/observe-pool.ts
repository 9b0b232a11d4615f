import { CacheError } from '../../cache/base/errors.js';
import type { DatabaseMetrics } from '../records/database-metrics.js';
import { databaseMetrics } from '../records/process-metrics.js';
import { mysql2PoolOf, observeMysql2Pool } from './mysql2-pool.js';
import { isPgPool, observePgPool } from './pg-pool.js';

export interface ObservePoolOptions {
  /** The label `pool`. Pools with the same name are counted together. */
  readonly name: string;
  /** Where the pool is counted. @default the metrics of the process, which the module exports and shows */
  readonly metrics?: DatabaseMetrics;
}

/**
 * Observes a connection pool of `pg` or `mysql2` (with callbacks or promises): its size; how many connections are available, in
 * use and requested; how long callers wait; how many time out. Returns the same pool, with the same methods, types and events.
 * A second call with the same pool changes nothing. A closed pool counts as empty.
 *
 * ```ts
 * { provide: Pool, inject: [DatabaseMetrics], useFactory: (metrics: DatabaseMetrics) =>
 *     observePool(new Pool({ max: 20 }), { name: 'main', metrics }) }
 * ```
 *
 * @throws CacheError `INVALID_OPTIONS` for any other object, or an empty name.
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
