import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Ajv } from 'ajv';
import pg from 'pg';
import { DatabaseMetrics, observeQueries } from '../../lib/database/index.js';
import { CacheObservabilityModule, type MonitoringOptions } from '../../lib/index.js';
import { statementPlan } from '../../lib/monitoring/openapi-answers.js';
import { boot, closeApps, type Platform, platforms } from '../support/apps.js';
import { PostgresServer } from '../support/postgres.js';

let server: PostgresServer;
let pool: pg.Pool;
beforeAll(async () => {
  server = await PostgresServer.start();
  pool = new pg.Pool({ ...server.connection, max: 2 });
  await pool.query('CREATE TABLE purchases (id serial PRIMARY KEY, buyer text)');
}, 60_000);
afterAll(async () => {
  await pool.end();
  await server.stop();
});
afterEach(() => closeApps());

const start = (platform: Platform, monitoring: MonitoringOptions = {}) =>
  boot(platform, { imports: [CacheObservabilityModule.forRoot({ prometheus: false, monitoring })] });

describe.each(platforms)('GET /cache/database/plan on %s', (platform) => {
  it('GET /cache/database/plan returns the plan of a slow statement by its shape', async () => {
    const { app, ask } = await start(platform);
    const metrics = app.get(DatabaseMetrics);
    metrics.reset();
    observeQueries(pool, { metrics, explain: true, slowThreshold: 0 });
    await pool.query("SELECT * FROM purchases WHERE buyer = 'hunter2'");
    const { body: database } = await ask().get('/cache/database').expect(200);
    const { shape } = database.slow_queries[0];
    const { body } = await ask().get('/cache/database/plan').query({ shape }).expect(200);
    expect(new Ajv().validate(statementPlan, body)).toBe(true);
    expect(body).toMatchObject({ shape, query_type: 'SELECT', table: 'purchases', values: 'generic' });
    expect(body.plan).toContain('Filter: (buyer = $1)');
    expect(JSON.stringify(body)).not.toContain('hunter2');
  });

  it('GET /cache/database/plan refuses a missing shape, an unknown shape and other sites', async () => {
    const { ask } = await start(platform);
    const refused = async (shape?: string, headers = {}) => {
      const { status, body } = await ask().get('/cache/database/plan').query({ shape }).set(headers);
      return [status, body.code];
    };
    expect(await refused()).toEqual([400, 'INVALID_PARAMETER']);
    expect(await refused('SELECT pg_sleep(?)')).toEqual([404, 'UNKNOWN_SHAPE']);
    expect(await refused('SELECT ?', { 'Sec-Fetch-Site': 'cross-site' })).toEqual([403, 'CROSS_SITE_REQUEST']);
  });

  it('GET /cache/database/plan is disabled if writes are disabled', async () => {
    const environment = process.env['NODE_ENV'];
    process.env['NODE_ENV'] = 'production';
    try {
      const { ask } = await start(platform);
      expect((await ask().get('/cache/database/plan?shape=x').expect(403)).body.code).toBe('WRITES_DISABLED');
      await ask().get('/cache/database').expect(200);
    } finally {
      process.env['NODE_ENV'] = environment;
    }
  });
});
