import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import mysql from 'mysql2';
import mysqlPromise from 'mysql2/promise';
import { DataSource } from 'typeorm';
import { DatabaseMetrics, observePool, observeQueries } from '../../../lib/database/index.js';
import { MariadbServer } from '../../support/mariadb.js';
import { eventually, freePort } from '../../support/redis.js';

let server: MariadbServer;
beforeAll(async () => {
  server = await MariadbServer.start();
  const connection = await mysqlPromise.createConnection(server.connection);
  await connection.query('CREATE DATABASE shop');
  await connection.query('CREATE TABLE shop.orders (id int PRIMARY KEY AUTO_INCREMENT, note varchar(50))');
  await connection.end();
}, 90_000);
afterAll(() => server.stop());

let metrics: DatabaseMetrics;
const closers: (() => unknown)[] = [];
beforeEach(() => {
  metrics = new DatabaseMetrics();
});
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

const callbackPool = (options: mysql.PoolOptions = {}): mysql.Pool => {
  const pool = mysql.createPool({ ...server.connection, database: 'shop', connectionLimit: 2, ...options });
  closers.push(() => new Promise((resolve) => pool.end(resolve)));
  return pool;
};
const promisePool = (options: mysql.PoolOptions = {}): mysqlPromise.Pool => {
  const pool = mysqlPromise.createPool({ ...server.connection, database: 'shop', connectionLimit: 2, ...options });
  closers.push(() => pool.end());
  return pool;
};
const main = () => metrics.snapshot().pools[0]!;
const queries = () =>
  metrics
    .snapshot()
    .queries.map(({ queryType, table, count, errors }) => `${queryType} ${table} ${count} ${errors}`)
    .sort();

