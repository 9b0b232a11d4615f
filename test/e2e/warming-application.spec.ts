import { afterEach, expect, it } from '@jest/globals';
import { Controller, Get, Injectable, Query } from '@nestjs/common';
import { Cached, CacheObservabilityModule, CacheWarmer, ObservedCache, WarmingStrategy } from '../../lib/index.js';
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

it.each(platforms)('a warmed handler is told how many of its keys were asked for (%s)', async (platform) => {
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
  // Up, and so warmed once by itself: then anew.
  await ask().get('/nothing').expect(404);
  await warmer.warmAll();
  await app.get(ObservedCache).clear();
  const { id } = await warmer.warmAll();
  expect(warmer.getReport(id)).toMatchObject({ keysWarmed: 2, efficiency: 0 });
  await ask().get('/feeds/discover?page=1').expect(200);
  await ask().get('/feeds/discover?page=1').expect(200);
  expect(warmer.getReport(id)?.efficiency).toBe(0.5);
});
