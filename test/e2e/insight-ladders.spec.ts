import { afterEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, Param } from '@nestjs/common';
import { Cached, CacheInsight, CacheObservabilityModule, type CacheObservabilityOptions } from '../../lib/index.js';
import { boot, closeApps, platforms } from '../support/apps.js';

@Controller()
class ProductController {
  @Get('product/:id')
  @Cached('product:*', { ttl: '1m' })
  product(@Param('id') id: string) {
    return { id };
  }
}

afterEach(closeApps);

describe.each(platforms)('the routes of insight on %s', (platform) => {
  const start = async (options: CacheObservabilityOptions = {}) => {
    const imports = [CacheObservabilityModule.forRoot({ prometheus: false, ...options })];
    const { ask, app } = await boot(platform, { imports, controllers: [ProductController] });
    const read = async (id: string, times: number) => {
      for (let time = 0; time < times; time++) await ask().get(`/product/${id}`).expect(200);
    };
    return { ask, app, read };
  };

  it('GET /cache/insights/ttl shows the TTL ladder of a pattern, with what is missing', async () => {
    const { ask, app, read } = await start();
    await read('1', 5);
    const { body } = await ask().get('/cache/insights/ttl?pattern=product:*').expect(200);

    expect(body).toMatchObject({
      pattern: 'product:*',
      ttl_ms: 60_000,
      accesses: 5,
      withheld: 'accesses: 5 of the 1000 that it needs',
    });
    expect(body.ladder.map((rung: { ttl_ms: number }) => rung.ttl_ms / 60_000)).toEqual([
      0.25, 0.5, 1, 2, 4, 8, 16, 64,
    ]);
    expect(body.ladder[0]).toEqual({
      ttl_ms: 15_000, hit_rate: null, hit_rate_error: null, stale_share: null, stale_share_error: null, loads_per_hour: null,
      load_ms_per_hour: null, withheld: body.withheld,
    }); // prettier-ignore
    expect(app.get(CacheInsight).ttlLadder('product:*').accesses).toBe(5);
  });

  it('GET /cache/hot-keys lists the hottest keys, masked', async () => {
    const { ask, read } = await start();
    await read('anna', 300);
    await read('bert', 60);
    const { body } = await ask().get('/cache/hot-keys?limit=5').expect(200);

    expect(body[0]).toMatchObject({
      key: 'product:•••',
      pattern: 'product:*',
      id: expect.stringMatching(/^[0-9a-f]{8}$/),
    });
    expect(body[0].requests).toBeGreaterThan(20);
    expect(JSON.stringify(body)).not.toContain('anna');
  });

  it('GET /cache/hot-keys shows keys in full with insight.showKeys', async () => {
    const { ask, read } = await start({ insight: { showKeys: true } });
    await read('anna', 300);
    const { body } = await ask().get('/cache/hot-keys').expect(200);

    expect(body[0].key).toContain('anna');
  });

  it('GET /cache/insights/memory shows how the hit rate depends on the memory', async () => {
    const { ask, read } = await start();
    await read('1', 5);
    const { body } = await ask().get('/cache/insights/memory').expect(200);

    expect(body).toHaveLength(1);
    expect(body[0]).toMatchObject({
      layer: 'memory',
      eviction: 'worth',
      withheld: expect.stringContaining('accesses: 5'),
    });
    expect(body[0].ladder.map(({ factor }: { factor: number }) => factor)).toEqual([0.25, 0.5, 1, 2, 4, 8]);
  });

  it('the routes of insight refuse a missing pattern, a limit out of range and unknown caches', async () => {
    const { ask } = await start();
    for (const path of [
      'insights/ttl',
      'insights/ttl?pattern=',
      'hot-keys?limit=0',
      'hot-keys?cache=other',
      'insights/memory?cache=other',
    ]) {
      await ask().get(`/cache/${path}`).expect(400);
    }
  });

  it('the routes of insight return what is missing if insight is off', async () => {
    const { ask } = await start({ insight: false });
    const { body } = await ask().get('/cache/insights/ttl?pattern=product:*').expect(200);
    expect(body).toMatchObject({ withheld: 'insight: it is off', ladder: [] });
    await ask().get('/cache/hot-keys').expect(200, []);
    await ask().get('/cache/insights/memory').expect(200, []);
  });
});
