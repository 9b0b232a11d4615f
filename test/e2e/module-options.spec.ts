import { Controller, Get, Injectable, Param } from '@nestjs/common';
import { afterEach, describe, expect, it } from '@jest/globals';
import {
  Cached,
  CacheMetrics,
  type CacheObservabilityOptions,
  CacheObservabilityModule,
  CacheWarmer,
  ObservedCache,
  WarmingStrategy,
} from '../../lib/index.js';
import { boot, closeApps, type Platform, platforms } from '../support/apps.js';
import { EventStream } from '../support/event-stream.js';

let running = 0;
let most = 0;

@Injectable()
@WarmingStrategy({ name: 'ten' })
class Ten {
  *entries() {
    for (let id = 0; id < 10; id++) {
      yield {
        key: `ten:${id}`,
        load: async () => {
          most = Math.max(most, ++running);
          await new Promise((resolve) => setImmediate(resolve));
          running--;
          return id;
        },
      };
    }
  }
}

@Controller()
class ThingsController {
  @Get('one/:id')
  @Cached('one:{params.id}')
  one(@Param('id') id: string) {
    return { id };
  }

  @Get('two/:id')
  @Cached('two:{params.id}')
  two(@Param('id') id: string) {
    return { id };
  }
}

afterEach(async () => {
  running = most = 0;
  await closeApps();
});

const start = (platform: Platform, options: CacheObservabilityOptions) =>
  boot(platform, {
    imports: [CacheObservabilityModule.forRoot({ prometheus: false, ...options })],
    controllers: [ThingsController],
    providers: [Ten],
  });

describe.each(platforms)('options of forRoot take effect on %s', (platform) => {
  it('forRoot applies metrics.maxPatterns and metrics.maxEndpoints', async () => {
    const { app, ask } = await start(platform, { metrics: { maxPatterns: 1, maxEndpoints: 1 } });
    for (const path of ['/one/1', '/two/1']) await ask().get(path).expect(200);
    const metrics = app.get(CacheMetrics);
    expect(
      metrics
        .getAllPatternStats()
        .map(({ pattern }) => pattern)
        .sort(),
    ).toEqual(['__other__', 'one:*']);
    expect(
      metrics
        .getEndpointStats()
        .map(({ endpoint }) => endpoint)
        .sort(),
    ).toEqual(['GET /one/:id', '__other__']);
  });

  it('forRoot applies metrics.patternOf', async () => {
    const { app } = await start(platform, { metrics: { patternOf: (key) => (key === 'x' ? 'mine:*' : undefined) } });
    await app.get(ObservedCache).get('x');
    expect(app.get(CacheMetrics).getPatternStats('mine:*').totalRequests).toBe(1);
  });

  it('forRoot applies metrics.samplingRate', async () => {
    const { app } = await start(platform, { metrics: { samplingRate: 0 } });
    const cache = app.get(ObservedCache);
    await cache.set('k', 1);
    await cache.get('k');
    expect(app.get(CacheMetrics).getStats()).toMatchObject({ cacheHits: 1, sets: 1, avgResponseTimeMs: null });
  });

  it('forRoot applies health.maxAvgResponseTimeMs and health.maxP95ResponseTimeMs', async () => {
    const limits = { minimumRequests: 1, maxAvgResponseTimeMs: 0.000_001, maxP95ResponseTimeMs: 0.000_001 };
    const { ask } = await start(platform, { health: limits });
    await ask().get('/one/1').expect(200);
    const { body } = await ask().get('/cache/health');
    expect((body as { warnings: { code: string }[] }).warnings.map(({ code }) => code)).toEqual(
      expect.arrayContaining(['HIGH_AVG_RESPONSE_TIME', 'HIGH_P95_RESPONSE_TIME']),
    );
  });

  it('forRoot applies policy', async () => {
    const { app, ask } = await start(platform, { policy: { tags: ['everything'] } });
    for (const cached of ['MISS', 'HIT']) await ask().get('/one/1').expect('X-Cache', cached);
    await app.get(ObservedCache).invalidateTags('everything');
    await ask().get('/one/1').expect('X-Cache', 'MISS');
  });

  it('forRoot applies profiling.maxStacks', async () => {
    const { ask } = await start(platform, { profiling: { every: 1, maxStacks: 1 } });
    for (const path of ['/one/1', '/two/1']) await ask().get(path).expect(200);
    const { text } = await ask().get('/cache/flamegraph').expect(200);
    const stacks = text
      .trimEnd()
      .split('\n')
      .map((line) => line.split(' ')[0]);
    expect(stacks).toEqual(['GET_/one/:id;cache.get(one:*);local', '__other__']);
  });

  it('forRoot applies warming.concurrency', async () => {
    const { app } = await start(platform, { warming: { concurrency: 2 } });
    await app.get(CacheWarmer).warm('ten');
    expect(most).toBe(2);
  });

  it('forRoot applies warming.popularKeys', async () => {
    const { app } = await start(platform, { warming: { popularKeys: true } });
    expect(app.get(CacheWarmer).strategies.map(({ name }) => name)).toEqual(['ten', 'popular-keys']);
  });

  it('forRoot applies monitoring.maxEventClients', async () => {
    const { app } = await start(platform, { monitoring: { maxEventClients: 1 } });
    await app.listen(0, '127.0.0.1');
    const first = await EventStream.open(app);
    const second = await fetch(`${await app.getUrl()}/cache/events`);
    expect([second.status, await second.json()]).toMatchObject([503, { code: 'TOO_MANY_CLIENTS' }]);
    first.close();
  });
});
