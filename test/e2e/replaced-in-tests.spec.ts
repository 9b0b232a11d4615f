import 'reflect-metadata';
import { Controller, Get, Injectable, Post } from '@nestjs/common';
import { CACHE_MANAGER } from '@nestjs/cache-manager';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import {
  Cached,
  CacheInvalidate,
  cacheMetricsOf,
  CacheMetrics,
  CacheObservabilityModule,
  CacheWarmer,
  createObservedCache,
  InjectCache,
  memoryLayer,
  ObservedCache,
  redisLayer,
} from 'nestjs-cache-observability';
import { CACHE_CLOCK, cacheToken, ManualClock, TimersClock } from 'nestjs-cache-observability/testing';
import { boot, closeApps, platforms } from '../support/apps.js';

const prometheus = { defaultMetrics: false };
let calls = 0;

@Injectable()
class Prices {
  constructor(
    readonly cache: ObservedCache,
    @InjectCache('rates') readonly rates: ObservedCache,
  ) {}

  @Cached('price:{0}', { ttl: '5m' })
  async of(product: number): Promise<{ product: number; call: number }> {
    return { product, call: ++calls };
  }

  @Cached('rate:{0}', { ttl: '5m', cache: 'rates' })
  async rate(currency: string): Promise<{ currency: string; call: number }> {
    return { currency, call: ++calls };
  }

  notCached() {
    return 1;
  }
}

@Controller('feeds')
class Feeds {
  constructor(private readonly prices: Prices) {}

  @Get()
  @Cached('feed:*', { ttl: '5m' })
  list() {
    return { call: ++calls };
  }

  @Post()
  @CacheInvalidate({ keys: ['price:1'] })
  change() {
    return this.prices.cache.get('greeting');
  }
}

/** An application whose Redis is never reachable. */
const metadata = {
  imports: [
    CacheObservabilityModule.forRoot({
      namespace: 'replaced',
      layers: [memoryLayer(), redisLayer({ url: 'redis://127.0.0.1:1', required: true })],
      prometheus,
    }),
    CacheObservabilityModule.forFeature('rates'),
  ],
  controllers: [Feeds],
  providers: [Prices],
};
const inMemory = (options = {}) => ({
  ...metadata,
  imports: [CacheObservabilityModule.forRoot({ prometheus, ...options }), CacheObservabilityModule.forFeature('rates')],
});

afterEach(closeApps);

describe.each(platforms)('an application with a replaced cache, on %s', (platform) => {
  it('an application with a replaced cache starts, runs handlers and methods uncached, and injects the replacement', async () => {
    const double = { get: jest.fn(async (_key: string) => 'hello') };
    const { app, ask } = await boot(platform, metadata, {
      override: (builder) => builder.overrideProvider(ObservedCache).useValue(double),
    });

    const first = await ask().get('/feeds').expect(200);
    const second = await ask().get('/feeds').expect(200);
    expect(second.body).not.toEqual(first.body);
    expect((await ask().post('/feeds').expect(201)).text).toBe('hello');
    expect(double.get).toHaveBeenCalledWith('greeting');
    expect(app.get(CACHE_MANAGER)).toBe(double);
    const prices = app.get(Prices);
    expect(await prices.of(1)).not.toEqual(await prices.of(1));
    await ask().get('/cache/health').expect(200);
    await ask().get('/cache/info').expect(200);
    await app.get(CacheWarmer).warmAll();
    expect(app.get(CacheMetrics).getStats().totalRequests).toBe(0);
  });
});

