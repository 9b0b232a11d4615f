import { describe, expect, it } from '@jest/globals';
import { inspect } from 'node:util';
import { Logger } from '@nestjs/common';
import { createObservedCache } from '../../../lib/wiring/create-observed-cache.js';
import { DatabaseMetrics, databaseMetrics, observePool } from '../../../lib/database/index.js';
import { ManualClock } from '../../support/manual-clock.js';

const exposition = (metrics: DatabaseMetrics): Record<string, string[]> =>
  Object.fromEntries(
    [...metrics.families()].map(({ name, points }) => [
      name,
      [...points()].map(({ labels, value, histogram }) => `${labels.join(' ')}: ${value ?? histogram!.count}`),
    ]),
  );

describe('database metrics', () => {
  it('database metrics are exported under the documented names, and only after a pool or query exists', () => {
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

  it('database metrics separate tables up to a cap and count the others together', () => {
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

  it('database metrics separate pools up to a cap and add up the others', () => {
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

  it('database metrics warn of busy pools, and of pools in which callers wait', () => {
    const metrics = new DatabaseMetrics();
    const pool = (name: string, open: number, pending: number) =>
      metrics.pool(name, 'postgresql', () => ({ limit: 20, open, idle: 0, pending }));
    pool('usual', 16, 0);
    pool('busy', 17, 0);
    pool('full', 20, 0);
    pool('waiting', 20, 3);
    pool('queue', 20, 1);
    expect(metrics.warnings().map(({ code, pool: name, value }) => [code, name, value])).toEqual([
      ['POOL_BUSY', 'busy', 0.85],
      ['POOL_BUSY', 'full', 1],
      ['POOL_EXHAUSTED', 'waiting', 1],
      ['POOL_EXHAUSTED', 'queue', 1],
    ]);
    expect(metrics.warnings().map(({ message }) => /\d+ callers? waits?/.exec(message)?.[0])).toEqual([
      undefined,
      undefined,
      '3 callers wait',
      '1 caller waits',
    ]);
  });

  it('warnings of pools become alerts if they last', async () => {
    const clock = new ManualClock();
    const metrics = new DatabaseMetrics({ clock });
    let pending = 1;
    metrics.pool('main', 'mysql', () => ({ limit: 10, open: 10, idle: 0, pending }));
    const cache = createObservedCache({ namespace: 'shop', clock });
    cache.metrics.addAlerts(() => metrics.warnings());
    const open = () => cache.insight.alerts().map(({ code, subject, severity }) => `${code} ${subject} ${severity}`);
    await clock.advance(2 * 60_000);
    expect(open()).toEqual([]);
    await clock.advance(60_000);
    expect(open()).toEqual(['POOL_EXHAUSTED main critical']);
    pending = 0;
    await clock.advance(20 * 60_000);
    expect(open()).toEqual(['POOL_BUSY main warning']);
    await cache.close(0);
  });

  it('database metrics keep a bounded number of slow statements, and log each shape once a minute with the number of omitted ones', async () => {
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

  it("slow statements are one line of text with their code in the log of Nest's console, and fields for other loggers", () => {
    const given: unknown[] = [];
    Logger.overrideLogger({
      log: () => undefined,
      error: () => undefined,
      warn: (entry: unknown) => given.push(entry),
    });
    try {
      new DatabaseMetrics().query('SELECT * FROM users WHERE id = 1', 'postgresql', true, 1_500);
    } finally {
      Logger.overrideLogger(false);
    }
    expect(given).toEqual([expect.objectContaining({ code: 'SLOW_QUERY', table: 'users', threshold_ms: 1_000 })]);
    expect(inspect(given[0])).toMatch(/^\[SLOW_QUERY\] Slow query: SELECT on users took 1500 ms\. shape=SELECT .*$/);
  });

  it('snapshots of database metrics are frozen, and begin anew after a reset, while observed pools stay observed', () => {
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

  it('database metrics are shared by the process by default', () => {
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

  it('database metrics refuse an invalid cap, a pool without a name, and an object that is not a pool', () => {
    expect(() => new DatabaseMetrics({ maxTables: 0 })).toThrow(expect.objectContaining({ code: 'INVALID_OPTIONS' }));
    expect(() => observePool({}, { name: 'main' })).toThrow(/neither a Pool of pg nor a pool of mysql2/);
    expect(() => observePool({}, { name: '' })).toThrow(/name is missing/);
  });
});
