import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller, Get, Param } from '@nestjs/common';
import { Cached, CacheObservabilityModule, memoryLayer, redisLayer } from '../../lib/index.js';
import { boot, closeApps, type Platform, platforms } from '../support/apps.js';
import { eventually, RedisServer } from '../support/redis.js';

@Controller()
class ShopController {
  @Get('products/:id')
  @Cached('product:{params.id}')
  product(@Param('id') id: string) {
    return { id };
  }

  @Get('offers/:id')
  @Cached('offer:{params.id}')
  offer(@Param('id') id: string) {
    return { id };
  }
}

let redis: RedisServer;
beforeAll(async () => (redis = await RedisServer.start()), 20_000);
afterEach(closeApps);
afterAll(() => redis.dispose());

const start = (platform: Platform) =>
  boot(platform, {
    imports: [
      CacheObservabilityModule.forRoot({
        layers: [memoryLayer(), redisLayer({ url: redis.url })],
        namespace: platform,
        fleet: { every: '1s' },
        prometheus: false,
      }),
    ],
    controllers: [ShopController],
  });

describe.each(platforms)('the endpoints of a pattern on %s', (platform) => {
  it('the endpoints whose handlers declare a pattern are counted over the whole fleet', async () => {
    const [one, other] = [await start(platform), await start(platform)];
    for (const { ask } of [one, other]) {
      for (let n = 0; n < 3; n++) await ask().get('/products/1').expect(200);
      await ask().get('/offers/1').expect(200);
    }
    const part = 'stats/endpoints?pattern=product%3A*&scope=fleet';
    const read = async () => (await one.ask().get(`/cache/${part}`).expect(200)).body;
    await eventually(async () => (await read())[0]?.total_requests === 6, 'the requests of both instances', 15_000);
    expect((await read()).map(({ endpoint }: { endpoint: string }) => endpoint)).toEqual(['GET /products/:id']);
    const overview = `/cache/dashboard/overview?part=${encodeURIComponent(part)}`;
    const { body } = await one.ask().get(overview).set('Cache-Control', 'max-age=0').expect(200);
    expect(body.answers[part]).toMatchObject([{ endpoint: 'GET /products/:id', total_requests: 6 }]);
    expect(body.instances).toEqual({ [part]: 2 });
  }, 30_000);
});
