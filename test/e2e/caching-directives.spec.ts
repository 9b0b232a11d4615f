import { Controller, Get, Query, ServiceUnavailableException } from '@nestjs/common';
import { afterEach, describe, expect, it } from '@jest/globals';
import { AsyncLocalStorage } from 'node:async_hooks';
import { CacheObservabilityModule } from '../../lib/cache-observability.module.js';
import { Cached } from '../../lib/caching/cached.decorator.js';
import { CacheMetrics } from '../../lib/metrics/cache-metrics.js';
import { settle } from '../support/manual-clock.js';
import { boot, closeApps, platforms } from '../support/apps.js';

let calls = 0;
let down = false;
const identity = new AsyncLocalStorage<string>();

@Controller()
class Values {
  @Get('honest')
  @Cached('honest:*', { honorRequestDirectives: true, staleWhileRevalidate: '1h' })
  honest(@Query('page') page = '1') {
    calls += 1;
    return { page, calls };
  }

  @Get('failing')
  @Cached('failing:*', { honorRequestDirectives: true, staleIfError: '1h' })
  failing() {
    if (down) throw new ServiceUnavailableException();
    calls += 1;
    return { calls };
  }

  @Get('deaf')
  @Cached('deaf:*', { clientCache: '1m' })
  deaf() {
    calls += 1;
    return { calls };
  }

  @Get('hidden')
  @Cached('hidden:*')
  hidden() {
    return { user: identity.getStore() ?? null };
  }
}

afterEach(async () => {
  calls = 0;
  down = false;
  await closeApps();
});

describe.each(platforms)('request directives on %s', (platform) => {
  const start = () =>
    boot(platform, { imports: [CacheObservabilityModule.forRoot({ prometheus: false })], controllers: [Values] });

  it('a handler with honorRequestDirectives obeys no-cache and no-store', async () => {
    const { ask, app } = await start();
    const get = (control?: string) => {
      const request = ask().get('/honest');
      return control === undefined ? request : request.set('Cache-Control', control);
    };
    expect((await get('only-if-cached')).status).toBe(504);
    expect((await get()).body.calls).toBe(1);
    expect((await get('only-if-cached')).body.calls).toBe(1);
    expect((await get('max-age=100')).headers['x-cache']).toBe('HIT');
    const reloaded = await get('no-cache');
    expect([reloaded.body.calls, reloaded.headers['x-cache']]).toEqual([2, 'MISS']);
    expect((await get()).body.calls).toBe(2);
    const unstored = await get('no-store');
    expect([unstored.body.calls, unstored.headers['x-cache']]).toEqual([3, 'BYPASS; reason=no-store']);
    expect((await get()).body.calls).toBe(2);
    expect(app.get(CacheMetrics).getStats().bypasses).toBe(2);
  });

  it('no-cache renews an entry and never removes it, also while the origin is down', async () => {
    const { ask } = await start();
    await ask().get('/failing').expect('x-cache', 'MISS');
    down = true;
    for (const control of ['no-cache', 'max-age=0']) {
      const renewed = await ask().get('/failing').set('Cache-Control', control);
      expect([renewed.status, renewed.body, renewed.headers['x-cache']]).toEqual([200, { calls: 1 }, 'STALE']);
      const other = await ask().get('/failing');
      expect([other.status, other.body, other.headers['x-cache']]).toEqual([200, { calls: 1 }, 'HIT']);
    }
  });

  it('a handler without the option ignores request directives', async () => {
    const { ask } = await start();
    await ask().get('/deaf');
    await ask().get('/deaf').set('Cache-Control', 'no-cache').expect('x-cache', 'HIT');
  });

  it('Cache-Control contains how long clients may store the response', async () => {
    const { ask } = await start();
    await ask().get('/deaf').expect('cache-control', 'public, max-age=60');
    await ask().get('/deaf').expect('cache-control', 'public, max-age=60');
  });
});

describe('the probe for hidden inputs', () => {
  it('the probe warns of responses that depend on inputs missing in the key', async () => {
    const warnings: any[] = [];
    const logger = { log() {}, error() {}, warn: (message: unknown) => warnings.push(message) };
    const { ask } = await boot(
      'express',
      { imports: [CacheObservabilityModule.forRoot({ prometheus: false, probe: 1 })], controllers: [Values] },
      {
        logger: logger as never,
        configure: (app) =>
          void app.use((request: { headers: Record<string, string> }, _response: unknown, next: () => void) =>
            identity.run(request.headers['x-user'] ?? '', next),
          ),
      },
    );
    await ask().get('/hidden').set('X-User', 'ann');
    await ask().get('/hidden').set('X-User', 'ann');
    await settle();
    expect(warnings.filter(({ code }) => code === 'PROBE_DIFFERS')).toEqual([]);
    expect((await ask().get('/hidden').set('X-User', 'bob')).body).toEqual({ user: 'ann' });
    await settle();
    expect(warnings).toContainEqual(expect.objectContaining({ code: 'PROBE_DIFFERS' }));
    expect(JSON.stringify(warnings)).not.toMatch(/ann|bob/);
  });
});
