import {
  counter,
  duration,
  gauge,
  type HistogramView,
  type MetricFamily,
  type MetricPoint,
} from '../../metrics/family.js';
import type { PoolFigures, PoolRecord } from './pool-record.js';
import type { QueryRecord } from './query-record.js';

const POOL = ['pool'];
const QUERY = ['query_type', 'table'];

/** Returns the metric families of pools and queries. */
export function databaseFamilies(pools: readonly PoolRecord[], queries: readonly QueryRecord[]): MetricFamily[] {
  return [...(pools.length > 0 ? poolFamilies(pools) : []), ...(queries.length > 0 ? queryFamilies(queries) : [])];
}

function poolFamilies(pools: readonly PoolRecord[]): MetricFamily[] {
  const now = (name: string, help: string, value: (figures: PoolFigures) => number): MetricFamily => {
    const points = () => pools.map((pool) => ({ labels: [pool.name], value: value(pool.figures()) }));
    return gauge(`db_connection_pool_${name}`, help, POOL, points, name.endsWith('_ratio') ? { unit: 'ratio' } : {});
  };
  return [
    now('size', 'Connections the pool may hold.', ({ size }) => size),
    now('available', 'Connections available without waiting: the size minus those in use.', (pool) => pool.available),
    now('in_use', 'Connections handed out.', ({ inUse }) => inUse),
    now('idle', 'Connections open and unused.', ({ idle }) => idle),
    now('pending', 'Callers waiting for a connection.', ({ pending }) => pending),
    now('utilization_ratio', 'Connections in use over the size of the pool, 0 to 1.', (pool) => pool.utilization),
    duration(
      'db_connection_pool_wait_seconds',
      'How long callers waited for a connection, opening it included.',
      POOL,
      () => pools.map(({ name, wait }) => ({ labels: [name], histogram: wait })),
    ),
    counter('db_connection_pool_timeouts_total', 'Callers who got no connection in time.', POOL, () =>
      pools.map(({ name, timeouts }) => ({ labels: [name], value: timeouts })),
    ),
  ];
}

function queryFamilies(queries: readonly QueryRecord[]): MetricFamily[] {
  return [
    counter('db_queries_total', 'Queries by type, table and result.', [...QUERY, 'result'], () =>
      queries.flatMap(({ type, table, ok, errors }): MetricPoint[] => [
        { labels: [type, table, 'ok'], value: ok },
        { labels: [type, table, 'error'], value: errors },
      ]),
    ),
    duration('db_query_duration_seconds', 'How long queries took, failed ones included.', QUERY, () =>
      queries.map(({ type, table, duration }) => point(type, table, duration)),
    ),
    counter('db_slow_queries_total', 'Queries that took longer than the threshold.', QUERY, () =>
      queries.map(({ type, table, slow }) => ({ labels: [type, table], value: slow })),
    ),
  ];
}

const point = (type: string, table: string, histogram: HistogramView): MetricPoint => ({
  labels: [type, table],
  histogram,
});
