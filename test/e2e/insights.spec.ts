import { afterEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, Inject, Injectable, Param, Query } from '@nestjs/common';
import { Cached, CacheInsight, CacheObservabilityModule, ObservedCache, type Recommendation } from '../../lib/index.js';
import { boot, closeApps, platforms } from '../support/apps.js';

@Injectable()
class Prices {
  @Cached('price:*', { cacheIf: () => false })
  of(id: string) {
    return Promise.resolve({ id });
  }
}

@Controller()
class FeedController {
  constructor(@Inject(Prices) private readonly prices: Prices) {}

  @Get('feed')
  @Cached('feed:*')
  feed(@Query('page') page: string, @Query('ref') _ref: string) {
    return { page };
  }

  @Get('seller/:id')
  @Cached('seller:{params.id}:{query.ref}')
  seller(@Param('id') id: string, @Query('ref') _ref: string) {
    return { id };
  }

  @Get('price/:id')
  price(@Param('id') id: string) {
    return this.prices.of(id);
  }
}

afterEach(closeApps);

const module = () => CacheObservabilityModule.forRoot({ prometheus: false });

describe.each(platforms)('GET /cache/insights on %s', (platform) => {
  it('GET /cache/insights names the input that splits a pattern, and the line of code that leaves the input out', async () => {
    const { ask, app } = await boot(platform, {
      imports: [module()],
      controllers: [FeedController],
      providers: [Prices],
    });
    for (let n = 0; n < 150; n++) {
      await ask()
        .get(`/feed?page=${n % 5}&ref=${n}`)
        .expect(200);
      await ask()
        .get(`/seller/${n % 5}?ref=${n}`)
        .expect(200);
    }
    const { body } = await ask().get('/cache/insights').expect(200).expect('Cache-Control', 'no-store');
    const codes = (body as Recommendation[]).map(({ code, pattern }) => `${code} ${pattern}`);
    expect(codes).toEqual(expect.arrayContaining(['KEY_TOO_SPECIFIC feed:*', 'KEY_TOO_SPECIFIC seller:*:*']));

    const { body: feed } = await ask().get('/cache/insights?pattern=feed:*').expect(200);
    expect(feed).toEqual([
      {
        cache: 'default',
        id: 'KEY_TOO_SPECIFIC:feed:*',
        code: 'KEY_TOO_SPECIFIC',
        declared_by: [{ class: 'FeedController', method: 'feed', transport: 'http', endpoint: 'GET /feed' }],
        pattern: 'feed:*',
        title: 'Leave query.ref out of the keys of feed:*',
        why: expect.stringMatching(/^\d+ % of the keys are requested only once\. query\.ref splits them/),
        change: {
          option: 'ignore',
          from: null,
          to: 'query.ref',
          code: "@Cached('feed:*', { ignore: ['query.ref'] })",
        },
        evidence: expect.objectContaining({ input: 'query.ref', same_value_share: 1 }),
        predicted: expect.objectContaining({
          hit_rate: expect.any(Number),
          time_saved_ms_per_hour: expect.any(Number),
        }),
        confidence: 'medium',
        since: expect.stringMatching(/^\d{4}-\d{2}-\d{2}T/),
      },
    ]);
    expect(feed[0].predicted.hit_rate).toBeGreaterThan(0.85);
    const seller = (body as Recommendation[]).find(({ pattern }) => pattern === 'seller:*:*');
    expect(seller?.change.code).toBe("@Cached('seller:{params.id}', { ignore: ['query.ref'] })");

    const inCode = app.get(ObservedCache).insight.recommendations({ pattern: 'feed:*' });
    expect(app.get(CacheInsight)).toBe(app.get(ObservedCache).insight);
    expect(inCode[0]).toMatchObject({ id: feed[0].id, since: feed[0].since });
  });

  it('GET /cache/stats/low-performers contains the same recommendation as GET /cache/insights', async () => {
    const { ask } = await boot(platform, { imports: [module()], controllers: [FeedController], providers: [Prices] });
    for (let n = 0; n < 30; n++) await ask().get('/price/1').expect(200);
    const { body: insights } = await ask().get('/cache/insights').expect(200);
    const { body: low } = await ask().get('/cache/stats/low-performers').expect(200);
    expect(insights).toMatchObject([{ code: 'NOT_CACHED', pattern: 'price:*' }]);
    expect(low).toMatchObject([{ code: 'NOT_CACHED', pattern: 'price:*', recommendation: insights[0].why }]);
  });

  it('GET /cache/insights refuses a pattern that is empty or too long, and unknown caches', async () => {
    const { ask } = await boot(platform, { imports: [module()], controllers: [FeedController], providers: [Prices] });
    for (const query of ['pattern=', `pattern=${'x'.repeat(600)}`, 'pattern=a&pattern=b', 'cache=other']) {
      await ask().get(`/cache/insights?${query}`).expect(400);
    }
    await ask().get('/cache/insights?pattern=unknown:*').expect(200, []);
  });

  it('GET /cache/insights returns an empty list if insight is off', async () => {
    const imports = [CacheObservabilityModule.forRoot({ prometheus: false, insight: false })];
    const { ask } = await boot(platform, { imports, controllers: [FeedController], providers: [Prices] });
    for (let n = 0; n < 30; n++) await ask().get('/price/1').expect(200);
    await ask().get('/cache/insights').expect(200, []);
  });
});
