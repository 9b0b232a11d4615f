import { Controller, Get, Injectable, Param, ParseIntPipe } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { CacheObservabilityModule } from '../../lib/cache-observability.module.js';
import { Cached } from '../../lib/caching/cached.decorator.js';
import { cacheKeyOf } from '../../lib/caching/keys/cache-key-of.js';
import { ObservedCache } from '../../lib/wiring/observed-cache.js';
import { CacheWarmer } from '../../lib/warming/cache-warmer.js';
import { boot, closeApps, platforms } from '../support/apps.js';

interface Page {
  readonly id: string;
  readonly seller: number;
}

const PAGE_KEY = 'page:{params.id}';
const STOCK_KEY = 'stock:{0}';
const OFFER_KEY = 'offer:{params.id}';

@Controller()
class Shop {
  @Get('pages/:id')
  @Cached(PAGE_KEY, { ttl: '1h', tags: ['page:{params.id}', 'seller:{result.seller}'] })
  page(@Param('id') id: string): Page {
    return { id, seller: 0 };
  }

  @Get('offers/:id')
  @Cached(OFFER_KEY, {
    ttl: ({ seller }: Page) => (seller === 1 ? '10s' : '1h'),
    cacheIf: ({ seller }: Page) => seller !== 13,
    tags: ({ seller }: Page) => [`seller:${seller}`],
  })
  offer(@Param('id', ParseIntPipe) id: number): Page {
    return { id: String(id), seller: 0 };
  }

  @Get('languages/:id')
  @Cached('language:{params.id}', { tags: ['language:{headers.accept-language}', 'language:{params.id}'] })
  language(@Param('id') id: string) {
    return { id };
  }
}

@Injectable()
class Stock {
  @Cached(STOCK_KEY, { ttl: '1h', tags: ['stock:{0}'] })
  async of(id: unknown) {
    return { id, origin: true };
  }
}

