import { afterEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, Injectable, type LoggerService, Module, Param, Post } from '@nestjs/common';
import {
  Cached,
  CacheInvalidate,
  cacheMetricsOf,
  CacheMetrics,
  CacheObservabilityModule,
  InjectCache,
  memoryLayer,
  ObservedCache,
  redisLayer,
} from '../../lib/index.js';
import { boot, closeApps, platforms } from '../support/apps.js';
import { eventually, freePort, RedisServer } from '../support/redis.js';

let calls = 0;

@Injectable()
class Sessions {
  constructor(@InjectCache('sessions') readonly cache: ObservedCache) {}

  @Cached('session:{0}', { cache: 'sessions', tags: ['user:{0}'] })
  async of(user: string): Promise<unknown> {
    return { user, call: ++calls };
  }

  @CacheInvalidate({ cache: 'sessions', tags: ['user:{0}'] })
  async end(user: string): Promise<unknown> {
    return user;
  }
}

@Controller('pages')
class Pages {
  @Get(':id')
  @Cached('page:{params.id}')
  page(@Param('id') id: string) {
    return { id, call: ++calls };
  }

  @Get(':id/rights')
  @Cached('rights:{params.id}', { cache: 'sessions' })
  rights(@Param('id') id: string) {
    return { id, call: ++calls };
  }

  @Post(':id/rights')
  @CacheInvalidate({ cache: 'sessions', keys: ['rights:{params.id}'] })
  change(@Param('id') id: string) {
    return { id };
  }
}

const sessions = (options = {}) =>
  CacheObservabilityModule.forFeature('sessions', { layers: [memoryLayer({ maxEntries: 2 })], ttl: '1m', ...options });

const imports = () => [CacheObservabilityModule.forRoot({ prometheus: { defaultMetrics: false } }), sessions()];

afterEach(closeApps);

