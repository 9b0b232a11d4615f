import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Injectable, type LoggerService } from '@nestjs/common';
import {
  CacheMetrics,
  CacheObservabilityModule,
  memoryLayer,
  ObservedCache,
  redisLayer,
  WarmingStrategy,
} from '../../lib/index.js';
import { boot, closeApps } from '../support/apps.js';
import { eventually, freePort, RedisServer } from '../support/redis.js';
import { beforeTimer } from '../support/before-timer.js';

/** A logger that records its lines. */
class Notebook implements LoggerService {
  readonly lines: { level: string; message: unknown; rest: unknown[] }[] = [];
  log = (message: unknown, ...rest: unknown[]) => void this.lines.push({ level: 'log', message, rest });
  warn = (message: unknown, ...rest: unknown[]) => void this.lines.push({ level: 'warn', message, rest });
  error = (message: unknown, ...rest: unknown[]) => void this.lines.push({ level: 'error', message, rest });

  about(layer: string) {
    return this.lines.filter(({ message }) => (message as { layer?: string } | null)?.layer === layer);
  }
}

let warmingBegan = false;

@Injectable()
@WarmingStrategy({ name: 'endless' })
class Endless {
  async *entries(signal: AbortSignal) {
    warmingBegan = true;
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
    yield { key: 'never', value: 1 };
  }
}

const options = (port: number, required = false) => ({
  layers: [memoryLayer(), redisLayer({ url: `redis://127.0.0.1:${port}`, required })],
  prometheus: false as const,
});

afterEach(closeApps);

describe('starting without Redis', () => {
  it('an application without Redis logs the outage once, continues, and connects when Redis is up', async () => {
    const port = await freePort();
    const logger = new Notebook();
    const { app, ask } = await boot(
      'express',
      { imports: [CacheObservabilityModule.forRoot(options(port))] },
      { logger },
    );
    expect(await app.get(ObservedCache).getOrSet('a:1', () => 1)).toBe(1);
    expect(await app.get(ObservedCache).getOrSet('a:2', () => 2)).toBe(2);
    expect(logger.about('redis').filter(({ level }) => level !== 'log')).toEqual([
      expect.objectContaining({
        level: 'warn',
        message: expect.objectContaining({ layer: 'redis', code: expect.any(String) }),
      }),
    ]);
    expect((await ask().get('/cache/info')).body).toMatchObject({ redis_version: null });
    const server = await RedisServer.start({}, port);
    try {
      await eventually(() => app.get(ObservedCache).layers[1]!.status().connected, 'the layer connects');
      const version = async () => (await ask().get('/cache/info')).body.redis_version as string | null;
      await eventually(async () => (await version()) !== null, 'the server is asked again');
    } finally {
      await app.close();
      await server.dispose();
    }
  });

  it('an application without Redis fails to start if Redis is required', async () => {
    const port = await freePort();
    await expect(
      boot('express', { imports: [CacheObservabilityModule.forRoot(options(port, true))] }),
    ).rejects.toMatchObject({ code: 'LAYER_REQUIRED', message: expect.stringContaining('redis') });
  });
});

describe('an application with Redis', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await RedisServer.start();
  });
  afterAll(() => server.dispose());

  it('the routes show server information', async () => {
    const { app, ask } = await boot('fastify', { imports: [CacheObservabilityModule.forRoot(options(server.port))] });
    await app.get(ObservedCache).set('a', 1);
    const { body } = await ask().get('/cache/info').expect(200);
    expect(body).toMatchObject({
      redis_version: expect.stringMatching(/^\d+\.\d+/),
      used_memory_human: expect.any(String),
      used_memory: expect.any(Number),
      connected_clients: expect.any(Number),
      total_keys: expect.any(Number),
      uptime_in_seconds: expect.any(Number),
      layers: [
        { layer: 'memory', shared: false, connected: true },
        { layer: 'redis', shared: true, connected: true, circuit_state: 'closed' },
      ],
    });
    expect(body.total_keys).toBeGreaterThanOrEqual(1);
  });

  it('app.close() writes queued entries, aborts warming, and ends within five seconds', async () => {
    const layers = [memoryLayer(), redisLayer({ url: server.url, writes: { flushEvery: '1m' } })];
    const { app } = await boot('express', {
      imports: [CacheObservabilityModule.forRoot({ layers, prometheus: false, warming: { onStartup: true } })],
      providers: [Endless],
    });
    await app.listen(0);
    await eventually(() => warmingBegan, 'warming begins');
    for (let n = 0; n < 50; n++) await app.get(ObservedCache).set(`behind:${n}`, n);
    await beforeTimer(5_500, app.close());
    const client = await server.client();
    expect(await client.keys('*behind:*')).toHaveLength(50);
  });

  it('app.close() ends within five seconds while Redis is frozen', async () => {
    const { app } = await boot('express', { imports: [CacheObservabilityModule.forRoot(options(server.port))] });
    await app.get(ObservedCache).set('a', 1);
    server.freeze();
    try {
      await beforeTimer(5_500, app.close());
    } finally {
      server.resume();
    }
  });

  it('a closed application serves nothing from its cache, and the next application starts with an empty memory', async () => {
    const first = await boot('express', { imports: [CacheObservabilityModule.forRoot(options(server.port))] });
    await first.app.get(ObservedCache).set('kept:1', 'in Redis');
    await first.close();
    const second = await boot('express', { imports: [CacheObservabilityModule.forRoot(options(server.port))] });
    expect(await second.app.get(ObservedCache).get('kept:1')).toBe('in Redis');
    expect(second.app.get(CacheMetrics).getStats()).toMatchObject({ cacheHits: 1, totalRequests: 1 });
  });
});
