import 'reflect-metadata';
import type { INestApplication } from '@nestjs/common';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Pool } from 'pg';
import { DATABASE } from '../../sample/marketplace/database/database.module.js';
import { createMarketplace } from '../../sample/marketplace/marketplace.js';
import { readSettings, setNodeEnv, type Adapter } from '../../sample/marketplace/settings.js';
import { buildClient } from '../support/dashboard-page.js';

interface Answer<Body> {
  readonly status: number;
  readonly cache: string | null;
  readonly body: Body;
}

describe.each<Adapter>(['express', 'fastify'])('the marketplace on %s', (adapter) => {
  let app: INestApplication;
  let base: string;

  beforeAll(async () => {
    const settings = readSettings({ ADAPTER: adapter, CATALOGUE_PRODUCTS: '600', CATALOGUE_SELLERS: '40' });
    app = await createMarketplace(settings, false);
    await app.listen(0, '127.0.0.1');
    base = (await app.getUrl()).replace(/\/$/, '');
    // Finish startup warming before the test counts.
    await ask('POST', '/cache/warm');
  }, 60_000);

  afterAll(async () => {
    await app?.close();
  });

  async function ask<Body = Record<string, unknown>>(
    method: string,
    path: string,
    body?: unknown,
  ): Promise<Answer<Body>> {
    const response = await fetch(`${base}${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    const text = await response.text();
    return {
      status: response.status,
      cache: response.headers.get('x-cache'),
      body: (response.headers.get('content-type')?.includes('json') ? JSON.parse(text) : text) as Body,
    };
  }

  const get = <Body = Record<string, unknown>>(path: string) => ask<Body>('GET', path);

  it.each([
    ['/feeds/discover?page=7', 'items'],
    ['/search?q=wool', 'items'],
    ['/search/trending?limit=3', '2'],
    ['/categories/top', '0'],
    ['/categories/vinyl', 'bestSellers'],
    ['/sellers/live', '0'],
    ['/sellers/2', 'products'],
    ['/products/17', 'alsoBought'],
  ])('the marketplace answers %s, the second time from the cache', async (path, part) => {
    const first = await get(path);
    const second = await get(path);

    expect(first).toMatchObject({ status: 200, body: { [part]: expect.anything() } });
    expect(second).toMatchObject({ status: 200, cache: 'HIT' });
    expect(second.body).toEqual(first.body);
  });

  it('the marketplace answers a page with a miss on its first request', async () => {
    expect(await get('/feeds/discover?page=5')).toMatchObject({ status: 200, cache: 'MISS' });
  });

  it('the marketplace answers from the cache for links of every campaign', async () => {
    await get('/feeds/discover?page=6');

    expect(await get('/feeds/discover?utm_source=letter&page=6')).toMatchObject({ status: 200, cache: 'HIT' });
  });

  it.each([
    '/feeds/discover?page=abc',
    '/feeds/discover?page=0',
    '/search',
    '/search?q=a',
    '/search/trending?limit=1e9',
    '/products/one',
    '/products/007',
    '/sellers/-1',
  ])('the marketplace refuses %s with a 400 that names what is allowed', async (path) => {
    const answer = await get<{ message: string }>(path);

    expect(answer.status).toBe(400);
    expect(answer.body.message).toMatch(/must be/);
  });

  it.each(['/products/999999', '/sellers/999999', '/categories/nothing', '/feeds/discover?page=1000'])(
    'the marketplace answers %s with a 404, each time from the origin',
    async (path) => {
      expect((await get(path)).status).toBe(404);
      expect(await get(path)).not.toMatchObject({ cache: 'HIT' });
    },
  );

  it("the marketplace reduces the stock after a purchase, on the product's page and on its seller's page", async () => {
    const database = app.get<Pool>(DATABASE, { strict: false });
    const { rows } = await database.query<{ id: number; seller: number }>(
      'SELECT DISTINCT ON (seller_id) id, seller_id AS seller FROM marketplace.products ORDER BY seller_id, listed_at DESC, id LIMIT 1',
    );
    const { id, seller } = rows[0]!;
    const stockOf = ({ body }: Answer<{ products: { id: number; stock: number }[] }>) =>
      body.products.find((product) => product.id === id)?.stock;
    const before = await get<{ stock: number }>(`/products/${id}`);
    await get(`/sellers/${seller}`);

    const receipt = await ask(`POST`, `/products/${id}/purchase`, { quantity: 2 });

    expect(receipt).toMatchObject({ status: 201, body: { quantity: 2, stock: before.body.stock - 2 } });
    expect(await get(`/products/${id}`)).toMatchObject({ cache: 'MISS', body: { stock: before.body.stock - 2 } });
    const storefront = await get<{ products: { id: number; stock: number }[] }>(`/sellers/${seller}`);
    expect(storefront.cache).toBe('MISS');
    expect(stockOf(storefront)).toBe(before.body.stock - 2);
  });

  it('the marketplace refuses to sell products that are out of stock, and its cache stays unchanged', async () => {
    const database = app.get<Pool>(DATABASE, { strict: false });
    await database.query('UPDATE marketplace.products SET stock = 1 WHERE id = 99');
    await get('/products/99');

    expect((await ask('POST', '/products/99/purchase', { quantity: 2 })).status).toBe(409);
    expect((await ask('POST', '/products/99/purchase', { quantity: 11 })).status).toBe(400);
    expect((await ask('POST', '/products/999999/purchase')).status).toBe(404);
    expect(await get('/products/99')).toMatchObject({ cache: 'HIT', body: { stock: 1 } });
  });

  it('the marketplace warms the most requested pages first', async () => {
    const trending = await get<{ term: string }[]>('/search/trending?limit=20');
    const categories = await get<{ slug: string }[]>('/categories/top');
    const sellers = await get<{ id: number }[]>('/sellers/live');

    for (const path of [
      '/feeds/discover',
      ...[1, 2, 3].map((page) => `/feeds/discover?page=${page}`),
      ...trending.body.slice(0, 20).map(({ term }) => `/search?q=${encodeURIComponent(term)}`),
      ...categories.body.slice(0, 5).map(({ slug }) => `/categories/${slug}`),
    ]) {
      expect([path, (await get(path)).cache]).toEqual([path, 'HIT']);
    }
    const storefronts = await Promise.all(sellers.body.map(({ id }) => get(`/sellers/${id}`)));
    expect(storefronts.map(({ cache }) => cache)).toContain('HIT');
  });

  it('the marketplace reports the warmed entries', async () => {
    const { status, body } = await ask<{ strategies: { strategy: string; result: string }[] }>(
      'POST',
      '/cache/warm',
      {},
    );

    expect(status).toBeLessThan(300);
    expect(body.strategies).toEqual(
      expect.arrayContaining(
        ['handler:FeedsController.discover', 'trending-searches', 'top-categories', 'active-sellers'].map((strategy) =>
          expect.objectContaining({ strategy, result: 'ok' }),
        ),
      ),
    );
  });

  it('the marketplace reports cache and database as healthy', async () => {
    const { status, body } = await get('/health');

    expect(status).toBe(200);
    expect(body).toMatchObject({ status: 'ok', details: { cache: { status: 'up' }, database: { status: 'up' } } });
  });

  it('the marketplace returns statistics in total, by pattern and by endpoint', async () => {
    const stats = await get<{ total_requests: number; cache_hits: number; cache_misses: number }>('/cache/stats');
    const patterns = await get<{ pattern: string }[]>('/cache/stats/patterns');
    const endpoints = await get<{ endpoint: string }[]>('/cache/stats/endpoints');

    expect(stats.body.total_requests).toBe(stats.body.cache_hits + stats.body.cache_misses);
    expect(stats.body).toMatchObject({ hit_rate: expect.any(Number), p95_response_time_ms: expect.any(Number) });
    expect(patterns.body.map(({ pattern }) => pattern)).toEqual(
      expect.arrayContaining(['feed:*', 'search:*', 'category:*', 'seller:*', 'product:*', 'recommendation:*']),
    );
    expect(endpoints.body.map(({ endpoint }) => endpoint)).toEqual(
      expect.arrayContaining(['GET /feeds/discover', 'GET /search', 'GET /products/:id', 'GET /sellers/live']),
    );
    expect(await get('/cache/health')).toMatchObject({
      status: 200,
      body: { status: expect.any(String), warnings: expect.any(Array) },
    });
    expect(await get('/cache/stats/low-performers')).toMatchObject({ status: 200, body: expect.any(Array) });
    expect(await get('/cache/stats?window=2m')).toMatchObject({ status: 400 });
  });

  it('the marketplace exposes the statistics to Prometheus', async () => {
    const { status, body } = await get<string>('/metrics');

    expect(status).toBe(200);
    expect(body).toContain('cache_operations_total{operation="get",result="hit",cache="default"}');
    expect(body).toContain('cache_pattern_operations_total{pattern="feed:*"');
  });

  it('the marketplace serves a profile of its time', async () => {
    const svg = await fetch(`${base}/cache/flamegraph?format=svg`);

    expect(svg.status).toBe(200);
    expect(svg.headers.get('content-type')).toMatch('image/svg+xml');
    expect(await svg.text()).toMatch(/^(<\?xml[^>]*>\s*)?<svg/);
  });

  it('the marketplace stores sessions in a separate cache', async () => {
    const current = (token: string, method = 'GET') =>
      fetch(`${base}/sessions/current`, { method, headers: { 'x-session': token } });
    const { body } = await ask<{ token: string }>('POST', '/sessions', { visitor: 'Ann' });
    await get('/products/3');

    expect(await (await current(body.token)).json()).toMatchObject({ visitor: 'Ann' });
    const sessions = await get<Record<string, number>>('/cache/stats?cache=sessions');
    expect(sessions.body).toMatchObject({ total_requests: 1, cache_hits: 1 });
    const patterns = async (cache: string) =>
      (await get<{ pattern: string }[]>(`/cache/stats/patterns?cache=${cache}`)).body.map(({ pattern }) => pattern);
    expect(await patterns('sessions')).toEqual(['session:*']);
    expect(await patterns('default')).not.toContain('session:*');
    const info = await get<{ layers: { cache: string }[] }>('/cache/info');
    expect(new Set(info.body.layers.map(({ cache }) => cache))).toEqual(new Set(['default', 'sessions']));
    const metrics = await get<string>('/metrics');
    expect(metrics.body).toMatch(/^cache_operations_total\{operation="get",result="hit",cache="sessions"\} 1$/m);

    expect((await current(body.token, 'DELETE')).status).toBe(204);
    expect((await current(body.token)).status).toBe(401);
    expect((await current('something else')).status).toBe(401);
  });

  it('the marketplace streams events as they happen', async () => {
    const left = new AbortController();
    const stream = await fetch(`${base}/cache/events`, { signal: left.signal });
    let received = '';
    for await (const chunk of stream.body!.pipeThrough(new TextDecoderStream())) {
      received += chunk;
      if (received.includes('event: tick')) break;
    }
    left.abort();

    expect(stream.headers.get('content-type')).toMatch('text/event-stream');
    expect(received).toMatch(/event: tick\ndata: \{.*"operations_in_flight"/);
  });

  it('the marketplace shows its pool and the queries of its pages', async () => {
    const { body } = await get<{ pools: { pool: string }[]; queries: { table: string }[] }>('/cache/database');

    expect(body.pools.map(({ pool }) => pool)).toEqual(['marketplace']);
    expect(body.queries.map(({ table }) => table)).toContain('products');
  });

  it('the marketplace links to existing places', async () => {
    await buildClient();
    const { body } = await get<{ places: { path: string }[] }>('/');

    for (const { path } of body.places) {
      const left = new AbortController();
      const { status } = await fetch(`${base}${path}`, { signal: left.signal });
      left.abort();
      expect([path, status]).toEqual([path, 200]);
    }
  });

  it('the marketplace counts a view of a product also if the cache answered', async () => {
    const database = app.get<Pool>(DATABASE, { strict: false });
    const views = async () =>
      (
        await database.query<{ views: number }>(
          'SELECT count(*)::int AS views FROM marketplace.product_views WHERE product_id = 111',
        )
      ).rows[0]!.views;
    const before = await views();
    for (let visit = 0; visit < 5; visit++) await get('/products/111');

    const { ViewJournal } = await import('../../sample/marketplace/products/view-journal.js');
    await app.get(ViewJournal, { strict: false }).flush();

    expect(await views()).toBe(before + 5);
  });

  it('the marketplace describes its size and its links at the root', async () => {
    const { body } = await get('/');

    expect(body).toMatchObject({ catalogue: { products: 600, sellers: 40, categories: 48 } });
  });
});

describe("the marketplace's settings", () => {
  it("the marketplace's settings are refused with one error that lists every fault", () => {
    expect(() => readSettings({ PORT: 'x', ADAPTER: 'koa', REDIS_STORE: 'memcached', REDIS_URL: 'localhost' })).toThrow(
      /PORT[^]*REDIS_URL|REDIS_URL[^]*PORT/,
    );
  });

  it.each([
    [undefined, 'development'],
    ['', 'development'],
    ['production', 'production'],
  ])('the marketplace with NODE_ENV %j runs with %s', (given, environment) => {
    const env: NodeJS.ProcessEnv = given === undefined ? {} : { NODE_ENV: given };
    setNodeEnv(env);
    expect(env['NODE_ENV']).toBe(environment);
  });
});
