import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Controller, Get, type LoggerService } from '@nestjs/common';
import { ManualClock } from '../support/manual-clock.js';

interface Logged {
  readonly code?: string;
  readonly message: string;
}

const textOf = (entry: unknown): string => (typeof entry === 'string' ? entry : String((entry as Logged).message));

describe.each(['express', 'fastify'] as const)('warming without light-my-request, on %s', (platform) => {
  const warnings: unknown[] = [];
  let close: () => Promise<void>;

  beforeAll(async () => {
    jest.resetModules();
    jest.unstable_mockModule('light-my-request', () => {
      throw Object.assign(new Error("Cannot find package 'light-my-request'"), { code: 'ERR_MODULE_NOT_FOUND' });
    });
    const { Cached, CacheObservabilityModule } = await import('../../lib/index.js');
    const { boot, closeApps } = await import('../support/apps.js');

    @Controller('feeds')
    class Feeds {
      @Get()
      @Cached('feed:*', { warm: [{}] })
      list() {
        return [];
      }
    }
    const note = (entry: unknown) => void warnings.push(entry as Logged);
    const logger: LoggerService = { log: () => undefined, warn: note, error: note };
    const clock = new ManualClock();
    const imports = [CacheObservabilityModule.forRoot({ prometheus: false, clock })];
    await boot(platform, { imports, controllers: [Feeds] }, { logger });
    await clock.advance(1_000);
    close = closeApps;
  });
  afterAll(() => close?.());

  it(platform === 'express' ? 'one warning at boot names handler and package' : '`warm` needs no package', () => {
    const missing = warnings.map(textOf).filter((text) => text.includes('light-my-request'));
    expect(missing).toEqual(
      platform === 'express'
        ? [expect.stringMatching(/^warm of Feeds\.list\(\) has no effect\. .*npm install light-my-request@6$/)]
        : [],
    );
  });
});
