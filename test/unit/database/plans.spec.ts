import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import mysql from 'mysql2';
import mysqlPromise from 'mysql2/promise';
import pg from 'pg';
import { DataSource } from 'typeorm';
import { DatabaseMetrics, observeQueries } from '../../../lib/database/index.js';
import { plannedStatement } from '../../../lib/database/plans/planned-statement.js';
import { MariadbServer } from '../../support/mariadb.js';
import { PostgresServer } from '../../support/postgres.js';

let metrics: DatabaseMetrics;
beforeEach(() => {
  metrics = new DatabaseMetrics({ slowThreshold: 0, log: () => undefined });
});
const shapes = () => metrics.snapshot().slowQueries.map(({ shape }) => shape);
const counted = () => metrics.snapshot().queries.reduce((all, { count }) => all + count, 0);
const options = () => ({ metrics, explain: true });

describe('the plan of a slow statement of PostgreSQL', () => {
  let server: PostgresServer;
  let pool: pg.Pool;
  beforeAll(async () => {
    server = await PostgresServer.start();
    pool = new pg.Pool({ ...server.connection, max: 2 });
    await pool.query('CREATE TABLE orders (id serial PRIMARY KEY, note text)');
    await pool.query("INSERT INTO orders (note) SELECT 'note ' || n FROM generate_series(1, 1000) n");
  }, 60_000);
  afterAll(async () => {
    await pool.end();
    await server.stop();
  });

  it('a plan of PostgreSQL is made for any values, shows none, and runs nothing', async () => {
    const own = observeQueries(new pg.Pool({ ...server.connection, max: 2 }), options());
    await own.query("SELECT * FROM orders WHERE note = 'hunter2' AND id > $1 ORDER BY id LIMIT 5", [3]);
    await own.query("DELETE FROM orders WHERE note = 'hunter2'");
    await own.query('INSERT INTO orders (note) SELECT note FROM orders WHERE id = 7001');
    const before = counted();
    for (const shape of shapes()) {
      const plan = await metrics.plan(shape);
      expect(plan).toMatchObject({ shape, table: 'orders', dialect: 'postgresql', values: 'generic' });
      expect(plan.plan).toContain('orders');
      expect(plan.plan).not.toMatch(/hunter2|7001/);
    }
    const select = shapes().find((shape) => shape.startsWith('SELECT'))!;
    expect((await metrics.plan(select)).plan).toMatch(/Filter: \(note = \$\d\)/);
    expect(counted()).toBe(before);
    expect((await own.query('SELECT count(*)::int AS n FROM orders')).rows).toEqual([{ n: 1000 }]);
    // Every connection was given back, outside of a transaction.
    expect([own.totalCount - own.idleCount, own.waitingCount]).toEqual([0, 0]);
    await own.end();
  });

  it('a plan of PostgreSQL leaves nothing on the connection, also if the statement cannot be planned', async () => {
    const own = observeQueries(new pg.Pool({ ...server.connection, max: 1 }), options());
    await own.query("SELECT now() - INTERVAL '1 day'");
    await own.query("SELECT 1 FROM orders WHERE note = 'x'");
    const [unplannable, plannable] = ['now', 'FROM'].map((word) => shapes().find((shape) => shape.includes(word))!);
    await expect(metrics.plan(unplannable!)).rejects.toMatchObject({
      code: 'PLAN_UNAVAILABLE',
      message: expect.stringContaining('42601'),
    });
    await metrics.plan(plannable!);
    const { rows } = await own.query(
      "SELECT current_setting('transaction_read_only') AS read_only, current_setting('statement_timeout') AS timeout, (SELECT count(*)::int FROM pg_prepared_statements) AS prepared",
    );
    expect(rows).toEqual([{ read_only: 'off', timeout: '0', prepared: 0 }]);
    await own.end();
  });

  it('a plan of PostgreSQL can be requested through a DataSource of TypeORM', async () => {
    const source = observeQueries(
      new DataSource({
        type: 'postgres',
        host: '127.0.0.1',
        port: server.port,
        username: 'postgres',
        database: 'postgres',
      }),
      options(),
    );
    await source.initialize();
    await source.query('SELECT * FROM orders WHERE id = $1', [1]);
    expect((await metrics.plan(shapes()[0]!)).plan).toContain('orders_pkey');
    await source.destroy();
  });

  it('a plan is refused if plans are off, the shape is unknown, or the database is unreachable', async () => {
    const own = observeQueries(new pg.Pool({ ...server.connection, max: 1 }), { metrics });
    await own.query('SELECT * FROM orders');
    await expect(metrics.plan('SELECT * FROM orders')).rejects.toMatchObject({ code: 'PLANS_OFF' });
    await expect(metrics.plan('DROP TABLE orders')).rejects.toMatchObject({ code: 'UNKNOWN_SHAPE' });
    await own.end();
    const away = observeQueries(new pg.Pool({ host: '127.0.0.1', port: 1 }), options());
    await away.query('SELECT * FROM orders').catch(() => undefined);
    metrics.query('SELECT 2 FROM orders', 'postgresql', true, 1, 0, () => away.connect() as never);
    await expect(metrics.plan('SELECT ? FROM orders')).rejects.toMatchObject({
      code: 'PLAN_UNAVAILABLE',
      message: expect.stringContaining('ECONNREFUSED'),
    });
    await away.end();
  });

  it('a plan needs a target that can open a separate connection', () => {
    const client = new pg.Client(server.connection);
    expect(() => observeQueries(client, options())).toThrow(/explain needs a pool/);
  });
});

