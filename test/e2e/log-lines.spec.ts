import { ConsoleLogger, Controller, Get, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { CacheObservabilityModule } from '../../lib/cache-observability.module.js';
import { Cached } from '../../lib/caching/cached.decorator.js';
import type { CacheLog } from '../../lib/cache/base/cache-log.js';
import { unguardedNestLog } from '../../lib/wiring/nest-log.js';
import { memoryLayer } from '../../lib/cache/layers/memory-layer.js';
import { redisLayer } from '../../lib/cache/layers/redis/redis-layer.js';
import { ObservedCache } from '../../lib/wiring/observed-cache.js';
import { eventually, freePort, RedisServer } from '../support/redis.js';

@Controller()
class Feeds {
  @Get('feed')
  @Cached('feed:*')
  list() {
    return [];
  }
}

@Module({ imports: [CacheObservabilityModule.forRoot()], controllers: [Feeds] })
class Application {}

/** What Nest's own logger prints during `work`. */
async function printed(logger: ConsoleLogger, work: () => unknown): Promise<string> {
  let text = '';
  const write = jest.spyOn(process.stdout, 'write').mockImplementation((chunk) => {
    text += String(chunk);
    return true;
  });
  const app = await NestFactory.create(Application, { logger });
  await app.init();
  await work();
  await app.close();
  write.mockRestore();
  return text;
}

describe("log lines of Nest's ConsoleLogger", () => {
  afterEach(() => void jest.restoreAllMocks());
  const say: CacheLog = (...entry) => unguardedNestLog()(...entry);

  it('the log prints each entry as a line of text with its code', async () => {
    const text = await printed(new ConsoleLogger({ colors: false }), () => undefined);
    expect(text).toMatch(/\[CacheObservability\] \[CACHE_READY\] Cache ready: layers memory/);
    expect(text).not.toContain('Object(');
  });

  it('the log adds the fields that the message does not contain', async () => {
    const text = await printed(new ConsoleLogger({ colors: false }), () =>
      say('warn', 'LAYER_FAILED', 'redis: a read failed.', { layer: 'redis', failures: 3 }),
    );
    expect(text).toMatch(/\[LAYER_FAILED\] redis: a read failed\. failures=3\n/);
  });

  it('the log writes the entry as fields if the logger writes JSON', async () => {
    const text = await printed(new ConsoleLogger({ json: true, colors: false }), () =>
      say('warn', 'LAYER_FAILED', 'redis: a read failed.', { layer: 'redis' }),
    );
    const line = text.split('\n').find((one) => one.includes('LAYER_FAILED'))!;
    expect(JSON.parse(line)).toMatchObject({
      level: 'warn',
      context: 'CacheObservability',
      message: { code: 'LAYER_FAILED', message: 'redis: a read failed.', layer: 'redis' },
    });
  });

  it('the log contains code and message if a detail has the same name', async () => {
    const text = await printed(new ConsoleLogger({ colors: false }), () =>
      say('warn', 'LAYER_FAILED', 'A read failed.', { code: 'OTHER', message: 'another' }),
    );
    expect(text).toContain('[LAYER_FAILED] A read failed.');
  });
});

describe('log of an unreachable Redis', () => {
  it('a boot with `required: true` has its error alone', async () => {
    const port = await freePort();
    const lines: string[] = [];
    const write = (entry: unknown) => void lines.push(String((entry as { code?: string }).code ?? ''));
    const url = `redis://127.0.0.1:${port}`;
    @Module({
      imports: [
        CacheObservabilityModule.forRoot({
          namespace: 'shop',
          layers: [memoryLayer(), redisLayer({ url, required: true })],
          fleet: true,
          persistence: true,
          warming: { predictive: true },
        }),
      ],
      controllers: [Feeds],
    })
    class WithRedis {}
    const logger = { log: write, warn: write, error: () => undefined };
    const app = await NestFactory.create(WithRedis, { logger, abortOnError: false });
    await expect(app.init()).rejects.toMatchObject({ code: 'LAYER_REQUIRED' });
    expect(lines.filter(Boolean)).toEqual([]);
  });

  it('the log says that other processes are not notified of a write, and speaks of no invalidation', async () => {
    const port = await freePort();
    const lines: string[] = [];
    const write = (entry: unknown) => {
      const { code = '', message = '' } = Object(entry) as { code?: string; message?: string };
      if (code.startsWith('BUS_')) lines.push(message);
    };
    const layers = () => [memoryLayer(), redisLayer({ url: `redis://127.0.0.1:${port}` })];
    @Module({
      imports: [CacheObservabilityModule.forRoot({ namespace: 'shop', layers: layers() })],
      controllers: [Feeds],
    })
    class WithRedis {}
    const app = await NestFactory.create(WithRedis, { logger: { log: write, warn: write, error: write } });
    await app.init();
    await app.get(ObservedCache).set('a', 1);
    expect(lines).toEqual([
      'The other processes could not be notified that entries were written or removed: their memory may be outdated until the message reaches them. It is sent again.',
    ]);
    await app.close();
  });

  it('the log has one warning with the cause while Redis is unreachable, and one line when it is back', async () => {
    const port = await freePort();
    const lines: string[] = [];
    const write = (entry: unknown) => {
      const { code = '', message = '' } = Object(entry) as { code?: string; message?: string };
      if (code !== '' && code !== 'CACHE_READY') lines.push(`${code} ${message}`);
    };
    @Module({
      imports: [
        CacheObservabilityModule.forRoot({
          namespace: 'shop',
          layers: [memoryLayer(), redisLayer({ url: `redis://:secret@127.0.0.1:${port}` })],
          fleet: true,
          prometheus: false,
        }),
      ],
      controllers: [Feeds],
    })
    class WithRedis {}
    const app = await NestFactory.create(WithRedis, { logger: { log: write, warn: write, error: write } });
    await app.init();
    const cache = app.get(ObservedCache);
    expect(await cache.getOrSet('a', () => 1, { lock: true })).toBe(1);
    expect(lines).toEqual([
      expect.stringMatching(
        /^LAYER_LOST Layer 'redis' is not used at the moment: redis:\/\/•••@127\.0\.0\.1:\d+ refuses connections \(ECONNREFUSED\)\. Start its server, or correct the address\.$/,
      ),
    ]);
    expect(cache.metrics.getHealth().warnings.map(({ code }) => code)).toEqual(['LAYER_DOWN']);
    const server = await RedisServer.start({ requirepass: 'secret' }, port);
    await eventually(() => lines.some((line) => line.startsWith('LAYER_RESTORED')), 'the layer is restored', 20_000);
    await eventually(() => cache.metrics.getHealth().warnings.length === 0, 'the warnings end', 20_000);
    await app.close();
    await server.dispose();
    expect(lines.map((line) => line.split(' ', 1)[0])).toEqual(['LAYER_LOST', 'LAYER_RESTORED']);
  }, 60_000);
});
