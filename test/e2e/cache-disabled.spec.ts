import { Controller, Get, Injectable } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { CacheObservabilityModule } from '../../lib/cache-observability.module.js';
import { Cached } from '../../lib/caching/cached.decorator.js';
import { ObservedCache } from '../../lib/wiring/observed-cache.js';
import { boot, closeApps, platforms } from '../support/apps.js';

let calls = 0;

@Injectable()
class Prices {
  @Cached('price:*')
  async of(id: string) {
    return { id, call: ++calls };
  }
}

@Controller()
class Shop {
  @Get('shop')
  @Cached('shop:*', { staleWhileRevalidate: '1h' })
  shop() {
    return { call: ++calls };
  }
}

beforeEach(() => {
  calls = 0;
});
afterEach(closeApps);

describe.each(platforms)('a disabled cache on %s', (platform) => {
  async function start(enabled?: boolean) {
    const { app, ask } = await boot(platform, {
      imports: [
        CacheObservabilityModule.forRoot({
          prometheus: { defaultMetrics: false },
          ...(enabled !== undefined && { enabled }),
        }),
      ],
      controllers: [Shop],
      providers: [Prices],
    });
    const bypasses = async () => {
      const { text } = await ask().get('/metrics');
      return Number(/^cache_bypasses_total\{[^}]*reason="disabled"[^}]*\} (\d+)$/m.exec(text)?.[1]);
    };
    return { cache: app.get(ObservedCache), prices: app.get(Prices), ask, bypasses };
  }

  it('a disabled cache sends every access to its origin and counts a bypass, not an access', async () => {
    const { cache, prices, ask, bypasses } = await start();
    await ask().get('/shop').expect('x-cache', 'MISS');
    await ask().get('/shop').expect('x-cache', 'HIT');
    await prices.of('1');
    await cache.set('k', 'kept');
    const { totalRequests } = cache.metrics.getStats();
    expect(await bypasses()).toBe(0);
    cache.enabled = false;
    await ask().get('/shop').expect('x-cache', 'BYPASS; reason=disabled').expect({ call: 3 });
    expect(await bypasses()).toBe(1);
    expect(await prices.of('1')).toMatchObject({ call: 4 });
    expect(await bypasses()).toBe(2);
    expect(await cache.getOrSet('k', () => 'origin')).toBe('origin');
    expect(await cache.wrap('k', () => 'origin')).toBe('origin');
    expect(await bypasses()).toBe(4);
    expect(await cache.getOrSetMany(['k', 'l'], (keys) => keys.map(() => 'origin'))).toEqual(['origin', 'origin']);
    expect(await bypasses()).toBe(6);
    expect([await cache.get('k'), await cache.mget(['k', 'l'])]).toEqual([undefined, [undefined, undefined]]);
    expect(await bypasses()).toBe(9);
    expect(cache.metrics.getStats()).toMatchObject({ totalRequests, bypasses: 9 });
  });

  it('a disabled cache still removes invalidated and replaced entries, and has the other entries when it is enabled again', async () => {
    const { cache, ask, bypasses } = await start();
    for (const key of ['deleted', 'replaced', 'many', 'tagged', 'glob:1', 'kept']) {
      await cache.getOrSet(key, () => 'old', { tags: key === 'tagged' ? ['red'] : [] });
    }
    await ask().get('/shop');
    cache.enabled = false;
    await cache.del('deleted');
    await cache.set('replaced', 'new');
    await cache.mset([{ key: 'many', value: 'new' }]);
    await cache.invalidateTags('red');
    await cache.deleteByPattern('glob:*');
    cache.enabled = true;
    const keys = ['deleted', 'replaced', 'many', 'tagged', 'glob:1', 'kept'];
    expect(await cache.mget(keys)).toEqual([...Array<undefined>(5).fill(undefined), 'old']);
    await ask().get('/shop').expect('x-cache', 'HIT');
    expect(await bypasses()).toBe(0);
  });

  it('a cache starts disabled if the options say so', async () => {
    const { cache, prices, ask, bypasses } = await start(false);
    for (const call of [1, 2]) await ask().get('/shop').expect('x-cache', 'BYPASS; reason=disabled').expect({ call });
    expect(await prices.of('1')).toMatchObject({ call: 3 });
    expect([cache.enabled, await bypasses()]).toEqual([false, 3]);
  });
});