describe('a test of an application', () => {
  it('a missing method of a replaced cache is named in the error', async () => {
    const { app } = await boot('express', metadata, {
      override: (builder) => builder.overrideProvider(ObservedCache).useValue({ get: jest.fn() }),
    });
    await expect((async () => app.get(Prices).cache.set('a', 1))()).rejects.toThrow('set is not a function');
  });

  it('a test may replace the cache by a stub that inherits from the class', async () => {
    const stub = Object.create(ObservedCache.prototype, { get: { value: async () => 'stubbed' } }) as ObservedCache;
    const { app } = await boot('express', metadata, {
      override: (builder) => builder.overrideProvider(ObservedCache).useValue(stub),
    });
    expect(await app.get(Prices).cache.get('a')).toBe('stubbed');
    expect(await app.get(Prices).of(1)).not.toEqual(await app.get(Prices).of(1));
  });

  it('a test may replace the cache by another cache, which handlers and methods use', async () => {
    const { app, ask } = await boot('express', metadata, {
      override: (builder) =>
        builder.overrideProvider(ObservedCache).useValue(createObservedCache({ layers: [memoryLayer()] })),
    });
    expect((await ask().get('/feeds')).headers['x-cache']).toBe('MISS');
    expect((await ask().get('/feeds')).headers['x-cache']).toBe('HIT');
    const { cache } = app.get(Prices);
    await cache.clear();
    expect((await ask().get('/feeds')).headers['x-cache']).toBe('MISS');
  });

  it('a test may replace a named cache', async () => {
    const double = { get: jest.fn(async (_key: string) => 1.1) };
    const { app } = await boot('express', inMemory(), {
      override: (builder) => builder.overrideProvider(cacheToken('rates')).useValue(double),
    });
    const prices = app.get(Prices);
    expect(await prices.rates.get('rate:EUR')).toBe(1.1);
    expect(await prices.rate('EUR')).not.toEqual(await prices.rate('EUR'));
    expect(await prices.of(1)).toEqual(await prices.of(1));
  });

  it.each(['by the option', 'in place of the clock'])('a test sets the time with a manual clock: %s', async (how) => {
    const clock = new ManualClock();
    const { app, ask } = await boot('fastify', inMemory(how === 'by the option' ? { clock } : {}), {
      override: (builder) =>
        how === 'by the option' ? builder : builder.overrideProvider(CACHE_CLOCK).useValue(clock),
    });
    const prices = app.get(Prices);
    const xCache = async () => (await ask().get('/feeds')).headers['x-cache'] as string;
    const before = [await prices.of(1), await prices.rate('EUR')];
    expect(await xCache()).toBe('MISS');

    await clock.advance(299_999);
    expect([await prices.of(1), await prices.rate('EUR')]).toEqual(before);
    expect(await xCache()).toBe('HIT');

    await clock.advance(2);
    const after = [await prices.of(1), await prices.rate('EUR')];
    expect(after[0]).not.toEqual(before[0]);
    expect(after[1]).not.toEqual(before[1]);
    expect(await xCache()).toBe('MISS');
    expect(app.get(CacheMetrics).getStats('1m').totalRequests).toBeLessThan(
      app.get(CacheMetrics).getStats('all').totalRequests,
    );
  });

  it('a test sets the time with fake timers', async () => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] });
    try {
      const { app } = await boot('express', inMemory({ clock: new TimersClock() }));
      const prices = app.get(Prices);
      const before = await prices.of(1);
      await jest.advanceTimersByTimeAsync(299_000);
      expect(await prices.of(1)).toEqual(before);
      await jest.advanceTimersByTimeAsync(1_001);
      expect(await prices.of(1)).not.toEqual(before);
    } finally {
      jest.useRealTimers();
    }
  });

  it('a test reads the statistics of one method by its name', async () => {
    const { app } = await boot('express', inMemory());
    const prices = app.get(Prices);
    await prices.of(1);
    await prices.of(1);
    expect(cacheMetricsOf(prices, 'of').getStats().cacheHits).toBe(1);
    expect(cacheMetricsOf(Prices.prototype, 'of').getStats().cacheHits).toBe(1);
    expect(() => cacheMetricsOf(prices, 'notCached')).toThrow(
      'cacheMetricsOf: notCached is not decorated with @Cached.',
    );
    // @ts-expect-error -- no method of the class
    expect(() => cacheMetricsOf(prices, 'nothing')).toThrow('nothing is not decorated');
    // @ts-expect-error -- a property, not a method
    expect(() => cacheMetricsOf(prices, 'cache')).toThrow('cache is not decorated');
  });

  it('an invalid clock is refused with the reason', async () => {
    await expect(boot('express', inMemory({ clock: Date }))).rejects.toThrow('clock: must be a clock with after');
  });
});
