import { afterEach, describe, expect, it } from '@jest/globals';
import {
  Controller,
  Get,
  Injectable,
  type MiddlewareConsumer,
  Module,
  Param,
  Query,
  VersioningType,
} from '@nestjs/common';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import {
  Cached,
  CacheObservabilityModule,
  type CacheObservabilityOptions,
  memoryLayer,
  ObservedCache,
  WarmingStrategy,
} from '../../lib/index.js';
import { boot, type BootOptions, closeApps, type Platform, platforms } from '../support/apps.js';

@Controller('feeds')
class FeedController {
  @Get('discover')
  @Cached('feed:*', { ttl: '5m' })
  discover(@Query('page') page = '1') {
    return { page };
  }
}

@Controller('products')
class ProductController {
  @Get(':id')
  @Cached('product:{params.id}', { tags: ['catalogue'] })
  find(@Param('id') id: string) {
    return { id };
  }
}

@Injectable()
@WarmingStrategy({ name: 'numbers' })
class Numbers {
  *entries() {
    for (let n = 1; n <= 3; n++) yield { key: `number:${n}`, value: n };
  }
}

const start = (platform: Platform, options: CacheObservabilityOptions = {}, configure?: BootOptions['configure']) =>
  boot(
    platform,
    {
      imports: [CacheObservabilityModule.forRoot({ prometheus: false, ...options })],
      controllers: [FeedController, ProductController],
      providers: [Numbers],
    },
    configure === undefined ? {} : { configure },
  );

afterEach(closeApps);