describe('an observed pool of mysql2', () => {
  it('an observed mysql2 pool is the same pool in both flavours, and is observed once', async () => {
    const pool = callbackPool();
    const keys = Object.keys(pool);
    expect(observePool(pool, { name: 'main', metrics })).toBe(pool);
    expect(Object.keys(pool)).toEqual(keys);
    const promised = pool.promise();
    expect(observePool(promised, { name: 'again', metrics })).toBe(promised);
    await promised.query('SELECT 1');
    expect(metrics.snapshot().pools).toEqual([expect.objectContaining({ pool: 'main', system: 'mysql', acquired: 1 })]);
  });

  it('an observed mysql2 pool reports its size, available, used and requested connections, and how long callers waited', async () => {
    const pool = observePool(promisePool(), { name: 'main', metrics });
    expect(main()).toMatchObject({ size: 2, available: 2, inUse: 0, idle: 0 });
    const first = await pool.getConnection();
    expect(main()).toMatchObject({ size: 2, available: 1, inUse: 1, utilization: 0.5 });
    const second = await pool.getConnection();
    const third = pool.getConnection();
    expect(main()).toMatchObject({ available: 0, inUse: 2, pending: 1, utilization: 1 });
    await new Promise((resolve) => setTimeout(resolve, 40));
    first.release();
    (await third).release();
    second.release();
    expect(main()).toMatchObject({ available: 2, inUse: 0, idle: 2, pending: 0, acquired: 3 });
    expect(main().maxWaitTimeMs).toBeGreaterThan(30);
  });

  it("the pool of TypeORM's DataSource is observed once the DataSource is initialized, and no cluster", async () => {
    const { host, port, user: username } = server.connection;
    const source = await new DataSource({ type: 'mysql', host, port, username, database: 'shop', poolSize: 3 }).initialize(); // prettier-ignore
    closers.push(() => source.destroy());
    const { pool } = source.driver as unknown as { pool: object };
    observePool(pool, { name: 'main', metrics });
    await source.query('SELECT 1');
    expect(main()).toMatchObject({ pool: 'main', size: 3, acquired: 1 });
    const cluster = mysql.createPoolCluster();
    closers.push(() => cluster.end());
    expect(() => observePool(cluster, { name: 'all', metrics })).toThrow('neither a Pool of pg nor a pool of mysql2');
  });

  it('an observed mysql2 pool counts refusals as timeouts and unreachable servers as errors', async () => {
    const pool = observePool(promisePool({ connectionLimit: 1, queueLimit: 1 }), { name: 'main', metrics });
    const held = await pool.getConnection();
    const queued = pool.getConnection();
    await expect(pool.getConnection()).rejects.toThrow('Queue limit reached.');
    held.release();
    (await queued).release();
    expect(main()).toMatchObject({ timeouts: 1, errors: 0, acquired: 2 });

    const gone = observePool(promisePool({ port: await freePort() }), { name: 'gone', metrics });
    await expect(gone.query('SELECT 1')).rejects.toThrow('ECONNREFUSED');
    expect(metrics.snapshot().pools[1]).toMatchObject({ pool: 'gone', timeouts: 0, errors: 1 });
  });

  it('an observed mysql2 pool counts a caller once if its promised connection failed before it was ready', async () => {
    const pool = observePool(promisePool({ connectionLimit: 1 }), { name: 'main', metrics });
    const held = await pool.getConnection();
    const waiting = pool.getConnection();
    held.destroy();
    (await waiting).release();
    expect(main()).toMatchObject({ acquired: 2, errors: 0, pending: 0 });
  });

  it('an observed mysql2 pool keeps callbacks, events and errors', async () => {
    const pool = observePool(callbackPool(), { name: 'main', metrics });
    const events: string[] = [];
    for (const event of ['connection', 'acquire', 'release', 'enqueue'] as const) {
      pool.on(event as 'acquire', () => events.push(event));
    }
    const rows = await new Promise((resolve) =>
      pool.query('SELECT 1 AS one', (_error: unknown, got: unknown) => resolve(got)),
    );
    expect(rows).toEqual([{ one: 1 }]);
    const error = await new Promise((resolve) => pool.query('SELECT nonsense', resolve));
    expect(error).toMatchObject({ code: 'ER_BAD_FIELD_ERROR' });
    const connection = await new Promise<mysql.PoolConnection>((resolve, reject) =>
      pool.getConnection((failed, got) => (failed ? reject(failed) : resolve(got))),
    );
    pool.releaseConnection(connection);
    await eventually(() => events.length === 7, 'all events are emitted');
    expect(events).toEqual(['connection', 'acquire', 'release', 'acquire', 'release', 'acquire', 'release']);
  });

  it('an observed mysql2 pool counts as empty after it has ended', async () => {
    const pool = observePool(mysqlPromise.createPool(server.connection), { name: 'main', metrics });
    await pool.query('SELECT 1');
    await pool.end();
    expect(main()).toMatchObject({ size: 0, inUse: 0, acquired: 1 });
    await expect(pool.getConnection()).rejects.toThrow('Pool is closed.');
  });
});

