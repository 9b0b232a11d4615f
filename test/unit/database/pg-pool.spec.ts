import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { DatabaseMetrics, observePool } from '../../../lib/database/index.js';
import { PostgresServer } from '../../support/postgres.js';
import { eventually, freePort } from '../../support/redis.js';

let server: PostgresServer;
beforeAll(async () => (server = await PostgresServer.start()), 60_000);
afterAll(() => server.stop());

describe('an observed pool of pg', () => {
  let metrics: DatabaseMetrics;
  let pool: pg.Pool;
  const made: pg.Pool[] = [];
  const makePool = (options: pg.PoolConfig = {}): pg.Pool => {
    const one = new pg.Pool({ ...server.connection, max: 2, ...options });
    made.push(one);
    return one;
  };
  const main = () => metrics.snapshot().pools[0]!;

  beforeEach(() => {
    metrics = new DatabaseMetrics();
    pool = observePool(makePool(), { name: 'main', metrics });
  });
  afterEach(async () => {
    await Promise.all(made.splice(0).map((one) => (one.ending ? undefined : one.end())));
  });

  it('an observed pg pool is the same pool, still a Pool, without new visible properties', () => {
    const plain = makePool();
    const keys = Object.keys(plain);
    expect(observePool(plain, { name: 'x', metrics })).toBe(plain);
    expect(plain).toBeInstanceOf(pg.Pool);
    expect(Object.keys(plain)).toEqual(keys);
    expect(plain.connect).toHaveLength(pg.Pool.prototype.connect.length);
    expect(plain.connect.name).toBe('connect');
  });

  it('an observed pg pool reports its size, available, used and requested connections, and its utilisation', async () => {
    expect(main()).toMatchObject({ pool: 'main', system: 'postgresql', size: 2, available: 2, inUse: 0, pending: 0 });
    const first = await pool.connect();
    expect(main()).toMatchObject({ size: 2, available: 1, inUse: 1, idle: 0, utilization: 0.5 });
    const second = await pool.connect();
    const third = pool.connect();
    expect(main()).toMatchObject({ available: 0, inUse: 2, pending: 1, utilization: 1 });
    first.release();
    (await third).release();
    second.release();
    expect(main()).toMatchObject({ available: 2, inUse: 0, idle: 2, pending: 0, utilization: 0, acquired: 3 });
  });

  it('an observed pg pool measures how long callers waited', async () => {
    const held = [await pool.connect(), await pool.connect()];
    const waiting = pool.connect();
    await new Promise((resolve) => setTimeout(resolve, 60));
    held.forEach((client) => client.release());
    (await waiting).release();
    expect(main().maxWaitTimeMs).toBeGreaterThan(50);
    expect(main().p50WaitTimeMs).toBeLessThan(main().maxWaitTimeMs!);
  });

  it('an observed pg pool counts callers that timed out separately from unreachable servers', async () => {
    // Long enough for a first connection on a busy machine.
    const short = observePool(makePool({ max: 1, connectionTimeoutMillis: 500 }), { name: 'short', metrics });
    const held = await short.connect();
    await expect(short.connect()).rejects.toThrow('timeout exceeded');
    await expect(short.query('SELECT 1')).rejects.toThrow('timeout exceeded');
    held.release();
    const gone = observePool(makePool({ port: await freePort() }), { name: 'gone', metrics });
    await expect(gone.connect()).rejects.toThrow('ECONNREFUSED');
    const of = (name: string) => metrics.snapshot().pools.find((one) => one.pool === name)!;
    expect(of('short')).toMatchObject({ timeouts: 2, errors: 0, acquired: 1 });
    expect(of('gone')).toMatchObject({ timeouts: 0, errors: 1, acquired: 0, inUse: 0 });
  });

  it('an observed pg pool keeps the callback forms of connect and query with their arguments', async () => {
    const answer = await new Promise<unknown[]>((resolve) => {
      const returned = pool.connect((...got: unknown[]) => resolve([returned, ...got])) as unknown;
    });
    const [returned, error, client, release] = answer as [unknown, unknown, pg.PoolClient, () => void];
    expect([returned, error]).toEqual([undefined, undefined]);
    expect(await client.query('SELECT 1 AS one')).toMatchObject({ rows: [{ one: 1 }] });
    release();
    expect(() => release()).toThrow('already been released');
    const rows = await new Promise((resolve, reject) =>
      pool.query('SELECT $1::int AS one', [1], (failed, result) => (failed ? reject(failed) : resolve(result.rows))),
    );
    expect(rows).toEqual([{ one: 1 }]);
    expect(main().acquired).toBe(2);
  });

  it('an observed pg pool keeps the promise forms and rejects with the same error', async () => {
    expect((await pool.query('SELECT 2 AS two')).rows).toEqual([{ two: 2 }]);
    await expect(pool.query('SELECT nonsense')).rejects.toMatchObject({ code: '42703' });
    await pool.end();
    await expect(pool.connect()).rejects.toThrow('after calling end');
    await expect(pool.end()).rejects.toThrow('more than once');
  });

  it('an observed pg pool keeps its events', async () => {
    const events: string[] = [];
    for (const event of ['connect', 'acquire', 'release', 'remove'] as const) {
      pool.on(event as 'connect', () => events.push(event));
    }
    await pool.query('SELECT 1');
    await pool.end();
    await eventually(() => events.length === 4, 'all events are emitted');
    expect(events).toEqual(['connect', 'acquire', 'release', 'remove']);
  });

  it('an observed pg pool emits the error of an idle client that is lost', async () => {
    const seen: unknown[] = [];
    pool.on('error', (error, client) => seen.push(error, client));
    const client = await pool.connect();
    const { pid } = (await client.query('SELECT pg_backend_pid() AS pid')).rows[0] as { pid: number };
    client.release();
    const other = makePool();
    await other.query('SELECT pg_terminate_backend($1)', [pid]);
    await eventually(() => seen.length > 0, 'the error is emitted');
    expect(seen).toEqual([expect.objectContaining({ code: '57P01' }), client]);
    expect(main()).toMatchObject({ inUse: 0, idle: 0 });
  });

  it('an observed pg pool is observed once, for any number of calls', async () => {
    observePool(pool, { name: 'main', metrics });
    observePool(pool, { name: 'other', metrics });
    await pool.query('SELECT 1');
    expect(metrics.snapshot().pools).toEqual([expect.objectContaining({ pool: 'main', acquired: 1, size: 2 })]);
  });

  it('an observed pg pool counts as empty after it has ended, and a new pool of its name continues its figures', async () => {
    await pool.query('SELECT 1');
    await pool.end();
    expect(main()).toMatchObject({ size: 0, inUse: 0, utilization: 0, acquired: 1 });
    const anew = observePool(makePool({ max: 5 }), { name: 'main', metrics });
    await anew.query('SELECT 1');
    expect(main()).toMatchObject({ size: 5, acquired: 2 });
  });
});
