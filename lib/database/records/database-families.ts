import type { HistogramView, MetricFamily, MetricPoint } from '../../metrics/family.js';
import type { PoolFigures, PoolRecord } from './pool-record.js';
import type { QueryRecord } from './query-record.js';

const POOL = ['pool'];
const QUERY = ['query_type', 'table'];

/** The metric families of pools and queries. */
export function databaseFamilies(pools: readonly PoolRecord[], queries: readonly QueryRecord[]): MetricFamily[] {
  return [...(pools.length > 0 ? poolFamilies(pools) : []), ...(queries.length > 0 ? queryFamilies(queries) : [])];
}

function poolFamilies(pools: readonly PoolRecord[]): MetricFamily[] {
  const gauge = (name: string, help: string, value: (figures: PoolFigures) => number): MetricFamily => ({
    name: `db_connection_pool_${name}`,
    help,
    type: 'gauge',
    ...(name.endsWith('_ratio') ? { unit: 'ratio' as const } : {}),
    labelNames: POOL,
    points: () => pools.map((pool) => ({ labels: [pool.name], value: value(pool.figures()) })),
  });
  return [
    gauge('size', 'Connections the pool may hold.', ({ size }) => size),
    gauge(
      'available',
      'Connections that could be had without waiting: size less those in use.',
      (pool) => pool.available,
    ),
    gauge('in_use', 'Connections handed out.', ({ inUse }) => inUse),
    gauge('idle', 'Connections open and unused.', ({ idle }) => idle),
    gauge('pending', 'Callers waiting for a connection.', ({ pending }) => pending),
    gauge('utilization_ratio', 'Connections in use over the size of the pool, 0 to 1.', (pool) => pool.utilization),
    {
      name: 'db_connection_pool_wait_seconds',
      help: 'How long callers waited for a connection, opening it included.',
      type: 'histogram',
      unit: 'seconds',
      labelNames: POOL,
      points: () => pools.map(({ name, wait }) => ({ labels: [name], histogram: wait })),
    },
    {
      name: 'db_connection_pool_timeouts_total',
      help: 'Callers who got no connection in time.',
      type: 'counter',
      labelNames: POOL,
      points: () => pools.map(({ name, timeouts }) => ({ labels: [name], value: timeouts })),
    },
  ];
}

function queryFamilies(queries: readonly QueryRecord[]): MetricFamily[] {
  return [
    {
      name: 'db_queries_total',
      help: 'Queries by what they do to which table.',
      type: 'counter',
      labelNames: [...QUERY, 'result'],
      points: () =>
        queries.flatMap(({ type, table, ok, errors }): MetricPoint[] => [
          { labels: [type, table, 'ok'], value: ok },
          { labels: [type, table, 'error'], value: errors },
        ]),
    },
    {
      name: 'db_query_duration_seconds',
      help: 'How long queries took, failed ones included.',
      type: 'histogram',
      unit: 'seconds',
      labelNames: QUERY,
      points: () => queries.map(({ type, table, duration }) => point(type, table, duration)),
    },
    {
      name: 'db_slow_queries_total',
      help: 'Queries that took longer than the threshold.',
      type: 'counter',
      labelNames: QUERY,
      points: () => queries.map(({ type, table, slow }) => ({ labels: [type, table], value: slow })),
    },
  ];
}

const point = (type: string, table: string, histogram: HistogramView): MetricPoint => ({
  labels: [type, table],
  histogram,
});
