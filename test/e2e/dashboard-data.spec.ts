import { Agent, get, type IncomingMessage } from 'node:http';
import { gunzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, Injectable, Param } from '@nestjs/common';
import {
  Cached,
  CacheMetrics,
  CacheObservabilityModule,
  type CacheObservabilityOptions,
  ObservedCache,
  WarmingStrategy,
} from '../../lib/index.js';
import type { AlertChange } from '../../lib/insight/alerts/alert.js';
import { cacheToken } from '../../lib/testing/index.js';
import { boot, closeApps, type Platform, platforms } from '../support/apps.js';
import { addressOf } from '../support/dashboard-page.js';
import { soon } from '../support/soon.js';

@Controller()
class ShopController {
  @Get('products/:id')
  @Cached('product:{params.id}')
  product(@Param('id') id: string) {
    return { id };
  }

  @Get('offers/:id')
  @Cached('product:{params.id}:offers')
  offers(@Param('id') id: string) {
    return { id };
  }
}

@Injectable()
class Prices {
  @Cached('price:*')
  of(id: string) {
    return Promise.resolve({ id });
  }
}

@Injectable()
@WarmingStrategy({ name: 'popular' })
class Popular {
  *entries() {
    yield { key: 'hot:1', value: 1 };
  }
}

const start = async (platform: Platform, options: CacheObservabilityOptions = {}) => {
  const imports = [
    CacheObservabilityModule.forRoot({ prometheus: false, ...options }),
    CacheObservabilityModule.forFeature('sessions'),
  ];
  return boot(platform, { imports, controllers: [ShopController], providers: [Prices, Popular] });
};

const together = (...parts: string[]) =>
  `/cache/dashboard/overview?${parts.map((part) => `part=${encodeURIComponent(part)}`).join('&')}`;

afterEach(closeApps);

