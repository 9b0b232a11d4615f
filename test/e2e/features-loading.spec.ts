import { Controller, Get } from '@nestjs/common';
import { afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { LayerFactory } from '../../lib/cache/layers/layer.js';
import type { CacheObservabilityOptions } from '../../lib/options/cache-observability.options.js';
import type { BootedApp } from '../support/apps.js';

/* Promise: the fast lane, the layers outside this process, the observation of databases, what the monitoring routes do, the views of profiles and prom-client
   are loaded on first use. */

const loaded: string[] = [];

/** Counts how often a module is loaded, and returns it unchanged. */
async function countLoading(name: string, path: string): Promise<void> {
  const actual = await import(path);
  jest.unstable_mockModule(path, () => {
    loaded.push(name);
    return { ...(actual as object) };
  });
}

let layer: { readonly redis: () => LayerFactory; readonly stores: () => LayerFactory };
let start: (options: CacheObservabilityOptions, fastLane: boolean) => Promise<BootedApp>;
let close: () => Promise<void>;

beforeAll(async () => {
  await countLoading('fast lane', '../../lib/caching/fast-lane/application-lane.js');
  await countLoading('Redis', '../../lib/cache/layers/redis/bare-redis-layer.js');
  await countLoading('stores', '../../lib/cache/layers/stores/text-layers.js');
  await countLoading('database records', '../../lib/database/records/database-records.js');
  await countLoading('routes', '../../lib/monitoring/route-handlers.js');
  await countLoading('profile views', '../../lib/profiling/views.js');
  await countLoading('prom-client', 'prom-client');
  const { CacheObservabilityModule, Cached, keyvLayer, redisLayer } = await import('../../lib/index.js');
  layer = { redis: () => redisLayer({ url: 'redis://127.0.0.1:1' }), stores: () => keyvLayer(new Map() as never) };
  const { boot, closeApps } = await import('../support/apps.js');
  close = closeApps;
  start = (options, fastLane) => {
    @Controller()
    class Feed {
      @Get('feed')
      @Cached('feed:*', { ttl: '5m', fastLane })
      feed() {
        return { feed: 'open' };
      }
    }
    const imports = [CacheObservabilityModule.forRoot(options)];
    return boot('express', { imports, controllers: [Feed] });
  };
});
afterEach(async () => {
  await close();
  loaded.length = 0;
});

describe('loading of optional features', () => {
  it('an application starts, answers hits and shows databases without loading optional features', async () => {
    const { ask } = await start({}, false);
    for (let turn = 0; turn < 3; turn++) await ask().get('/feed').expect(200);
    expect(loaded).toEqual([]);
    const { body } = (await ask().get('/cache/database').expect(200)) as { body: { data?: object } };
    expect(JSON.stringify(body)).toContain('"pools":[]');
    expect(loaded).toEqual(['routes']);
  });

  it('an application loads the fast lane if a handler uses it', async () => {
    await start({}, true);
    expect(loaded).toEqual(['fast lane']);
  });

  it.each([
    ['Redis', () => layer.redis()],
    ['stores', () => layer.stores()],
  ])('an application loads the code of %s with its first layer there', async (name, make) => {
    await start({ layers: [make()], namespace: 'shop' }, false);
    expect(loaded).toEqual([name]);
  });

  it('an application loads the profile views with the first request for a profile', async () => {
    const { ask } = await start({ profiling: { every: 1 } }, false);
    await ask().get('/feed').expect(200);
    expect(loaded).toEqual([]);
    await ask().get('/cache/flamegraph').expect(200);
    expect(loaded).toEqual(['profile views']);
  });

  it('an application loads prom-client with the first scrape', async () => {
    const { ask } = await start({}, false);
    expect(loaded).toEqual([]);
    for (let scrape = 0; scrape < 2; scrape++) {
      const { text } = await ask().get('/metrics').expect(200);
      expect(text).toContain('process_cpu_user_seconds_total');
    }
    expect(loaded).toEqual(['prom-client']);
  });

  it('an application loads the database records with the database entry point, which exports the token that the module provides', async () => {
    const { app, ask } = await start({}, false);
    const { DatabaseMetrics, databaseMetrics } = await import('../../lib/database/index.js');
    expect(loaded).toEqual(['database records']);
    expect(app.get(DatabaseMetrics)).toBe(databaseMetrics);
    databaseMetrics.query('SELECT * FROM users', 'postgresql', true, 3);
    const { text } = await ask().get('/cache/database').expect(200);
    expect(text).toContain('users');
  });
});