describe.each(platforms)('entries written outside their handler, on %s', (platform) => {
  let cache: ObservedCache;
  let warmer: CacheWarmer;
  const warnings: string[] = [];

  beforeEach(async () => {
    warnings.length = 0;
    const { app } = await boot(
      platform,
      {
        imports: [CacheObservabilityModule.forRoot({ ttl: '5m' })],
        controllers: [Shop],
        providers: [Stock],
      },
      { logger: { log() {}, error() {}, warn: (message: unknown) => warnings.push(JSON.stringify(message)) } },
    );
    cache = app.get(ObservedCache);
    warmer = app.get(CacheWarmer);
  });
  afterEach(closeApps);

  const value: Page = { id: 'x', seller: 7 };
  const ways: Record<string, (key: string, page: Page) => Promise<unknown>> = {
    set: (key, page) => cache.set(key, page),
    mset: (key, page) => cache.mset([{ key, value: page }]),
    setMany: (key, page) => cache.setMany([{ key, value: page }]),
    getOrSet: (key, page) => cache.getOrSet(key, () => page),
    getOrSetMany: (key, page) => cache.getOrSetMany([key], () => [page]),
    wrap: (key, page) => cache.wrap(key, () => page),
    'a store': (key, page) => Promise.resolve(cache.stores[0]!.set(key, page)),
    warmSpecificKey: (key, page) => warmer.warmSpecificKey(key, page),
    warmBatch: (key, page) => warmer.warmBatch({ [key]: page }),
    'a strategy': async (key, page) => {
      warmer.register({ entries: () => [{ key, load: () => page }] }, { name: key });
      await warmer.warm(key);
    },
  };
  const write = async (way: string, key: string, page: Page) => {
    await ways[way]!(key, page);
    expect(await cache.get(key)).toEqual(page);
  };

  it.each(Object.keys(ways))('an entry written by %s has the tags from its key and its value', async (way) => {
    const id = 'a b/c:d*ž';
    const key = cacheKeyOf(PAGE_KEY, { params: { id } });
    await write(way, key, value);
    await cache.invalidateTags('page:other', 'seller:0');
    expect(await cache.has(key)).toBe(true);
    await cache.invalidateTags(`page:${id}`);
    expect(await cache.has(key)).toBe(false);
    await cache.set(key, value);
    await cache.invalidateTags('seller:7');
    expect(await cache.has(key)).toBe(false);
  });

  it.each(Object.keys(ways))('an entry written by %s has the tags from a function of its value', async (way) => {
    await write(way, 'offer:1', value);
    await cache.invalidateTags('seller:7');
    expect(await cache.has('offer:1')).toBe(false);
  });

  const ttlOf = async (key: string) => ((await cache.ttl(key)) ?? Infinity) - Date.now();

  it.each(Object.keys(ways))('an entry written by %s has the policy of its handler', async (way) => {
    await write(way, 'page:1', value);
    expect(await ttlOf('page:1')).toBeGreaterThan(3_500_000);
    await write(way, 'offer:1', { ...value, seller: 1 });
    expect(await ttlOf('offer:1')).toBeLessThan(11_000);
    await ways[way]!('offer:2', { ...value, seller: 13 }).catch((error: unknown) => {
      expect(error).toMatchObject({ code: 'NOT_CACHEABLE' });
    });
    expect(await cache.has('offer:2')).toBe(false);
  });

  it.each(['set', 'mset'])('%s() removes the older entry even if cacheIf refuses the new value', async (way) => {
    await cache.set('offer:2', value);
    await ways[way]!('offer:2', { ...value, seller: 13 });
    expect(await cache.has('offer:2')).toBe(false);
  });

  it('a load combines the policy of its handler with the options of the call', async () => {
    await cache.getOrSet('offer:1', () => ({ ...value, seller: 1 }), { staleIfError: '1m' });
    expect(await ttlOf('offer:1')).toBeLessThan(11_000);
    await cache.getOrSet('offer:2', () => ({ ...value, seller: 13 }), { ttl: '1m' });
    expect(await cache.has('offer:2')).toBe(false);
    await cache.getOrSet('offer:3', () => ({ ...value, seller: 13 }), { cacheIf: () => true });
    expect(await ttlOf('offer:3')).toBeGreaterThan(3_500_000);
  });

  it('an entry has its own tags and TTL if the call gives them', async () => {
    await cache.set('page:1', value, '1m');
    await cache.wrap('page:4', () => value, '1m');
    await cache.getOrSetMany(['page:5'], () => [value], { ttl: '1m' });
    for (const key of ['page:1', 'page:4', 'page:5']) expect(await ttlOf(key)).toBeLessThan(61_000);
    await cache.setMany([{ key: 'page:2', value, tags: ['own'] }]);
    await cache.getOrSet('page:3', () => value, { tags: ['own'] });
    await cache.invalidateTags('page:2', 'page:3', 'seller:7');
    expect([await cache.has('page:1'), await cache.has('page:2'), await cache.has('page:3')]).toEqual([
      false,
      true,
      true,
    ]);
    await cache.invalidateTags('own');
    expect([await cache.has('page:2'), await cache.has('page:3')]).toEqual([false, false]);
  });

  it.each([
    [42, '42'],
    ['42', '42'],
    ['a-b', 'a-b'],
    [true, 'true'],
    [7n, '7'],
    [['a'], '["a"]'],
  ])('an entry of a method called with %p has the tag of that value', async (argument, text) => {
    const { app } = await boot(platform, { imports: [CacheObservabilityModule.forRoot()], providers: [Stock] });
    const [own, stock] = [app.get(ObservedCache), app.get(Stock)];
    await stock.of(argument);
    const [key] = [...(await keysOf(own))];
    await own.set(key!, { id: argument, origin: false });
    expect(await stock.of(argument)).toMatchObject({ origin: false });
    await own.invalidateTags(`stock:${text}`);
    expect(await stock.of(argument)).toMatchObject({ origin: true });
  });

  it('an entry whose key matches no template inherits nothing', async () => {
    for (const key of ['page:1:more', 'page:a b', 'pages:1', 'page']) {
      await cache.set(key, value);
      expect(await ttlOf(key)).toBeLessThan(301_000);
      await cache.invalidateTags('page:1:more', 'page:a b', 'seller:7');
      expect(await cache.has(key)).toBe(true);
    }
  });

  it('an entry whose key lacks inputs of its tags has the other tags, with one warning', async () => {
    await cache.set('language:1', value);
    await cache.set('language:2', value);
    expect(warnings.filter((warning) => warning.includes('TAGS_INCOMPLETE'))).toHaveLength(1);
    await cache.invalidateTags('language:1');
    expect([await cache.has('language:1'), await cache.has('language:2')]).toEqual([false, true]);
  });
});

async function keysOf(cache: ObservedCache): Promise<string[]> {
  const keys: string[] = [];
  for await (const batch of cache.layers[0]!.keys('*')) keys.push(...batch);
  return keys;
}
