import 'reflect-metadata';
import { CACHE_MANAGER, CacheInterceptor, CacheKey, CacheModule, CacheTTL } from '@nestjs/cache-manager';
import { Controller, Get, Inject, Injectable, Module, UseInterceptors } from '@nestjs/common';
import { afterEach, describe, expect, it } from '@jest/globals';
import { type Cache, createCache } from 'cache-manager';
import { Keyv } from 'keyv';
import { CacheMetrics, CacheObservabilityModule, observeCache, ObservedCache } from 'nestjs-cache-observability';
import { boot, closeApps, platforms } from '../support/apps.js';

const asked: string[] = [];
const prometheus = false;

afterEach(async () => {
  asked.length = 0;
  await closeApps();
});

describe.each(platforms)('the recipes for cache-manager on %s', (platform) => {
  it('code for @nestjs/cache-manager works unchanged', async () => {
    @Injectable()
    class Prices {
      constructor(@Inject(CACHE_MANAGER) private readonly cache: Cache) {}

      of(id: string) {
        return this.cache.wrap(`price:${id}`, () => this.load(id), 60_000);
      }

      private async load(id: string) {
        return asked.push(id);
      }
    }
    @Injectable()
    class Shop {
      constructor(private readonly cache: ObservedCache) {}

      product(id: string) {
        return this.cache.getOrSet(`product:${id}`, () => this.load(id), { ttl: '10m', staleIfError: '1h' });
      }

      private load(id: string) {
        asked.push(id);
        return { id };
      }
    }
    @Controller()
    class RatesController {
      @Get('rates')
      @UseInterceptors(CacheInterceptor)
      @CacheKey('rates')
      @CacheTTL(60_000)
      rates() {
        return { asked: asked.push('rates') };
      }
    }

    const { app, ask } = await boot(platform, {
      imports: [CacheObservabilityModule.forRoot({ prometheus, ttl: '1m' })],
      controllers: [RatesController],
      providers: [Prices, Shop],
    });
    for (let time = 0; time < 2; time++) {
      await ask().get('/rates').expect(200, { asked: 1 });
      expect(await app.get(Prices).of('42')).toBe(2);
      expect(await app.get(Shop).product('42')).toEqual({ id: '42' });
    }
    expect(asked).toEqual(['rates', '42', '42']);
    expect(await app.get<Cache>(CACHE_MANAGER).get('rates')).toEqual({ asked: 1 });
    expect(app.get(CacheMetrics).getPatternStats('product:*')).toMatchObject({ cacheHits: 1, cacheMisses: 1 });
  });

  it('an existing CacheModule can be observed', async () => {
    @Module({
      imports: [
        CacheModule.register({ isGlobal: true, ttl: 60_000 }),
        CacheObservabilityModule.forRoot({ cache: 'app' }),
      ],
    })
    class AppModule {}

    const { app, ask } = await boot(platform, { imports: [AppModule] });
    const cache = app.get<Cache>(CACHE_MANAGER, { strict: false });
    await cache.set('user:1', 'ann');
    await cache.get('user:1');
    await cache.get('user:2');

    expect((await ask().get('/cache/stats').expect(200)).body).toMatchObject({ cache_hits: 1, cache_misses: 1 });
  });
});

describe('a cache created in code', () => {
  it('a cache created in code is the same object when it is observed', async () => {
    const stores = [new Keyv()];
    const cache = observeCache(createCache({ stores }));
    await cache.set('a', 1);
    await cache.get('a');

    expect(cache.metrics.getStats().hitRate).toBe(1);
    await cache.disconnect();
  });
});