describe.each(platforms)('a named cache on %s', (platform) => {
  it('a named cache answers the handlers and methods that name it, and keeps its entries separate', async () => {
    const { app, ask } = await boot(platform, { imports: imports(), controllers: [Pages], providers: [Sessions] });
    await ask().get('/pages/1').expect('x-cache', 'MISS');
    await ask().get('/pages/1/rights').expect('x-cache', 'MISS');
    await ask().get('/pages/1/rights').expect('x-cache', 'HIT');
    const service = app.get(Sessions);
    expect(await service.of('ann')).toEqual(await service.of('ann'));
    const own = app.get(ObservedCache);
    expect(service.cache).not.toBe(own);
    expect(await service.cache.has('rights:1')).toBe(true);
    expect(await own.has('rights:1')).toBe(false);
    expect(await service.cache.has('page:1')).toBe(false);

    await ask().post('/pages/1/rights').expect(201);
    await ask().get('/pages/1/rights').expect('x-cache', 'MISS');
    await ask().get('/pages/1').expect('x-cache', 'HIT');
    const before = await service.of('ann');
    await service.end('ann');
    expect(await service.of('ann')).not.toEqual(before);
  });

  it('a named cache is shown and invalidated by the routes under its name', async () => {
    const { ask } = await boot(platform, { imports: imports(), controllers: [Pages], providers: [Sessions] });
    for (let time = 0; time < 2; time++) await ask().get('/pages/1/rights');
    const stats = await ask().get('/cache/stats?cache=sessions').expect(200);
    expect(stats.body).toMatchObject({ cache: 'sessions', total_requests: 2, cache_hits: 1 });
    const own = await ask().get('/cache/stats').expect(200);
    expect(own.body).toMatchObject({ cache: 'default', total_requests: 0 });
    const patterns = await ask().get('/cache/stats/patterns?cache=sessions').expect(200);
    expect(new Set((patterns.body as { cache: string }[]).map(({ cache }) => cache))).toEqual(new Set(['sessions']));
    const policy = '/cache/policies?pattern=rights:*&cache=sessions';
    expect((await ask().put(policy).send({ ttl: '1m' }).expect(200)).body).toMatchObject({ cache: 'sessions' });
    expect((await ask().delete(policy).expect(200)).body).toMatchObject({ cache: 'sessions' });
    const names = (patterns.body as { pattern: string }[]).map(({ pattern }) => pattern);
    expect(names.sort()).toEqual(['rights:*', 'session:*']);
    const info = await ask().get('/cache/info').expect(200);
    expect((info.body as { layers: object[] }).layers).toMatchObject([
      { cache: 'default', layer: 'memory', entry_count: 0 },
      { cache: 'sessions', layer: 'memory', entry_count: 1 },
    ]);
    const unknown = await ask().get('/cache/stats?cache=sesions').expect(400);
    expect(unknown.body).toMatchObject({ message: 'cache must be one of default, sessions, not "sesions"' });
    await ask().get('/cache/stats?cache=sessions&scope=fleet').expect(400);

    const invalidate = (body: object, status: number, query = '') =>
      ask().post(`/cache/invalidate${query}`).send(body).expect(status);
    expect((await invalidate({ keys: ['rights:1'] }, 200)).body).toMatchObject({ keys: 0 });
    expect((await invalidate({ keys: ['rights:1'], cache: 'sessions' }, 200)).body).toMatchObject({ keys: 1 });
    await invalidate({ keys: ['rights:1'], cache: 5 }, 400);
    await ask().get('/pages/1/rights').expect('x-cache', 'MISS');
    await invalidate({ keys: ['rights:1'], cache: 'default' }, 400, '?cache=sessions');
    await invalidate({ keys: ['rights:1'] }, 400, '?cache=sesions');
    expect((await invalidate({ keys: ['rights:1'] }, 200, '?cache=sessions')).body).toMatchObject({ keys: 1 });
    await ask().get('/pages/1/rights').expect('x-cache', 'MISS');
  });

  it('reset-metrics resets the figures of every cache, or of the one that `cache` names', async () => {
    const { ask } = await boot(platform, { imports: imports(), controllers: [Pages], providers: [Sessions] });
    const requests = async () =>
      Promise.all(
        ['default', 'sessions'].map(async (name) => {
          const { body } = await ask().get(`/cache/stats?cache=${name}`).expect(200);
          return (body as { total_requests: number }).total_requests;
        }),
      );
    const visit = async () => {
      await ask().get('/pages/1');
      await ask().get('/pages/1/rights');
    };
    await visit();
    await ask().post('/cache/reset-metrics?cache=sesions').expect(400);
    await ask().post('/cache/reset-metrics?cache=sessions').expect(200);
    expect(await requests()).toEqual([1, 0]);
    await visit();
    await ask().post('/cache/reset-metrics?cache=default').expect(200);
    expect(await requests()).toEqual([0, 1]);
    await visit();
    await ask().post('/cache/reset-metrics').expect(200);
    expect(await requests()).toEqual([0, 0]);
  });

  it('every route that reads returns the figures of the cache that `cache` names', async () => {
    const { ask } = await boot(platform, { imports: imports(), controllers: [Pages], providers: [Sessions] });
    for (let time = 0; time < 3; time++) await ask().get('/pages/1/rights');
    const body = async (path: string) =>
      JSON.stringify(
        (
          await ask()
            .get(`/cache/${path}${path.includes('?') ? '&' : '?'}cache=sessions`)
            .expect(200)
        ).body,
      );
    expect(await body('health')).toContain('0.666');
    expect(await body('stats')).toContain('"total_requests":3');
    for (const path of ['stats/patterns', 'stats/top-patterns', 'policies'])
      expect([path, await body(path)]).toEqual([path, expect.stringContaining('rights:')]);
    expect(await body('stats/endpoints')).toContain('/pages/:id/rights');
    expect(await body('stats/layers')).toContain('"cache_hits":2');
    expect(await body('stats/operations')).toContain('"operation":"get"');
    expect(await body('stats/low-performers?threshold=1')).toContain('rights:*');
    expect(await body('hit-rate')).toContain('0.666');
    expect(await body('realtime')).toContain('operations_in_flight');
    expect(await body('history?window=5m&patterns=5')).toContain('rights:*');
    for (const path of ['insights', 'insights/ttl?pattern=rights:*', 'insights/memory', 'hot-keys', 'alerts'])
      await body(path);
  });

  it('a named cache has its own bounds and TTL', async () => {
    const { app } = await boot(platform, { imports: imports(), providers: [Sessions] });
    const { cache } = app.get(Sessions);
    for (const key of ['a', 'b', 'c']) await cache.set(key, 1);
    expect(cache.layers[0]!.status().entries).toBe(2);
    expect(await cache.ttl('c')).toBeGreaterThan(Date.now());
    // The clock of the cache may differ a little from Date.now().
    expect((await cache.ttl('c'))! - Date.now()).toBeLessThanOrEqual(60_100);
  });

  it('a named cache has separate figures in the same metric families', async () => {
    const { app, ask } = await boot(platform, { imports: imports(), controllers: [Pages], providers: [Sessions] });
    await ask().get('/pages/1');
    for (let time = 0; time < 3; time++) await ask().get('/pages/1/rights');
    const service = app.get(Sessions);
    expect(service.cache.metrics.getStats()).toMatchObject({ cacheHits: 2, cacheMisses: 1 });
    expect(app.get(CacheMetrics).getStats()).toMatchObject({ cacheHits: 0, cacheMisses: 1 });
    const { text } = await ask().get('/metrics').expect(200);
    expect(text).toContain('cache_operations_total{operation="get",result="hit",cache="sessions"} 2\n');
    expect(text).toContain('cache_operations_total{operation="get",result="miss",cache="default"} 1\n');
    expect(text.match(/^# TYPE cache_operations_total /gm)).toHaveLength(1);
    await service.of('ann');
    expect(cacheMetricsOf(service.of).getStats()).toMatchObject({ totalRequests: 1 });
  });
});

describe('named caches', () => {
  it('named caches share a Redis without sharing keys', async () => {
    const server = await RedisServer.start();
    try {
      const redis = () => redisLayer({ url: server.url, deadline: '5s' });
      @Module({
        imports: [
          CacheObservabilityModule.forRoot({ namespace: 'shop', layers: [redis()], prometheus: false }),
          sessions({ layers: [redis()] }),
          CacheObservabilityModule.forFeature('sessions.long', { layers: [redis()] }),
        ],
      })
      class AppModule {}
      const { app, close } = await boot('express', { imports: [AppModule] });
      const caches = [
        app.get(ObservedCache),
        ...['sessions', 'sessions.long'].map((name) =>
          app.get<ObservedCache>(`nestjs-cache-observability:cache:${name}`, { strict: false }),
        ),
      ];
      await Promise.all(caches.map((cache, index) => cache.set('key', index)));
      expect(await Promise.all(caches.map((cache) => cache.get('key')))).toEqual([0, 1, 2]);
      await caches[0]!.clear();
      expect(await Promise.all(caches.map((cache) => cache.get('key')))).toEqual([undefined, 1, 2]);
      await close();
      expect(caches.map((cache) => cache.closed)).toEqual([true, true, true]);
    } finally {
      await server.dispose();
    }
  });

  it('named caches stop the boot with every fault of their options', async () => {
    const start = (...features: unknown[]) =>
      boot('express', { imports: [CacheObservabilityModule.forRoot({ prometheus: false }), ...(features as [])] });
    const feature = CacheObservabilityModule.forFeature.bind(CacheObservabilityModule) as (
      name: unknown,
      options?: unknown,
    ) => unknown;
    await expect(start(feature('my sessions', { tll: '5m', layers: [1] }))).rejects.toMatchObject({
      code: 'INVALID_OPTIONS',
      message: expect.stringMatching(
        /forFeature\('my sessions'\): 3 faults[^]*name[^]*did you mean ttl\?[^]*layers\[0\]/,
      ),
    });
    await expect(start(feature('default'))).rejects.toMatchObject({ code: 'INVALID_OPTIONS' });
    await expect(start(sessions(), sessions())).rejects.toMatchObject({
      message: expect.stringContaining('two caches have this name'),
    });
    await expect(boot('express', { imports: [sessions()] })).rejects.toMatchObject({
      message: expect.stringContaining('no CacheObservabilityModule.forRoot()'),
    });
  });

  it('a decorator with an unknown cache name stops the boot', async () => {
    @Injectable()
    class Misspelt {
      @Cached('x:*', { cache: 'sesions' })
      async find(): Promise<unknown> {
        return 1;
      }
    }
    await expect(boot('express', { imports: imports(), providers: [Misspelt] })).rejects.toMatchObject({
      code: 'INVALID_OPTIONS',
      message: expect.stringMatching(/^Misspelt\.find\(\): cache 'sesions': is unknown; did you mean sessions\?/),
    });
  });

  it('the summary at boot lists named caches', async () => {
    const lines: string[] = [];
    const log = (entry: unknown) => {
      const { code, message } = entry as { code?: string; message: string };
      if (code === 'CACHE_READY') lines.push(message);
    };
    const logger: LoggerService = { log, warn: log, error: log };
    await boot('express', { imports: imports(), providers: [Sessions] }, { logger });
    expect(lines).toEqual([expect.stringMatching(/; cache 'sessions' with memory \(this process, at most 2 entries/)]);
  });

  it('the log entries of a named cache carry its name', async () => {
    const port = await freePort();
    const caches: unknown[] = [];
    const log = (entry: object) => {
      const { code, cache } = entry as { code?: string; cache?: string };
      if (code === 'LAYER_LOST') caches.push(cache);
    };
    const logger: LoggerService = { log, warn: log, error: log };
    const layers = [memoryLayer(), redisLayer({ url: `redis://127.0.0.1:${port}` })];
    const { app } = await boot(
      'express',
      {
        imports: [CacheObservabilityModule.forRoot({ prometheus: false }), sessions({ layers })],
        providers: [Sessions],
      },
      { logger },
    );
    await app.get(Sessions).of('ann');
    await eventually(() => caches.length > 0, 'the layer is reported as lost');
    expect(caches).toEqual(['sessions']);
  });
});
