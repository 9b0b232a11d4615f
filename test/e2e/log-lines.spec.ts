import { ConsoleLogger, Controller, Get, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { CacheObservabilityModule } from '../../lib/cache-observability.module.js';
import { Cached } from '../../lib/caching/cached.decorator.js';
import type { CacheLog } from '../../lib/cache/base/cache-log.js';
import { unguardedNestLog } from '../../lib/nest-log.js';

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

describe("the log through Nest's ConsoleLogger", () => {
  afterEach(() => void jest.restoreAllMocks());
  const say: CacheLog = (...entry) => unguardedNestLog()(...entry);

  it('prints each entry as a line of text with its code', async () => {
    const text = await printed(new ConsoleLogger({ colors: false }), () => undefined);
    expect(text).toMatch(/\[CacheObservability\] \[CACHE_READY\] Cache ready: layers memory/);
    expect(text).not.toContain('Object(');
  });

  it('adds the fields that the message does not contain', async () => {
    const text = await printed(new ConsoleLogger({ colors: false }), () =>
      say('warn', 'LAYER_FAILED', 'redis: a read failed.', { layer: 'redis', failures: 3 }),
    );
    expect(text).toMatch(/\[LAYER_FAILED\] redis: a read failed\. failures=3\n/);
  });

  it('writes the entry as fields where the logger writes JSON', async () => {
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

  it('keeps code and message where a detail has their name', async () => {
    const text = await printed(new ConsoleLogger({ colors: false }), () =>
      say('warn', 'LAYER_FAILED', 'A read failed.', { code: 'OTHER', message: 'another' }),
    );
    expect(text).toContain('[LAYER_FAILED] A read failed.');
  });
});
