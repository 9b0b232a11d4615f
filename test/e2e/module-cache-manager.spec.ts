import { afterEach, describe, expect, it } from '@jest/globals';
import {
  CACHE_MANAGER,
  Cache as CacheToken,
  CacheInterceptor,
  CacheKey,
  CacheModule,
  CacheTTL,
} from '@nestjs/cache-manager';
import { Controller, Get, Inject, Injectable, Module, UseInterceptors } from '@nestjs/common';
import type { Cache } from 'cache-manager';
import { CacheMetrics, CacheObservabilityModule, ObservedCache } from '../../lib/index.js';
import { boot, closeApps, platforms } from '../support/apps.js';

let calls = 0;

@Controller()
@UseInterceptors(CacheInterceptor)
class InterceptedController {
  @Get('plain')
  plain() {
    return { calls: ++calls };
  }

  @Get('keyed')
  @CacheKey('keyed:answer')
  @CacheTTL(60_000)
  keyed() {
    return { calls: ++calls };
  }
}

@Injectable()
class Legacy {
  constructor(
    @Inject(CACHE_MANAGER) readonly byToken: Cache,
    @Inject(CacheToken) readonly byClass: Cache,
  ) {}
}

@Module({ imports: [CacheModule.register({ ttl: 60_000 })], providers: [Legacy] })
class LegacyModule {}

@Injectable()
class Second {
  constructor(@Inject(CACHE_MANAGER) readonly cache: Cache) {}
}

@Module({ imports: [CacheModule.register()], providers: [Second] })
class SecondModule {}

afterEach(closeApps);

describe.each(platforms)('code written for @nestjs/cache-manager on %s', (platform) => {
  it('code for @nestjs/cache-manager works unchanged over our cache and is observed', async () => {
    const { app, ask } = await boot(platform, {
      imports: [CacheObservabilityModule.forRoot({ prometheus: false })],
      controllers: [InterceptedController],
      providers: [Legacy],
    });
    const first = (await ask().get('/plain').expect(200)).body;
    const second = await ask().get('/plain').expect(200);
    expect(second.body).toEqual(first);
    expect(second.headers['x-cache']).toBe('HIT');
    await ask().get('/keyed').expect(200);
    expect(await app.get(ObservedCache).get('keyed:answer')).toEqual({ calls });
    const expiry = await app.get(ObservedCache).ttl('keyed:answer');
    expect(expiry! - Date.now()).toBeGreaterThan(50_000);
    expect(expiry! - Date.now()).toBeLessThanOrEqual(60_000);
    expect(app.get(Legacy).byToken).toBe(app.get(ObservedCache));
    expect(app.get(Legacy).byClass).toBe(app.get(ObservedCache));
    expect(app.get(CacheMetrics).getStats().cacheHits).toBeGreaterThanOrEqual(1);
    expect(app.get(CacheMetrics).getPatternStats('/*')).toMatchObject({ cacheHits: 1, cacheMisses: 1 });
  });

  it("code for @nestjs/cache-manager is observed in place with cache: 'app', whichever module imports the CacheModule", async () => {
    const { app, ask } = await boot(platform, {
      imports: [LegacyModule, SecondModule, CacheObservabilityModule.forRoot({ cache: 'app', prometheus: false })],
    });
    const one = app.select(LegacyModule).get<Cache>(CACHE_MANAGER, { strict: false });
    const { byToken, byClass } = app.get(Legacy);
    expect(byClass).toBe(byToken);
    expect(one).toBeDefined();
    await byToken.set('user:1', { name: 'Ada' });
    expect(await byToken.get('user:1')).toEqual({ name: 'Ada' });
    expect(await app.get(Second).cache.get('user:1')).toBeUndefined();
    expect(app.get(CacheMetrics).getPatternStats('user:*')).toMatchObject({ cacheHits: 1, cacheMisses: 1, sets: 1 });
    expect((await ask().get('/cache/stats')).body).toMatchObject({ total_requests: 2, cache_hits: 1 });
  });

  it("cache: 'app' serves @Cached and ObservedCache from the application's cache too", async () => {
    const { app } = await boot(platform, {
      imports: [LegacyModule, CacheObservabilityModule.forRoot({ cache: 'app', prometheus: false })],
    });
    await app.get(ObservedCache).set('a', 1);
    expect(await app.get(Legacy).byToken.get('a')).toBe(1);
    expect(app.get(CacheMetrics).getStats()).toMatchObject({ totalRequests: 1, sets: 1 });
  });
});

describe("cache: 'app'", () => {
  it("cache: 'app' provides no second CACHE_MANAGER", async () => {
    const start = boot('express', {
      imports: [CacheObservabilityModule.forRoot({ cache: 'app', prometheus: false }), LegacyModule],
      providers: [Second],
    });
    await expect(start).rejects.toThrow(/CACHE_MANAGER/);
  });

  it("cache: 'app' fails the boot without a CacheModule to observe", async () => {
    const start = boot('express', { imports: [CacheObservabilityModule.forRoot({ cache: 'app' })] });
    await expect(start).rejects.toMatchObject({
      code: 'INVALID_OPTIONS',
      message: expect.stringMatching(/CacheModule/),
    });
  });
});
