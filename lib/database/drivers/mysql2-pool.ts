import type { DatabaseMetrics } from '../records/database-metrics.js';
import { hasMethods, patch } from './patch.js';
import type { Acquisition, PoolGauge } from '../records/pool-record.js';

interface Counted {
  readonly length: number;
}

/** The part of a mysql2 3 callback pool that this file uses. */
export interface Mysql2Pool {
  readonly config: { readonly connectionLimit: number };
  readonly _allConnections: Counted;
  readonly _freeConnections: Counted;
  readonly _connectionQueue: Counted;
  readonly _closed: boolean;
}

type Settled = (error: unknown, ...rest: unknown[]) => void;

/** The errors of mysql2 if no connection is free: the queue is full, or waiting is off. It has no time limit for waiting. */
const REFUSALS = ['Queue limit reached.', 'No connections available.'];

/** Returns the callback pool of a mysql2 pool: the pool itself, or the pool inside its promise wrapper. */
export function mysql2PoolOf(pool: object): Mysql2Pool | undefined {
  if (isCallbackPool(pool)) return pool;
  const inner: unknown = Reflect.get(pool, 'pool');
  return isCallbackPool(inner) ? inner : undefined;
}

function isCallbackPool(pool: unknown): pool is Mysql2Pool {
  return (
    hasMethods(pool, 'getConnection', 'releaseConnection') && '_allConnections' in pool && '_freeConnections' in pool
  );
}

/** Counts acquisitions at `getConnection`, which the pool's `query` and `execute` and its promise wrapper also call. */
export function observeMysql2Pool(pool: Mysql2Pool, name: string, metrics: DatabaseMetrics): void {
  const record = metrics.pool(name, 'mysql', gaugeOf(pool));
  const { clock } = metrics;
  // If a connection breaks, mysql2 calls getConnection again for the callback that waits for it. This is the same acquisition.
  const waiting = new WeakSet<object>();
  patch(
    pool,
    'getConnection',
    (getConnection) =>
      function (this: unknown, ...args: unknown[]): unknown {
        const [callback] = args;
        if (typeof callback !== 'function' || waiting.has(callback)) return getConnection.apply(this, args);
        const startedAt = clock.now();
        const counted = function (this: unknown, error: unknown, ...rest: unknown[]): void {
          record.add(acquisitionOf(error), clock.now() - startedAt);
          (callback as Settled).call(this, error, ...rest);
        };
        waiting.add(counted);
        args[0] = counted;
        return getConnection.apply(this, args);
      },
  );
}

function gaugeOf(observed: Mysql2Pool): PoolGauge {
  const reference = new WeakRef(observed);
  return () => {
    const pool = reference.deref();
    if (pool === undefined || pool._closed) return undefined;
    return {
      limit: pool.config.connectionLimit || Infinity,
      open: pool._allConnections.length,
      idle: pool._freeConnections.length,
      pending: pool._connectionQueue.length,
    };
  };
}

function acquisitionOf(error: unknown): Acquisition {
  if (error === undefined || error === null) return 'acquired';
  if (!(error instanceof Error)) return 'error';
  return REFUSALS.includes(error.message) || Reflect.get(error, 'code') === 'ETIMEDOUT' ? 'timeout' : 'error';
}
