import { describe, expect, it } from '@jest/globals';
import { DatabaseMetrics, databaseMetrics, observePool } from '../../../lib/database/index.js';
import { ManualClock } from '../../support/manual-clock.js';

const exposition = (metrics: DatabaseMetrics): Record<string, string[]> =>
  Object.fromEntries(
    [...metrics.families()].map(({ name, points }) => [
      name,
      [...points()].map(({ labels, value, histogram }) => `${labels.join(' ')}: ${value ?? histogram!.count}`),
    ]),
  );

describe('the figures of databases', () => {
  it('are exported under the names of the contract, and not at all before there is a pool or query', () => {
    const metrics = new DatabaseMetrics({ log: () => undefined });
    expect([...metrics.families()]).toEqual([]);
    metrics.pool('main', 'postgresql', () => ({ limit: 10, open: 4, idle: 1, pending: 2 })).add('acquired', 5);
    metrics.query('SELECT * FROM users', 'postgresql', true, 12);
    metrics.query('SELECT * FROM users', 'postgresql', false, 1_200);
    expect(exposition(metrics)).toEqual({
      db_connection_pool_size: ['main: 10'],
      db_connection_pool_available: ['main: 7'],
      db_connection_pool_in_use: ['main: 3'],
      db_connection_pool_idle: ['main: 1'],
      db_connection_pool_pending: ['main: 2'],
      db_connection_pool_utilization_ratio: ['main: 0.3'],
      db_connection_pool_wait_seconds: ['main: 1'],
      db_connection_pool_timeouts_total: ['main: 0'],
      db_queries_total: ['SELECT users ok: 1', 'SELECT users error: 1'],
      db_query_duration_seconds: ['SELECT users: 2'],
      db_slow_queries_total: ['SELECT users: 1'],
    });
  });

  it('keep tables apart up to a cap and count the others together', () => {
    const metrics = new DatabaseMetrics({ maxTables: 3 });
    for (let table = 0; table < 1_000; table++) metrics.query(`SELECT * FROM t${table}`, 'postgresql', true, 1);
    metrics.query('SELECT * FROM t1', 'postgresql', true, 1);
    expect(metrics.snapshot().queries.map(({ table, count }) => `${table} ${count}`)).toEqual([
      't0 1',
      't1 2',
      't2 1',
      '__other__ 997',
    ]);
  });

  it('keep pools apart up to a cap and add up the others', () => {
    const metrics = new DatabaseMetrics({ maxPools: 2 });
    for (let pool = 0; pool < 5; pool++) {
      metrics.pool(`p${pool}`, 'mysql', () => ({ limit: 2, open: 1, idle: 0, pending: 0 }));
    }
    expect(metrics.snapshot().pools.map(({ pool, size, inUse }) => [pool, size, inUse])).toEqual([
      ['p0', 2, 1],
      ['p1', 2, 1],
      ['__other__', 6, 3],
    ]);
  });

  it('keep a bounded number of slow statements, and log each shape once a minute with how many were not told', async () => {
    const clock = new ManualClock();
    const log: Record<string, unknown>[] = [];
    const metrics = new DatabaseMetrics({ clock, log: (_level, _code, _message, details) => log.push(details!) });
    const slow = (): void => metrics.query('SELECT * FROM users WHERE id = 1', 'postgresql', true, 1_500);
    slow();
    slow();
    slow();
    await clock.advance(60_000);
    slow();
    expect(log.map((line) => line.not_logged_since)).toEqual([0, 2]);
    for (let n = 0; n < 500; n++) metrics.query(`SELECT a${n} FROM users`, 'postgresql', true, 1_000);
    expect(metrics.snapshot().slowQueries).toHaveLength(50);
    expect(metrics.snapshot().queries[0]!.slow).toBe(504);
  });

  it('are frozen, and begin anew after a reset, while what is observed stays observed', () => {
    const metrics = new DatabaseMetrics({ log: () => undefined });
    const record = metrics.pool('main', 'mysql', () => ({ limit: 2, open: 2, idle: 1, pending: 0 }));
    record.add('timeout', 3);
    metrics.query('SELECT * FROM users', 'mysql', true, 5_000);
    expect(Object.isFrozen(metrics.snapshot().pools[0])).toBe(true);
    metrics.reset();
    metrics.query('SELECT * FROM users', 'mysql', true, 1);
    const { pools, queries, slowQueries } = metrics.snapshot();
    expect(pools).toEqual([expect.objectContaining({ pool: 'main', inUse: 1, timeouts: 0, p99WaitTimeMs: null })]);
    expect(queries).toEqual([expect.objectContaining({ count: 1, slow: 0, maxTimeMs: 1 })]);
    expect(slowQueries).toEqual([]);
  });

  it('are kept for the process unless it is said where', () => {
    const pool = {
      connect() {},
      query() {},
      end() {},
      on() {},
      totalCount: 1,
      idleCount: 1,
      waitingCount: 0,
      ended: false,
      options: { max: 4 },
    };
    observePool(pool, { name: 'of-the-process' });
    expect(databaseMetrics.snapshot().pools).toEqual([expect.objectContaining({ pool: 'of-the-process', size: 4 })]);
  });

  it('refuse a cap that is none, a pool without a name, and what is no pool', () => {
    expect(() => new DatabaseMetrics({ maxTables: 0 })).toThrow(expect.objectContaining({ code: 'INVALID_OPTIONS' }));
    expect(() => observePool({}, { name: 'main' })).toThrow(/neither a Pool of pg nor a pool of mysql2/);
    expect(() => observePool({}, { name: '' })).toThrow(/name is missing/);
  });
});
