import type { DatabaseMetrics } from '../records/database-metrics.js';
import { hasMethods, isThenable, patch } from './patch.js';
import type { Acquisition, PoolGauge } from '../records/pool-record.js';

/** The part of a node-postgres (`pg` 8) pool that this file uses. */
export interface PgPool {
  readonly totalCount: number;
  readonly idleCount: number;
  readonly waitingCount: number;
  readonly ended: boolean;
  readonly options: { readonly max?: number };
}

type Settled = (error: unknown, ...rest: unknown[]) => void;

const TIMEOUTS = ['timeout exceeded when trying to connect', 'Connection terminated due to connection timeout'];

export function isPgPool(pool: object): pool is PgPool {
  return hasMethods(pool, 'connect', 'query', 'end', 'on') && 'totalCount' in pool && 'waitingCount' in pool;
}

/** Counts acquisitions at `connect`, which the pool's `query` also calls. */
export function observePgPool(pool: PgPool, name: string, metrics: DatabaseMetrics): void {
  const record = metrics.pool(name, 'postgresql', gaugeOf(pool));
  const { clock } = metrics;
  patch(
    pool,
    'connect',
    (connect) =>
      function (this: unknown, ...args: unknown[]): unknown {
        const startedAt = clock.now();
        const settle = (error: unknown): void => record.add(acquisitionOf(error), clock.now() - startedAt);
        const [callback] = args;
        if (typeof callback === 'function') {
          args[0] = function (this: unknown, error: unknown, ...rest: unknown[]): void {
            settle(error);
            (callback as Settled).call(this, error, ...rest);
          };
          return connect.apply(this, args);
        }
        const client = connect.apply(this, args);
        if (isThenable(client)) client.then(() => settle(undefined), settle);
        return client;
      },
  );
}

function gaugeOf(observed: PgPool): PoolGauge {
  const reference = new WeakRef(observed);
  return () => {
    const pool = reference.deref();
    if (pool === undefined || pool.ended) return undefined;
    return { limit: pool.options.max ?? 10, open: pool.totalCount, idle: pool.idleCount, pending: pool.waitingCount };
  };
}

function acquisitionOf(error: unknown): Acquisition {
  if (error === undefined || error === null) return 'acquired';
  return error instanceof Error && TIMEOUTS.includes(error.message) ? 'timeout' : 'error';
}
