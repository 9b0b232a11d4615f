import { afterEach, expect, it } from '@jest/globals';
import { type CallHandler, Controller, Get, Injectable, Query, UseInterceptors } from '@nestjs/common';
import { tap } from 'rxjs';
import {
  Cached,
  CacheMetrics,
  CacheObservabilityModule,
  CacheWarmer,
  ObservedCache,
  WarmingStrategy,
} from '../../lib/index.js';
import { boot, closeApps, platforms } from '../support/apps.js';

afterEach(closeApps);

@WarmingStrategy({ name: 'sellers' })
@Injectable()
class ActiveSellers implements WarmingStrategy {
  *entries() {
    yield { key: 'seller:1', value: { id: 1 } };
    yield { key: 'seller:2', load: () => ({ id: 2 }) };
  }
}

it.each(platforms)(
  'warmed handlers and keys are hits for real requests, over prefix and HTTP (%s)',
  async (platform) => {
    let calls = 0;
    @Controller('feeds')
    class FeedController {
      @Get('discover')
      @Cached('feed:*', { warm: [{ query: { page: '1' } }, { query: { page: '2' } }] })
      discover(@Query('page') page: string) {
        return { page, call: ++calls };
      }
    }
    const { app, ask } = await boot(
      platform,
      {
        imports: [CacheObservabilityModule.forRoot({ warming: { onStartup: true, blockReadiness: true } })],
        controllers: [FeedController],
        providers: [ActiveSellers],
      },
      { configure: (created) => void created.setGlobalPrefix('api') },
    );
    expect(calls).toBe(2);
    const answer = await ask().get('/api/feeds/discover?page=1&utm_source=mail').expect(200);
    expect(answer.headers['x-cache']).toBe('HIT');
    expect(calls).toBe(2);
    expect(await app.get(ObservedCache).get('seller:2')).toEqual({ id: 2 });
    const again = await ask().post('/api/cache/warm').send({}).expect(200);
    expect(again.body).toMatchObject({ status: 'completed', keys_warmed: 0, keys_skipped: 4, keys_failed: 0 });
    const unknown = await ask()
      .post('/api/cache/warm')
      .send({ strategies: ['nonsense'] })
      .expect(400);
    expect(unknown.body).toMatchObject({ code: 'UNKNOWN_STRATEGY' });
    expect(unknown.body.message).toContain('"sellers"');
    expect(
      app
        .get(CacheWarmer)
        .strategies.map(({ name }) => name)
        .sort(),
    ).toEqual(['handler:FeedController.discover', 'sellers']);
  },
);

it.each(platforms)('warming reports how many keys of a handler were requested later (%s)', async (platform) => {
  @Controller('feeds')
  class FeedController {
    @Get('discover')
    @Cached('feed:*', { warm: [{ query: { page: '1' } }, { query: { page: '2' } }] })
    discover(@Query('page') page: string) {
      return { page };
    }
  }
  const { app, ask } = await boot(platform, {
    imports: [CacheObservabilityModule.forRoot()],
    controllers: [FeedController],
  });
  const warmer = app.get(CacheWarmer);
  // Warming has run once after the start: warm, clear and warm again.
  await ask().get('/nothing').expect(404);
  await warmer.warmAll();
  await app.get(ObservedCache).clear();
  const { id } = await warmer.warmAll();
  expect(warmer.getReport(id)).toMatchObject({ keysWarmed: 2, efficiency: 0 });
  await ask().get('/feeds/discover?page=1').expect(200);
  await ask().get('/feeds/discover?page=1').expect(200);
  expect(warmer.getReport(id)?.efficiency).toBe(0.5);
});

it.each(platforms)('requests of warming count neither as hits nor as misses (%s)', async (platform) => {
  let calls = 0;
  @Controller('feeds')
  class FeedController {
    @Get('discover')
    @Cached('feed:*', { fastLane: true, ttl: '1m', warm: [{ query: { page: '1' } }, { query: { page: '2' } }] })
    discover(@Query('page') page: string) {
      calls += 1;
      return { page };
    }
  }
  const { app, ask } = await boot(platform, {
    imports: [CacheObservabilityModule.forRoot()],
    controllers: [FeedController],
  });
  const warmer = app.get(CacheWarmer);
  await ask().get('/nothing').expect(404);
  // Warming has run once after the start: warm, clear and warm again.
  await warmer.warmAll();
  await app.get(ObservedCache).clear();
  calls = 0;
  const first = await warmer.warmAll();
  expect(await warmer.warmAll()).toMatchObject({ keysWarmed: 0, keysSkipped: 2, keysFailed: 0 });
  expect(calls).toBe(2);
  expect(warmer.getReport(first.id)?.efficiency).toBe(0);
  const stats = () => app.get(CacheMetrics).getPatternStats('feed:*');
  expect(stats()).toMatchObject({ cacheHits: 0, cacheMisses: 0, sets: 4 });

  for (let turn = 0; turn < 4; turn++) await ask().get('/feeds/discover?page=1').expect('x-cache', 'HIT');
  await warmer.warmAll();
  expect(stats()).toMatchObject({ cacheHits: 4, cacheMisses: 0, sets: 4 });
  expect(calls).toBe(2);
});

it.each(platforms)(
  'a request that pretends to be warming is answered and counted like any other (%s)',
  async (platform) => {
    @Controller('feeds')
    class FeedController {
      @Get('discover')
      @Cached('feed:*')
      discover() {
        return { found: true };
      }
    }
    const { app, ask } = await boot(platform, {
      imports: [CacheObservabilityModule.forRoot()],
      controllers: [FeedController],
    });
    const say = () => ask().get('/feeds/discover').set('X-Cache-Warming', 'let me in').expect({ found: true });
    await say().expect('x-cache', 'MISS');
    await say().expect('x-cache', 'HIT');
    expect(app.get(CacheMetrics).getPatternStats('feed:*')).toMatchObject({ cacheHits: 1, cacheMisses: 1 });
  },
);

it.each(platforms)(
  'an interceptor outside a warmed handler receives values, fresh or loaded (%s)',
  async (platform) => {
    const seen: unknown[] = [];
    const watching = {
      intercept: (_context: unknown, next: CallHandler) => next.handle().pipe(tap((value) => seen.push(value))),
    };
    @Controller('feeds')
    @UseInterceptors(watching)
    class FeedController {
      @Get('discover')
      @Cached('feed:*', { warm: [{}] })
      discover() {
        return { found: true };
      }
    }
    const { app, ask } = await boot(platform, {
      imports: [CacheObservabilityModule.forRoot()],
      controllers: [FeedController],
    });
    await ask().get('/nothing').expect(404);
    for (let run = 0; run < 3; run++)
      expect(await app.get(CacheWarmer).warmAll()).toMatchObject({ keysFailed: 0, status: 'completed' });
    expect(seen.length).toBeGreaterThanOrEqual(3);
    expect(seen.every((value) => JSON.stringify(value) === '{"found":true}')).toBe(true);
  },
);