describe.each(platforms)('the monitoring routes on %s', (platform) => {
  it('the monitoring routes return statistics by pattern, endpoint, layer and operation', async () => {
    const { ask } = await start(platform);
    for (const page of ['1', '1', '1', '2']) await ask().get('/feeds/discover').query({ page }).expect(200);
    await ask().get('/products/7').expect(200);

    const stats = (await ask().get('/cache/stats').expect(200)).body;
    expect(stats).toMatchObject({
      total_requests: 5,
      cache_hits: 2,
      cache_misses: 3,
      recalculations: 3,
      hit_rate: 0.4,
      miss_rate: 0.6,
      stale_hits: 0,
      coalesced: 0,
      bypasses: 0,
      errors: 0,
      window: 'all',
    });
    for (const name of ['avg', 'p50', 'p95', 'p99', 'max']) {
      expect(stats[`${name}_response_time_ms`]).toEqual(expect.any(Number));
    }
    expect(stats.coverage_seconds).toEqual(expect.any(Number));

    const patterns = (await ask().get('/cache/stats/patterns').expect(200)).body;
    expect(patterns).toContainEqual(expect.objectContaining({ pattern: 'feed:*', cache_hits: 2, cache_misses: 2 }));
    expect(patterns).toContainEqual(expect.objectContaining({ pattern: 'product:*', cache_misses: 1 }));

    const endpoints = (await ask().get('/cache/stats/endpoints').expect(200)).body;
    expect(endpoints).toContainEqual(
      expect.objectContaining({
        endpoint: 'GET /feeds/discover',
        total_requests: 4,
        avg_total_time_ms: expect.any(Number),
      }),
    );
    expect(endpoints).toContainEqual(expect.objectContaining({ endpoint: 'GET /products/:id', total_requests: 1 }));

    const layers = (await ask().get('/cache/stats/layers').expect(200)).body;
    expect(layers).toEqual([
      expect.objectContaining({
        layer: 'memory',
        cache_hits: 2,
        circuit_state: 'closed',
        queue_depth: 0,
        writes_dropped: 0,
      }),
    ]);

    const operations = (await ask().get('/cache/stats/operations').expect(200)).body;
    expect(operations).toContainEqual(expect.objectContaining({ operation: 'get', count: 5, hit_rate: 0.4 }));

    const top = (await ask().get('/cache/stats/top-patterns?limit=1').expect(200)).body;
    expect(top).toEqual([expect.objectContaining({ pattern: 'feed:*', total_requests: 4 })]);

    const low = (await ask().get('/cache/stats/low-performers?threshold=0.5&min_requests=1').expect(200)).body;
    expect(low).toEqual([
      expect.objectContaining({
        pattern: 'product:*',
        hit_rate: 0,
        recommendation: expect.stringMatching(/invalidation/i),
      }),
    ]);

    const rates = (await ask().get('/cache/hit-rate').expect(200)).body;
    expect(rates.overall).toMatchObject({ '1m': 0.4, '5m': 0.4, '1h': 0.4, '24h': 0.4, all: 0.4 });
    expect(rates.patterns).toContainEqual(
      expect.objectContaining({ pattern: 'feed:*', hit_rates: expect.objectContaining({ all: 0.5 }) }),
    );

    const realtime = (await ask().get('/cache/realtime').expect(200)).body;
    expect(realtime).toMatchObject({ operations_in_flight: 0, hit_rate: 0.4, alerts: expect.any(Array) });
    expect(realtime).toHaveProperty('requests_per_second');
    expect(realtime).toHaveProperty('p99_response_time_ms');
  });

  it('the monitoring routes return every window, and name it', async () => {
    const { ask } = await start(platform);
    for (const window of ['1m', '5m', '1h', '24h', 'all']) {
      expect((await ask().get(`/cache/stats?window=${window}`).expect(200)).body.window).toBe(window);
    }
  });

  it('the monitoring routes return the health with its figures', async () => {
    const { ask } = await start(platform, { health: { minimumRequests: 1 } });
    await ask().get('/products/7');
    expect((await ask().get('/cache/health').expect(200)).body).toMatchObject({
      status: 'degraded',
      hit_rate: 0,
      total_requests: 1,
      warnings: [
        expect.objectContaining({ code: 'LOW_HIT_RATE', value: 0, threshold: 0.5, message: expect.any(String) }),
      ],
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
    });
  });

  it('the monitoring routes return healthy with a note while there are too few accesses to judge', async () => {
    const { ask } = await start(platform);
    expect((await ask().get('/cache/health')).body).toMatchObject({
      status: 'healthy',
      warnings: [],
      note: expect.any(String),
    });
  });

  it('the monitoring routes return servers and layers', async () => {
    const { ask } = await start(platform, { layers: [memoryLayer({ maxEntries: 10 })] });
    await ask().get('/products/7');
    expect((await ask().get('/cache/info').expect(200)).body).toMatchObject({
      redis_version: null,
      used_memory_human: null,
      used_memory: null,
      connected_clients: null,
      total_keys: null,
      uptime_in_seconds: null,
      hit_rate: null,
      layers: [{ layer: 'memory', shared: false, connected: true, entry_count: 1, circuit_state: 'closed' }],
    });
    expect((await ask().get('/cache/database').expect(200)).body).toMatchObject({ pools: [], queries: [] });
  });

  it('the monitoring routes run warming and return the report of the run', async () => {
    const { app, ask } = await start(platform);
    const report = (
      await ask()
        .post('/cache/warm')
        .send({ strategies: ['numbers'] })
        .expect(200)
    ).body;
    expect(report).toMatchObject({
      status: 'completed',
      trigger: 'manual',
      keys_warmed: 3,
      keys_skipped: 0,
      keys_failed: 0,
      strategies: [expect.objectContaining({ strategy: 'numbers', result: 'ok', keys_warmed: 3 })],
    });
    expect(await app.get(ObservedCache).get('number:2')).toBe(2);
  });

  it('the monitoring routes run every warming strategy without a body', async () => {
    const { ask } = await start(platform);
    expect((await ask().post('/cache/warm').expect(200)).body.strategies).toHaveLength(1);
  });

  it('the monitoring routes start warming without waiting, and return where to follow the run', async () => {
    const { ask } = await start(platform);
    const begun = await ask().post('/cache/warm?wait=false').send({}).expect(202);
    expect(begun.headers['location']).toBe(`/cache/warm/${begun.body.id}`);
    const followed = await ask().get(begun.headers['location']!).expect(200);
    expect(followed.body).toMatchObject({
      id: begun.body.id,
      strategies: [expect.objectContaining({ strategy: 'numbers' })],
    });
  });

  it('the monitoring routes refuse an unknown strategy, and list the known ones', async () => {
    const { ask } = await start(platform);
    const { body } = await ask()
      .post('/cache/warm')
      .send({ strategies: ['nubmers'] })
      .expect(400);
    expect(body).toEqual({ statusCode: 400, code: 'UNKNOWN_STRATEGY', message: expect.stringContaining('"numbers"') });
  });

  it('the monitoring routes return 404 for an unknown run', async () => {
    const { ask } = await start(platform);
    const { body } = await ask().get('/cache/warm/none').expect(404);
    expect(body).toEqual({ statusCode: 404, code: 'UNKNOWN_RUN', message: expect.any(String) });
  });

  it('the monitoring routes reset every metric', async () => {
    const { ask } = await start(platform);
    await ask().get('/products/7');
    expect((await ask().post('/cache/reset-metrics').expect(200)).body).toMatchObject({ reset: true });
    expect((await ask().get('/cache/stats')).body).toMatchObject({ total_requests: 0, hit_rate: null });
  });

  it('the monitoring routes invalidate by key, pattern and tag, and return how many entries were removed', async () => {
    const { app, ask } = await start(platform);
    const cache = app.get(ObservedCache);
    await cache.set('a:1', 1);
    await cache.set('b:1', 1);
    await cache.set('b:2', 2);
    await ask().get('/products/7');
    const { body } = await ask()
      .post('/cache/invalidate')
      .send({ keys: ['a:1', 'a:2'], patterns: ['b:*'], tags: ['catalogue'] })
      .expect(200);
    expect(body).toEqual({ keys: 1, patterns: 2, tags: 1 });
    expect(await cache.mget(['a:1', 'b:1', 'b:2'])).toEqual([undefined, undefined, undefined]);
    expect((await ask().get('/products/7')).headers['x-cache']).toBe('MISS');
  });

  it('the monitoring routes invalidate by the largest number and length of globs that are allowed', async () => {
    const { app, ask } = await start(platform);
    const cache = app.get(ObservedCache);
    const literal = 'a'.repeat(480);
    await cache.mset(['x', 'y'].map((name) => ({ key: `${literal}${name}`, value: 1 })));
    const patterns = [
      ...Array.from({ length: 99 }, (_, at) => `none:${at}:*`),
      `${'*'.repeat(16)}${'?'.repeat(30)}a*x`,
    ];
    expect((await ask().post('/cache/invalidate').send({ patterns }).expect(200)).body).toMatchObject({ patterns: 1 });
    expect(await cache.mget([`${literal}x`, `${literal}y`])).toEqual([undefined, 1]);
  });

  it.each([
    ['get', '/cache/stats?window=2m', undefined, 'INVALID_PARAMETER', /1m, 5m, 1h, 24h, all/],
    ['get', '/cache/stats/patterns?window=day', undefined, 'INVALID_PARAMETER', /1m, 5m, 1h, 24h, all/],
    ['get', '/cache/stats/endpoints?window=', undefined, 'INVALID_PARAMETER', /1m, 5m, 1h, 24h, all/],
    ['get', '/cache/stats/layers?window=1M', undefined, 'INVALID_PARAMETER', /1m, 5m, 1h, 24h, all/],
    ['get', '/cache/stats/operations?window=0', undefined, 'INVALID_PARAMETER', /1m, 5m, 1h, 24h, all/],
    ['get', '/cache/stats?window=1m&window=5m', undefined, 'INVALID_PARAMETER', /given once/],
    ['get', '/cache/stats/top-patterns?limit=0', undefined, 'INVALID_PARAMETER', /from 1 to 1000/],
    ['get', '/cache/stats/top-patterns?limit=ten', undefined, 'INVALID_PARAMETER', /from 1 to 1000/],
    ['get', '/cache/stats/low-performers?threshold=50', undefined, 'INVALID_PARAMETER', /from 0 to 1/],
    ['get', '/cache/stats/low-performers?min_requests=-1', undefined, 'INVALID_PARAMETER', /0 or more/],
    ['post', '/cache/warm?wait=maybe', {}, 'INVALID_PARAMETER', /true or false/],
    ['post', '/cache/warm', { strategies: 'numbers' }, 'INVALID_BODY', /list of non-empty texts/],
    ['post', '/cache/warm', { strategy: 'numbers' }, 'INVALID_BODY', /allowed: strategies/],
    ['post', '/cache/invalidate', {}, 'INVALID_BODY', /at least one of keys, patterns, tags/],
    ['post', '/cache/invalidate', { pattern: 'a' }, 'INVALID_BODY', /allowed: keys, patterns, tags/],
    ['post', '/cache/invalidate', { patterns: Array(101).fill('a*') }, 'INVALID_BODY', /at most 100 texts, not 101/],
    [
      'post',
      '/cache/invalidate',
      { patterns: ['a*', 'a'.repeat(513)] },
      'INVALID_BODY',
      /patterns\[1\] has 513 characters/,
    ],
    ['post', '/cache/invalidate', { patterns: ['[a]?*'.repeat(11)] }, 'INVALID_BODY', /patterns\[0\] has 33 wildcards/],
    ['post', '/cache/reset-metrics', { now: true }, 'INVALID_BODY', /allowed: nothing/],
  ] as const)('the monitoring routes refuse %s %s with %j', async (method, path, body, code, message) => {
    const { ask } = await start(platform);
    const request = method === 'get' ? ask().get(path) : ask().post(path).send(body);
    const answer = await request.expect(400);
    expect(answer.body).toEqual({ statusCode: 400, code, message: expect.stringMatching(message) });
    expect(answer.headers['cache-control']).toBe('no-store');
  });

  it('the monitoring routes send Cache-Control: no-store', async () => {
    const { ask } = await start(platform);
    for (const path of ['health', 'stats', 'info', 'database', 'hit-rate']) {
      expect((await ask().get(`/cache/${path}`)).headers['cache-control']).toBe('no-store');
    }
  });

  it('the routes and the Prometheus endpoint are outside the global prefix if their options say so', async () => {
    const seen: string[] = [];
    @Module({})
    class Watching {
      configure(consumer: MiddlewareConsumer): void {
        consumer
          .apply((request: { originalUrl?: string; url: string }, _: unknown, next: () => void) => {
            seen.push(request.originalUrl ?? request.url);
            next();
          })
          .forRoutes('*path');
      }
    }
    @Controller('plain')
    class Plain {
      @Get()
      plain() {
        return {};
      }
    }
    const lines: string[] = [];
    const note = ({ message }: { message?: string }) => void lines.push(String(message));
    const { app, ask } = await boot(
      platform,
      {
        imports: [
          CacheObservabilityModule.forRootAsync({
            useFactory: () => ({}),
            monitoring: { path: 'ops/cache', globalPrefix: false, swagger: true },
            prometheus: { globalPrefix: false, defaultMetrics: false },
          }),
          Watching,
        ],
        controllers: [Plain, FeedController],
      },
      {
        configure: (created) => void created.setGlobalPrefix('api', { exclude: ['plain'] }),
        logger: { log: note, warn: note, error: note },
      },
    );
    for (const path of ['/ops/cache/stats', '/ops/cache/stats/patterns', '/metrics', '/plain', '/api/feeds/discover'])
      await ask().get(path).expect(200);
    for (const path of ['/api/ops/cache/stats', '/api/metrics', '/feeds/discover']) await ask().get(path).expect(404);
    const begun = await ask().post('/ops/cache/warm?wait=false').expect(202);
    expect(begun.headers['location']).toMatch(/^\/ops\/cache\/warm\//);
    // Middleware of the application guards them as all other routes.
    for (const path of ['/ops/cache/stats', '/metrics', '/plain', '/api/feeds/discover']) expect(seen).toContain(path);
    expect(lines.join()).toMatch(/routes at \/ops\/cache, .*Prometheus at \/metrics;/);
    const paths = Object.keys(SwaggerModule.createDocument(app, new DocumentBuilder().build()).paths);
    expect(paths).toEqual(expect.arrayContaining(['/ops/cache/stats', '/api/feeds/discover']));
  });

  it('the monitoring routes exist under the global prefix and in every version', async () => {
    const { ask } = await start(platform, { prometheus: { defaultMetrics: false } }, (app) => {
      app.setGlobalPrefix('api');
      app.enableVersioning({ type: VersioningType.URI, defaultVersion: '1' });
    });
    await ask().get('/api/v1/feeds/discover').expect(200);
    expect((await ask().get('/api/cache/stats/endpoints').expect(200)).body).toContainEqual(
      expect.objectContaining({ endpoint: 'GET /api/v1/feeds/discover', total_requests: 1 }),
    );
    const begun = await ask().post('/api/cache/warm?wait=false').expect(202);
    await ask().get(begun.headers['location']!).expect(200);
    await ask().get('/api/metrics').expect(200);
  });
});