describe('the plan of a slow statement of MariaDB', () => {
  let server: MariadbServer;
  beforeAll(async () => {
    server = await MariadbServer.start();
    const connection = await mysqlPromise.createConnection(server.connection);
    await connection.query('CREATE DATABASE shop');
    await connection.query(
      'CREATE TABLE shop.orders (id int PRIMARY KEY AUTO_INCREMENT, note varchar(50), KEY (note))',
    );
    await connection.query("INSERT INTO shop.orders (note) VALUES ('a'), ('b'), ('c')");
    await connection.end();
  }, 90_000);
  afterAll(() => server.stop());

  it.each(['callbacks', 'promises'])(
    'a plan of MariaDB is made with assumed values, and runs nothing (%s)',
    async (flavour) => {
      const pool = mysql.createPool({ ...server.connection, database: 'shop', connectionLimit: 2 });
      const target =
        flavour === 'callbacks' ? pool : mysqlPromise.createPool({ ...server.connection, database: 'shop' });
      observeQueries(target, options());
      const ask = flavour === 'callbacks' ? pool.promise() : (target as mysqlPromise.Pool);
      await ask.query("SELECT * FROM orders WHERE note > 'hunter2' AND id > ? LIMIT 5", [3]);
      await ask.query("DELETE FROM orders WHERE note = 'hunter2'");
      const before = counted();
      const plans = [];
      for (const shape of shapes()) plans.push(await metrics.plan(shape));
      expect(plans).toHaveLength(2);
      for (const { plan, values, table } of plans) {
        expect([values, table]).toEqual(['assumed', 'orders']);
        expect(JSON.parse(plan)).toHaveProperty('query_block');
        expect(plan).toContain('orders');
        expect(plan).not.toContain('hunter2');
      }
      expect(counted()).toBe(before);
      await Promise.all([ask.end(), flavour === 'promises' ? pool.promise().end() : undefined]);
    },
  );
});

describe('a shape', () => {
  it.each([
    ['several statements', 'SELECT ?; DROP TABLE orders', 'postgresql'],
    ['a withheld text', '(text withheld)', 'postgresql'],
    ['a cut text', 'SELECT a, b, …', 'postgresql'],
    ['a definition', 'CREATE TABLE orders (id int)', 'postgresql'],
    ['a plan itself', 'EXPLAIN ANALYZE DELETE FROM orders', 'postgresql'],
    ['a call', 'CALL pay(?)', 'mysql'],
    ['an analysis that runs', 'ANALYZE SELECT ?', 'mysql'],
    ['another connection', 'FOR CONNECTION ?', 'mysql'],
    ['nothing', '', 'mysql'],
  ] as const)('a shape has no plan if it is %s', (_name, shape, dialect) => {
    expect(plannedStatement(shape, dialect)).toBeUndefined();
  });

  it('a shape has parameters for its values, the same parameter for equal values', () => {
    expect(plannedStatement('SELECT * FROM a WHERE b = $2 AND c IN (?) AND d = $2 LIMIT ?', 'postgresql')).toEqual({
      sql: 'SELECT * FROM a WHERE b = $1 AND c IN ($2) AND d = $1 LIMIT $3',
      parameters: 3,
    });
    expect(plannedStatement('SELECT * FROM a WHERE b = ? LIMIT ?', 'mysql')?.sql).toBe(
      'SELECT * FROM a WHERE b = 1 LIMIT 1',
    );
  });
});