describe('observed queries of mysql2', () => {
  it('mysql2 queries are counted by type and table, in both flavours, formatted or prepared', async () => {
    const pool = observeQueries(callbackPool(), { metrics });
    const promised = pool.promise();
    await promised.query('INSERT INTO orders (note) VALUES (?)', ['hunter2']);
    await promised.query('INSERT INTO `shop`.`orders` (note) VALUES ?', [[['a'], ['b']]]);
    await promised.execute('SELECT * FROM orders WHERE id = ?', [1]);
    await new Promise((resolve) => pool.execute('SELECT * FROM orders WHERE id = ?', [2], resolve));
    await new Promise((resolve) => pool.query({ sql: 'UPDATE orders SET note = ?' }, ['x'], resolve));
    await expect(promised.query('SELECT * FROM missing')).rejects.toMatchObject({ code: 'ER_NO_SUCH_TABLE' });
    await expect(promised.execute('SELECT * FROM missing')).rejects.toMatchObject({ code: 'ER_NO_SUCH_TABLE' });
    expect(queries()).toEqual(['INSERT orders 2 0', 'SELECT missing 2 2', 'SELECT orders 2 0', 'UPDATE orders 1 0']);
  });

  it('mysql2 queries are counted for a connection, its prepared statements, and connections that the pool had before', async () => {
    const pool = promisePool({ connectionLimit: 1 });
    await pool.query('SELECT * FROM orders');
    observeQueries(pool, { metrics });
    const connection = await pool.getConnection();
    const statement = await connection.prepare('SELECT * FROM orders WHERE id = ?');
    await statement.execute([1]);
    await statement.execute([2]);
    await statement.close();
    await connection.beginTransaction();
    await connection.rollback();
    connection.release();
    expect(queries()).toEqual(['BEGIN __none__ 1 0', 'ROLLBACK __none__ 1 0', 'SELECT orders 2 0']);
  });

  it('mysql2 queries without a callback still emit rows and errors as events', async () => {
    const connection = mysql.createConnection({ ...server.connection, database: 'shop' });
    closers.push(() => new Promise((resolve) => connection.end(resolve)));
    expect(observeQueries(connection, { metrics })).toBe(connection);
    const rows: unknown[] = [];
    await new Promise((resolve) =>
      connection
        .query('SELECT 1 AS one')
        .on('result', (row) => rows.push(row))
        .on('end', resolve),
    );
    const error = await new Promise((resolve) => connection.query('SELECT * FROM missing').on('error', resolve));
    expect(rows).toEqual([{ one: 1 }]);
    expect(error).toMatchObject({ code: 'ER_NO_SUCH_TABLE' });
    expect(queries()).toEqual(['SELECT __none__ 1 0', 'SELECT missing 1 1']);
  });

  it('slow mysql2 queries are reported without their values', async () => {
    const log: unknown[] = [];
    metrics = new DatabaseMetrics({ slowThreshold: 20, log: (...line) => log.push(line) });
    const pool = observeQueries(promisePool(), { metrics });
    await pool.query('SELECT sleep(?), "hunter2" FROM orders LIMIT 1 # hunter2', [0.03]);
    const output = JSON.stringify([log, metrics.snapshot().slowQueries]);
    expect(metrics.snapshot().slowQueries).toEqual([
      expect.objectContaining({
        queryType: 'SELECT',
        table: 'orders',
        shape: 'SELECT sleep(?), ? FROM orders LIMIT ?',
        count: 1,
      }),
    ]);
    expect(log).toHaveLength(1);
    expect(output).not.toContain('hunter2');
  });

  it('mysql2 statements are read without their values, unless names were inserted', async () => {
    metrics = new DatabaseMetrics({ slowThreshold: 0, log: () => undefined });
    const pool = observeQueries(promisePool(), { metrics });
    await pool.query('UPDATE orders SET ? WHERE id = ?', [{ note: 'hunter2' }, 1]);
    await pool.query('SELECT ?? FROM ??', ['note', 'orders']);
    expect(metrics.snapshot().slowQueries.map(({ shape, table }) => `${table}: ${shape}`)).toEqual(
      expect.arrayContaining(['orders: UPDATE orders SET ? WHERE id = ?', 'orders: SELECT `note` FROM `orders`']),
    );
  });

  it('mysql2 queries that outlive their connection are counted as failed', async () => {
    const pool = observeQueries(promisePool(), { metrics });
    const connection = await pool.getConnection();
    const [[{ id }]] = (await connection.query('SELECT connection_id() AS id')) as unknown as [[{ id: number }]];
    const sleeping = connection.query('SELECT sleep(10) FROM orders').catch((error: unknown) => error);
    await pool.query('KILL ?', [id]);
    expect(await sleeping).toBeInstanceOf(Error);
    connection.destroy();
    expect(queries()).toContain('SELECT orders 1 1');
  });
});
