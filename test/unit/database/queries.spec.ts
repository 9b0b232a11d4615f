import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { EventEmitter } from 'node:events';
import { PGlite } from '@electric-sql/pglite';
import pg from 'pg';
import { DataSource, EntitySchema } from 'typeorm';
import { DatabaseMetrics, observeQueries, prismaQueries } from '../../../lib/database/index.js';
import { PostgresServer } from '../../support/postgres.js';

let server: PostgresServer;
beforeAll(async () => {
  server = await PostgresServer.start();
  const client = new pg.Client(server.connection);
  await client.connect();
  await client.query('CREATE TABLE orders (id serial PRIMARY KEY, note text)');
  await client.end();
}, 60_000);
afterAll(() => server.stop());

let metrics: DatabaseMetrics;
const closers: (() => unknown)[] = [];
beforeEach(() => {
  metrics = new DatabaseMetrics();
});
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});
const queries = () =>
  metrics
    .snapshot()
    .queries.map(({ queryType, table, count, errors }) => `${queryType} ${table} ${count} ${errors}`)
    .sort();

describe('observed queries of pg', () => {
  const connected = async (): Promise<pg.Client> => {
    const client = new pg.Client(server.connection);
    await client.connect();
    closers.push(() => client.end());
    return client;
  };

  it('pg queries are all counted, through the pool, its earlier and its later clients', async () => {
    const pool = new pg.Pool({ ...server.connection, max: 2 });
    closers.push(() => pool.end());
    const before = await pool.connect();
    expect(observeQueries(pool, { metrics })).toBe(pool);
    observeQueries(pool, { metrics });
    await before.query('SELECT * FROM orders');
    await pool.query('INSERT INTO orders (note) VALUES ($1)', ['hunter2']);
    before.release();
    await pool.query('SELECT 1');
    expect(queries()).toEqual(['INSERT orders 1 0', 'SELECT __none__ 1 0', 'SELECT orders 1 0']);
  });

  it('pg queries return the same by promise and by each kind of callback, and reject with the same errors', async () => {
    const client = observeQueries(await connected(), { metrics });
    const byCallback = (...args: unknown[]): Promise<unknown> =>
      new Promise((resolve) => {
        const callback = (error: unknown, result: pg.QueryResult): void => resolve(error ?? result.rows);
        const [config] = args;
        if (args[1] === 'config') (client.query as any)({ ...(config as object), callback });
        else expect((client.query as any)(...args, callback)).toBeUndefined();
      });
    expect((await client.query('SELECT 1 AS a FROM orders WHERE false')).rows).toEqual([]);
    expect(await byCallback('SELECT 1 AS a')).toEqual([{ a: 1 }]);
    expect(await byCallback('SELECT $1::int AS a', [2])).toEqual([{ a: 2 }]);
    expect(await byCallback({ text: 'SELECT $1::int AS a', values: [3] })).toEqual([{ a: 3 }]);
    expect(await byCallback({ text: 'SELECT 4 AS a' }, 'config')).toEqual([{ a: 4 }]);
    expect(await byCallback('SELECT * FROM missing')).toMatchObject({ code: '42P01' });
    await expect(client.query('SELECT * FROM missing')).rejects.toMatchObject({ code: '42P01' });
    expect(() => client.query(undefined as never)).toThrow(TypeError);
    expect(queries()).toEqual(['SELECT __none__ 4 0', 'SELECT missing 2 2', 'SELECT orders 1 0']);
  });

  it('pg queries are recognised as named prepared statements, and if the text is a getter', async () => {
    const client = observeQueries(await connected(), { metrics });
    await client.query({ name: 'by-id', text: 'SELECT * FROM orders WHERE id = $1', values: [1] });
    await client.query({ name: 'by-id', values: [2] } as never);
    class Statement {
      values = [3];
      get text(): string {
        return 'SELECT note FROM orders WHERE id = $1';
      }
    }
    await client.query(new Statement());
    expect(queries()).toEqual(['SELECT orders 3 0']);
  });

  it('pg queries are measured as query objects until they end', async () => {
    const client = observeQueries(await connected(), { metrics });
    const rows: unknown[] = [];
    const query = new pg.Query(
      'SELECT generate_series(1, 3) AS n FROM orders RIGHT JOIN (SELECT 1) one ON true' as never,
    ) as any;
    expect(client.query(query)).toBe(query);
    query.on('row', (row: unknown) => rows.push(row));
    await new Promise((resolve) => query.on('end', resolve));
    const failing = new pg.Query('SELECT * FROM missing' as never) as any;
    const error = new Promise((resolve) => failing.on('error', resolve));
    client.query(failing);
    expect(rows).toHaveLength(3);
    expect(await error).toMatchObject({ code: '42P01' });
    expect(queries()).toEqual(['SELECT missing 1 1', 'SELECT orders 1 0']);
  });

  it('pg queries are classified as batches, table expressions and moves between tables', async () => {
    const client = observeQueries(await connected(), { metrics });
    await client.query('BEGIN; UPDATE orders SET note = note; COMMIT');
    await client.query('WITH o AS (SELECT * FROM orders) SELECT count(*) FROM o');
    await client.query('INSERT INTO orders (note) SELECT relname FROM pg_class LIMIT 1');
    await client.query('DELETE FROM orders USING pg_class WHERE false');
    expect(queries()).toEqual(['BATCH orders 1 0', 'DELETE orders 1 0', 'INSERT orders 1 0', 'SELECT orders 1 0']);
  });

  it('slow pg queries are logged by shape once a minute, and counted each time', async () => {
    const log: unknown[] = [];
    metrics = new DatabaseMetrics({ log: (...line) => log.push(line) });
    const client = observeQueries(await connected(), { metrics, slowThreshold: '500ms' });
    await client.query("SELECT pg_sleep(0.6), 'hunter2' /* hunter2 */ FROM pg_class LIMIT 1");
    await client.query("SELECT pg_sleep(0.6), 'hunter3' FROM pg_class LIMIT 1");
    await client.query('SELECT 1');
    const shape = 'SELECT pg_sleep(?), ? FROM pg_class LIMIT ?';
    expect(metrics.snapshot().slowQueries).toEqual([expect.objectContaining({ shape, table: 'pg_class', count: 2 })]);
    expect(metrics.snapshot().queries.map(({ slow }) => slow)).toEqual([2, 0]);
    expect(log).toEqual([
      ['warn', 'SLOW_QUERY', expect.any(String), expect.objectContaining({ shape, threshold_ms: 500 })],
    ]);
    expect(
      JSON.stringify([log, metrics.snapshot(), [...metrics.families()].map((family) => [...family.points()])]),
    ).not.toMatch(/hunter/);
  });

  it('pg queries return normally if the slow-query log throws', async () => {
    metrics = new DatabaseMetrics({
      slowThreshold: 0,
      log: () => {
        throw new Error('disk full');
      },
    });
    const client = observeQueries(await connected(), { metrics });
    expect((await client.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
    expect(queries()).toEqual(['SELECT __none__ 1 0']);
  });
});

describe('observed queries of other libraries', () => {
  it('queries of PGlite are counted, inside its transactions and templates too', async () => {
    const database = new PGlite();
    await database.waitReady;
    closers.push(() => database.close());
    metrics = new DatabaseMetrics({ slowThreshold: 0, log: () => undefined });
    expect(observeQueries(database, { metrics, explain: true })).toBe(database);
    await database.exec('CREATE TABLE orders (id serial, note text)');
    await database.query('INSERT INTO orders (note) VALUES ($1)', ['a']);
    await database.sql`INSERT INTO orders (note) VALUES (${'b'})`;
    const total = await database.transaction(async (tx) => {
      await tx.sql`UPDATE orders SET note = ${'c'}`;
      return (await tx.query<{ n: number }>('SELECT count(*)::int AS n FROM orders')).rows[0]!.n;
    });
    await expect(database.query('SELECT * FROM missing')).rejects.toThrow('missing');
    expect(total).toBe(2);
    expect(queries()).toEqual([
      'CREATE orders 1 0',
      'INSERT orders 2 0',
      'SELECT missing 1 1',
      'SELECT orders 1 0',
      'UPDATE orders 1 0',
    ]);
    // Slow statements can be planned, each in a separate transaction.
    expect((await metrics.plan('SELECT count(*)::int AS n FROM orders')).plan).toContain('Seq Scan on orders');
    expect((await metrics.plan('INSERT INTO orders (note) VALUES (?)')).plan).toContain('Insert on orders');
    expect((await database.query<{ n: number }>('SELECT count(*)::int AS n FROM orders')).rows).toEqual([{ n: 2 }]);
  });

  it('queries of TypeORM are counted, also when observed before it is initialised, and after a second initialisation', async () => {
    const Order = new EntitySchema<{ id: number; note: string }>({
      name: 'Order',
      tableName: 'orders',
      columns: { id: { type: 'int', primary: true, generated: true }, note: { type: 'text' } },
    });
    const { host, port, user, database } = server.connection;
    const dataSource = new DataSource({ type: 'postgres', host, port, username: user, database, entities: [Order] });
    expect(observeQueries(dataSource, { metrics })).toBe(dataSource);
    expect(await dataSource.initialize()).toBe(dataSource);
    observeQueries(dataSource, { metrics });
    const orders = dataSource.getRepository(Order);
    await orders.find({ where: { note: 'hunter2' } });
    await orders.save({ note: 'x' });
    await expect(dataSource.query('SELECT * FROM missing')).rejects.toThrow('missing');
    await dataSource.destroy();
    await dataSource.initialize();
    closers.push(() => dataSource.destroy());
    await orders.count();
    expect(queries()).toEqual([
      expect.stringMatching(/^BEGIN __none__ /),
      expect.stringMatching(/^COMMIT __none__ /),
      'INSERT orders 1 0',
      'SELECT missing 1 1',
      'SELECT orders 2 0',
    ]);
    expect(metrics.snapshot().queries.find(({ table }) => table === 'missing')!.maxTimeMs).toBeGreaterThan(0);
  });

  it('queries of Prisma are counted by its query event', () => {
    const emitter = new EventEmitter();
    const client = { $on: emitter.on.bind(emitter), $extends: () => undefined, _activeProvider: 'postgresql' };
    expect(observeQueries(client, { metrics })).toBe(client);
    emitter.emit('query', {
      query: 'SELECT "public"."User"."id" FROM "public"."User" WHERE 1=1',
      params: '[]',
      duration: 3,
    });
    expect(queries()).toEqual(['SELECT User 1 0']);
    expect(metrics.snapshot().queries[0]!.avgTimeMs).toBe(3);
  });

  it('queries of Prisma are counted by an extension, failures too, and raw queries by their text', async () => {
    const { query } = prismaQueries({ metrics });
    const run = (
      operation: string,
      model: string | undefined,
      args: unknown,
      answer: Promise<unknown>,
    ): Promise<unknown> => query.$allOperations({ operation, model, args, query: () => answer });
    expect(await run('findMany', 'User', {}, Promise.resolve([1]))).toEqual([1]);
    await run('upsert', 'User', {}, Promise.resolve());
    await expect(run('create', 'Order', {}, Promise.reject(new Error('P2002')))).rejects.toThrow('P2002');
    await run(
      '$queryRaw',
      undefined,
      { strings: ['SELECT * FROM carts WHERE id = ', ''], values: [1] },
      Promise.resolve(),
    );
    await run('$executeRawUnsafe', undefined, ['DELETE FROM carts WHERE id = $1', 1], Promise.resolve());
    expect(queries()).toEqual([
      'DELETE carts 1 0',
      'INSERT Order 1 1',
      'MERGE User 1 0',
      'SELECT User 1 0',
      'SELECT carts 1 0',
    ]);
  });

  it('queries of any object with a query method are counted; other objects are refused', async () => {
    const target = { query: async (text: string) => text };
    observeQueries(target, { metrics, dialect: 'sqlite' });
    expect(await target.query('SELECT * FROM orders')).toBe('SELECT * FROM orders');
    expect(queries()).toEqual(['SELECT orders 1 0']);
    expect(() => observeQueries({}, { metrics })).toThrow(expect.objectContaining({ code: 'INVALID_OPTIONS' }));
  });
});