describe.each(platforms)('the data of the dashboard on %s', (platform) => {
  it('GET /cache/dashboard/overview returns the responses of several routes in one request', async () => {
    const { ask, app } = await start(platform);
    await ask().get('/products/1').expect(200);
    await ask().get('/products/1').expect(200);
    const parts = ['stats?window=5m', 'stats/patterns', 'policies?pattern=product%3A*', 'alerts?state=all', 'info'];
    const { body } = await ask()
      .get(together(...parts))
      .expect(200)
      .expect('Cache-Control', 'no-store');
    expect(Object.keys(body.answers)).toEqual(parts);
    expect(body.answers['stats?window=5m']).toMatchObject({ total_requests: 2, cache_hits: 1, window: '5m' });
    const alone = await Promise.all(
      ['stats/patterns', 'policies?pattern=product%3A*', 'alerts?state=all'].map((path) => ask().get(`/cache/${path}`)),
    );
    expect(alone.map((answer) => answer.body.length ?? 0)).toEqual([3, 1, 0]);
    expect(body.answers['policies?pattern=product%3A*']).toEqual(alone[1]!.body);
    expect(body.refusals).toEqual({});
    expect(app.get(ObservedCache).enabled).toBe(true);
  });

  it('GET /cache/dashboard/overview returns the data of the first page if no part is named', async () => {
    const { ask } = await start(platform, { version: '4.2.0' });
    const { body } = await ask().get('/cache/dashboard/overview?window=1h').expect(200);
    expect(Object.keys(body.answers).sort()).toEqual(
      ['alerts', 'dashboard/context', 'health', 'history', 'insights', 'stats', 'stats/endpoints', 'stats/layers', 'stats/patterns'], // prettier-ignore
    );
    expect(body.answers.history.window).toBe('1h');
    expect(body.answers['dashboard/context']).toMatchObject({
      version: '4.2.0',
      starts: [{ version: '4.2.0', own: true }],
    });
  });

  it('GET /cache/dashboard/overview names a refused part and returns the others', async () => {
    const { ask } = await start(platform);
    const parts = [
      'health',
      'stats?window=2m',
      'stats?scope=fleet',
      'insights/ttl',
      'stats?cache=toString',
      'stats?window=5m&window=1h',
    ];
    const { body } = await ask()
      .get(together(...parts))
      .expect(200);
    expect(Object.keys(body.answers)).toEqual(['health']);
    expect(body.refusals).toMatchObject({
      'stats?window=2m': { statusCode: 400, code: 'INVALID_PARAMETER' },
      'stats?scope=fleet': { statusCode: 409, code: 'FLEET_OFF' },
      'insights/ttl': { statusCode: 400 },
      'stats?cache=toString': { statusCode: 400 },
      'stats?window=5m&window=1h': { statusCode: 400, code: 'INVALID_PARAMETER' },
    });
  });

  it.each(['warm/1', 'constructor', '', 'flamegraph'])(
    'GET /cache/dashboard/overview refuses a part that is not a route that reads: %s',
    async (part) => {
      const { ask } = await start(platform);
      const { body } = await ask().get(together(part)).expect(400);
      expect(body.code).toBe('INVALID_PARAMETER');
      await ask()
        .get(together(...Array.from({ length: 33 }, (_, n) => `history?patterns=${n}`)))
        .expect(400);
    },
  );

  it('GET /cache/dashboard/overview is built and compressed once for all pages within seconds, and again after a change', async () => {
    const { app, ask } = await start(platform);
    for (let n = 0; n < 30; n++) await app.get(ObservedCache).set(`user:${n}:cart`, n);
    await app.listen(0, '127.0.0.1');
    const path = together(
      ...['stats', 'stats/patterns', 'stats/operations', 'history'].map((one) => `${one}?window=24h`),
    );
    const sent = () =>
      new Promise<[IncomingMessage, Buffer]>((resolve, reject) => {
        get(`${addressOf(app)}${path}`, { headers: { 'accept-encoding': 'gzip' } }, (answer) => {
          const chunks: Buffer[] = [];
          answer.on('data', (chunk: Buffer) => chunks.push(chunk));
          answer.on('end', () => resolve([answer, Buffer.concat(chunks)]));
        }).on('error', reject);
      });
    const [[first, packed], [second, same]] = [await sent(), await sent()];
    expect(first.headers).toMatchObject({
      'content-encoding': 'gzip',
      vary: expect.stringContaining('Accept-Encoding'),
      'x-cache-pace': '1',
    });
    expect(second.headers.etag).toBe(first.headers.etag);
    expect(same.equals(packed)).toBe(true);
    expect(JSON.parse(gunzipSync(packed).toString()).answers['stats?window=24h'].total_requests).toBe(0);
    await app.get(ObservedCache).tuning.override('user:*:cart', { ttl: '1m' });
    const { body } = await ask().get(path).set('Cache-Control', 'max-age=0').expect(200);
    expect(Object.keys(body.answers)).toHaveLength(4);
  });

  it('GET /cache/dashboard/overview is built anew at once after a change of a policy or an alert, also of a named cache, without a client of the event stream', async () => {
    const { app, ask } = await start(platform);
    const sessions = app.get<ObservedCache>(cacheToken('sessions'));
    const caches = { alerts: app.get(ObservedCache), 'alerts?cache=sessions': sessions };
    const listeners = Object.values(caches).map((cache) => {
      const own: ((change: AlertChange) => void)[] = [];
      Object.assign(cache, { watchAlerts: (listener: (typeof own)[0]) => (own.push(listener), () => undefined) });
      return own;
    });
    const path = together('policies?pattern=product:*', 'policies?cache=sessions', 'alerts', 'alerts?cache=sessions');
    const read = async () => (await ask().get(path).expect(200)).body.answers;
    const before = await read();
    expect(before['policies?pattern=product:*']).toMatchObject([{ override: null }]);
    await app.get(ObservedCache).tuning.override('product:*', { ttl: '1m' });
    expect((await read())['policies?pattern=product:*']).toMatchObject([{ override: { values: { ttl_ms: 60_000 } } }]);
    await app.get(ObservedCache).tuning.revert('product:*');
    expect((await read())['policies?pattern=product:*']).toMatchObject([{ override: null }]);
    await sessions.tuning.override('session:*', { ttl: '2m' });
    expect((await read())['policies?cache=sessions']).toMatchObject([{ override: { values: { ttl_ms: 120_000 } } }]);
    for (const [at, [address, cache]] of Object.entries(caches).entries()) {
      expect((await read())[address]).toEqual([]);
      const alert = { id: 'an-id', code: 'HIT_RATE_DROP', subject: 'product:*' };
      Object.assign(cache.insight, { alerts: () => [alert] });
      expect((await read())[address]).toEqual([]);
      for (const listener of listeners[at]!) listener({ state: 'opened', alert } as unknown as AlertChange);
      expect((await read())[address]).toEqual([{ cache: ['default', 'sessions'][at], ...alert }]);
    }
  });

  it('GET /cache/dashboard/overview keeps the connection of a page open longer than the server keeps others', async () => {
    const { app } = await start(platform);
    await app.listen(0, '127.0.0.1');
    Object.assign(app.getHttpServer(), { keepAliveTimeout: 100 });
    const closed: string[] = [];
    const connectTo = async (path: string) => {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      const ask = () =>
        new Promise<Pick<IncomingMessage, 'socket' | 'headers'>>((resolve, reject) => {
          get(`${addressOf(app)}${path}`, { agent }, (answer) => {
            const { socket, headers } = answer;
            answer.on('end', () => resolve({ socket, headers })).resume();
          }).on('error', reject);
        });
      const { socket, headers } = await ask();
      socket.once('close', () => closed.push(path));
      return { ask, agent, socket, headers };
    };
    const page = await connectTo('/cache/dashboard/overview');
    expect(page.headers['keep-alive']).toBe('timeout=65');
    await connectTo('/cache/health');
    await soon(() => expect(closed).toContain('/cache/health'));
    expect(closed).toEqual(['/cache/health']);
    expect((await page.ask()).socket).toBe(page.socket);
    page.agent.destroy();
  });

  it('is anew at once after the metrics of the cache or of a named one were reset', async () => {
    const { app, ask } = await start(platform);
    await ask().get('/products/1').expect(200);
    await app.get<ObservedCache>(cacheToken('sessions')).getOrSet('session:1', () => 1);
    const requests = async (): Promise<[number, number]> => {
      const { body } = await ask().get(together('stats', 'stats?cache=sessions')).expect(200);
      return [body.answers.stats.total_requests, body.answers['stats?cache=sessions'].total_requests];
    };
    expect(await requests()).toEqual([1, 1]);
    await ask().post('/cache/reset-metrics?cache=sessions').expect(200);
    expect(await requests()).toEqual([1, 0]);
    await ask().post('/cache/reset-metrics').expect(200);
    expect(await requests()).toEqual([0, 0]);
  });

  it("the routes of the dashboard's data require what guards require", async () => {
    const guards = [
      { canActivate: (context: any) => context.switchToHttp().getRequest().headers.authorization === 'Bearer 1' },
    ];
    const { ask } = await start(platform, { monitoring: { guards } });
    for (const path of ['dashboard/overview', 'dashboard/context', 'instances', 'warm']) {
      await ask().get(`/cache/${path}`).expect(403);
      await ask().get(`/cache/${path}`).set('authorization', 'Bearer 1').expect(200);
    }
  });

  it('GET /cache/dashboard/overview works with metrics off and returns zeros', async () => {
    const { ask } = await start(platform, { metrics: false });
    await ask().get('/products/1').expect(200);
    const { body } = await ask().get('/cache/dashboard/overview').expect(200);
    expect(body.refusals).toEqual({});
    expect(body.answers.stats.total_requests).toBe(0);
    expect(body.answers['dashboard/context'].metrics).toBe(false);
    expect((await ask().get('/cache/instances').expect(200)).body.instances).toHaveLength(1);
  });

  it('GET /cache/policies names the handlers and methods that declare a pattern, GET /cache/stats/endpoints the endpoints that use it', async () => {
    const { ask, app } = await start(platform);
    await ask().get('/products/1').expect(200);
    await ask().get('/offers/1').expect(200);
    await app.get(Prices).of('1');
    const { body: policies } = await ask().get('/cache/policies').expect(200);
    expect(policies.map((one: any) => [one.pattern, one.declared_by])).toEqual([
      ['price:*', [{ class: 'Prices', method: 'of', transport: 'method', endpoint: null }]],
      ['product:*', [{ class: 'ShopController', method: 'product', transport: 'http', endpoint: 'GET /products/:id' }]],
      ['product:*:offers', [{ class: 'ShopController', method: 'offers', transport: 'http', endpoint: 'GET /offers/:id' }]], // prettier-ignore
    ]);
    await app.get(ObservedCache).tuning.override('product:*', { ttl: '1m' });
    const { body: overridden } = await ask().get('/cache/policies?pattern=product:*').expect(200);
    expect(overridden[0].declared_by).toEqual(policies[1].declared_by);
    const { body: endpoints } = await ask().get('/cache/stats/endpoints?pattern=product:*').expect(200);
    expect(endpoints.map((one: any) => [one.endpoint, one.total_requests])).toEqual([['GET /products/:id', 1]]);
    expect((await ask().get('/cache/stats/endpoints?pattern=price:*').expect(200)).body).toEqual([]);
  });

  it('GET /cache/stats/patterns lists the patterns that lose most time to misses, out of a thousand', async () => {
    const { ask, app } = await start(platform, { metrics: { maxPatterns: 1_100 } });
    const metrics = app.get(CacheMetrics);
    for (let n = 0; n < 1_000; n++) {
      const key = `kind${[...String(n)].map((digit) => 'abcdefghij'[Number(digit)]).join('')}:1`;
      metrics.record({ operation: 'get', key, result: 'miss', responseTimeMs: 1 });
      metrics.record({ operation: 'load', key, result: 'ok', responseTimeMs: n < 997 ? 1 : 1_000 });
    }
    const { body } = await ask().get(together('stats/patterns?limit=3', 'stats/patterns?limit=0')).expect(200);
    const costliest = body.answers['stats/patterns?limit=3'].map(({ pattern }: { pattern: string }) => pattern);
    expect(costliest.sort()).toEqual(['kindjjh:*', 'kindjji:*', 'kindjjj:*']);
    expect(body.refusals['stats/patterns?limit=0']).toMatchObject({ statusCode: 400 });
    expect((await ask().get('/cache/stats/patterns').expect(200)).body).toHaveLength(1_003);
  });

  it('GET /cache/stats/memory returns the entries and bytes of each pattern, most bytes first', async () => {
    const { ask, app } = await start(platform);
    const cache = app.get(ObservedCache);
    for (let n = 0; n < 30; n++) await cache.set(`user:${n}:cart`, 'x'.repeat(n < 20 ? 10 : 1_000));
    await cache.set('product:1', 'x'.repeat(20_000));
    const { body } = await ask().get('/cache/stats/memory').expect(200);
    expect(body).toMatchObject([
      { layer: 'memory', entries: 31, sampled: 1, patterns: [{ pattern: 'product:*', entries: 1 }, { pattern: 'user:*:cart', entries: 30 }] }, // prettier-ignore
    ]);
    const [{ bytes, patterns }] = body;
    expect(bytes).toBe(cache.layers[0]!.status().bytes);
    expect(patterns[0].bytes + patterns[1].bytes).toBe(bytes);
    expect(patterns[1].share).toBeCloseTo(patterns[1].bytes / bytes, 3);
    const { body: one } = await ask().get('/cache/stats/memory?pattern=user:*:cart').expect(200);
    expect(one[0].patterns).toEqual([patterns[1]]);
    const { body: largest } = await ask()
      .get(together('stats/memory?limit=1', 'stats/memory?limit=x', 'stats/memory?cache=none'))
      .expect(200);
    expect(largest.answers['stats/memory?limit=1'][0].patterns).toEqual([patterns[0]]);
    expect(Object.keys(largest.refusals)).toEqual(['stats/memory?limit=x', 'stats/memory?cache=none']);
  });

  it('GET /cache/stats/memory adds no pattern to the statistics', async () => {
    const { ask } = await start(platform, { metrics: { patternOf: (key) => `of ${key}` } });
    await ask().get('/products/7').expect(200);
    const patterns = async () => (await ask().get('/cache/stats/patterns')).body.map((one: any) => one.pattern);
    const before = await patterns();
    const { body } = await ask().get('/cache/stats/memory').expect(200);
    expect(body).toMatchObject([{ patterns: [{ pattern: 'of product:7', share: 1 }] }]);
    expect(await patterns()).toEqual(before);
  });

  it('GET /cache/stats/patterns returns one pattern, and GET /cache/stats/low-performers at most `limit` patterns', async () => {
    const { ask, app } = await start(platform);
    await app.get(Prices).of('1');
    await ask().get('/products/1').expect(200);
    const one = await ask().get('/cache/stats/patterns?pattern=product:*').expect(200);
    expect(one.body).toMatchObject([{ pattern: 'product:*', total_requests: 1 }]);
    expect((await ask().get('/cache/stats/patterns?pattern=never').expect(200)).body).toEqual([]);
    const low = await ask().get('/cache/stats/low-performers?limit=1').expect(200);
    expect(low.body).toHaveLength(1);
    expect((await ask().get('/cache/stats/low-performers').expect(200)).body).toHaveLength(2);
  });

  it('GET /cache/warm lists the last warming runs, newest first', async () => {
    const { ask } = await start(platform);
    expect((await ask().get('/cache/warm').expect(200)).body).toEqual([]);
    const runs = [await ask().post('/cache/warm').expect(200), await ask().post('/cache/warm').expect(200)];
    const [first, second] = runs.map(({ body }) => body.id);
    const { body } = await ask().get('/cache/warm?limit=5').expect(200);
    expect(body.map(({ id }: { id: string }) => id)).toEqual([second, first]);
    expect(body[0]).toMatchObject({ status: 'completed', strategies: [{ strategy: 'popular', result: 'ok' }] });
    expect((await ask().get('/cache/warm?limit=1').expect(200)).body).toHaveLength(1);
    await ask().get('/cache/warm?limit=0').expect(400);
  });

  it('GET /cache/instances lists this instance alone without a fleet', async () => {
    const { ask } = await start(platform, { version: '4.2.0' });
    const { body } = await ask().get('/cache/instances').expect(200);
    expect(body).toMatchObject({
      fleet: 'off',
      instances: [{ own: true, pid: process.pid, version: '4.2.0', status: 'healthy', warnings: [], hit_rate: null }],
    });
    expect(body.instances[0].uptime_seconds).toBeGreaterThanOrEqual(0);
  });
});
