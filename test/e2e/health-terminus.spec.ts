import { afterEach, describe, expect, it } from '@jest/globals';
import { type BeforeApplicationShutdown, Controller, Get, Inject, Injectable, Module } from '@nestjs/common';
import { HealthCheck, HealthCheckService, TerminusModule } from '@nestjs/terminus';
import {
  Cached,
  CacheHealthIndicator,
  CacheObservabilityModule,
  type CacheObservabilityOptions,
  memoryLayer,
  ObservedCache,
  redisLayer,
} from '../../lib/index.js';
import { boot, closeApps, type Platform, platforms } from '../support/apps.js';
import { eventually, RedisServer } from '../support/redis.js';

@Controller('health')
class HealthController {
  constructor(
    @Inject(HealthCheckService) private readonly health: HealthCheckService,
    @Inject(CacheHealthIndicator) private readonly cache: CacheHealthIndicator,
  ) {}

  @Get()
  @HealthCheck()
  check() {
    return this.health.check([() => this.cache.isHealthy('cache')]);
  }
}

const start = (platform: Platform, options: CacheObservabilityOptions) =>
  boot(platform, {
    imports: [TerminusModule, CacheObservabilityModule.forRoot({ prometheus: false, ...options })],
    controllers: [HealthController],
  });

afterEach(closeApps);

describe.each(platforms)('Terminus on %s', (platform) => {
  it('the health indicator shows a working cache as up', async () => {
    const { ask } = await start(platform, {});
    expect((await ask().get('/health').expect(200)).body).toMatchObject({
      status: 'ok',
      info: { cache: { status: 'up', health: 'healthy', layers: { memory: 'up' } } },
    });
  });

  it('the health indicator shows the cache as degraded if it misses too often, and returns 200', async () => {
    const { app, ask } = await start(platform, { health: { minimumRequests: 1 } });
    await app.get(ObservedCache).get('nothing');
    expect((await ask().get('/health').expect(200)).body).toMatchObject({
      status: 'degraded',
      details: { cache: { status: 'degraded', warnings: [{ code: 'LOW_HIT_RATE' }] } },
    });
  });

  it('the health indicator shows the cache as degraded while an optional layer is unreachable', async () => {
    const layers = [memoryLayer(), redisLayer({ url: 'redis://127.0.0.1:1' })];
    const { ask } = await start(platform, { layers });
    expect((await ask().get('/health').expect(200)).body.details.cache).toMatchObject({
      status: 'degraded',
      layers: { memory: 'up', redis: 'down' },
      warnings: [
        { code: 'LAYER_DOWN', message: expect.stringContaining(': its server refuses connections (ECONNREFUSED).') },
      ],
    });
    expect((await ask().get('/cache/stats/layers').expect(200)).body[1]).toMatchObject({
      failure: expect.stringContaining('redis://127.0.0.1:1 refuses connections (ECONNREFUSED). Start its server'),
    });
  });

  it.each([
    ['a server', { url: 'redis://127.0.0.1:1' }],
    ['a server of sentinels', { sentinel: { name: 'main', rootNodes: [{ host: '127.0.0.1', port: 1 }] } }],
    ['a cluster', { cluster: { rootNodes: [{ url: 'redis://127.0.0.1:1' }] } }],
  ])('the health indicator names no address of %s, since health routes are often public', async (_kind, options) => {
    const { ask } = await start(platform, { layers: [memoryLayer(), redisLayer(options)], namespace: 'shop' });
    const { text } = await ask().get('/health').expect(200);
    expect(text).toContain('LAYER_DOWN');
    expect(text).not.toContain('127.0.0.1');
  });

  it('the health indicator shows a layer that does not answer as down, although it is connected', async () => {
    const redis = await RedisServer.start();
    try {
      const layers = [redisLayer({ url: redis.url, deadline: 20, breaker: { window: 100, minimumCalls: 1 } })];
      const { app, ask } = await start(platform, { layers, namespace: 'shop' });
      redis.freeze();
      const shown = async () => {
        await app.get(ObservedCache).get('nothing');
        return (await ask().get('/health').expect(200)).body.details.cache;
      };
      await eventually(async () => (await shown()).warnings[0]?.code === 'CIRCUIT_OPEN', 'the circuit opens');
      expect(await shown()).toMatchObject({ status: 'degraded', layers: { redis: 'down' } });
      redis.resume();
    } finally {
      await closeApps();
      await redis.dispose();
    }
  });

  it('the cache serves, and readiness fails, while the application waits for its last requests', async () => {
    let end!: () => void;
    /** Waits as `gracefulShutdownTimeoutMs` does, until the test has seen enough. */
    @Injectable()
    class Waiting implements BeforeApplicationShutdown {
      beforeApplicationShutdown = () => new Promise<void>((resolve) => (end = resolve));
    }
    @Module({ providers: [Waiting] })
    class WaitingModule {}
    /** Nest closes the modules nearest to the root first: Terminus before the one that waits. */
    @Module({ imports: [WaitingModule] })
    class OuterModule {}
    @Controller('feeds')
    class Feeds {
      loads = 0;
      @Get()
      @Cached('feed:*')
      list() {
        return [++this.loads];
      }
    }
    const { app, close } = await boot(platform, {
      imports: [
        TerminusModule,
        OuterModule,
        CacheObservabilityModule.forRoot({ prometheus: false, persistence: false }),
      ],
      controllers: [HealthController, Feeds],
    });
    await app.listen(0, '127.0.0.1');
    const url = await app.getUrl();
    const ask = (path: string) => fetch(`${url}${path}`, { headers: { connection: 'close' } });
    await ask('/feeds');
    const closed = close();
    await eventually(async () => (await ask('/health')).status === 503, 'readiness fails');
    const answer = await ask('/feeds');
    expect([answer.status, answer.headers.get('x-cache'), await answer.json()]).toEqual([200, 'HIT', [1]]);
    expect((await ask('/cache/stats')).status).toBe(200);
    end();
    await closed;
    await expect(ask('/feeds')).rejects.toThrow();
  });
});
