import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { Controller, Get, Injectable, type LoggerService, Module, RequestMethod } from '@nestjs/common';
import {
  Cached,
  CacheInvalidate,
  CacheObservabilityModule,
  type CacheObservabilityOptions,
  memoryLayer,
  redisLayer,
} from '../../lib/index.js';
import { type BootOptions, boot, closeApps, platforms } from '../support/apps.js';

interface Logged {
  readonly level: string;
  readonly code: string;
  readonly message: string;
}

class Notebook implements LoggerService {
  readonly entries: Logged[] = [];
  log = this.#noting('log');
  warn = this.#noting('warn');
  error = this.#noting('error');

  #noting(level: string) {
    return (entry: unknown) =>
      void (typeof entry === 'object' && this.entries.push({ level, ...(entry as Omit<Logged, 'level'>) }));
  }

  of(code: string): Logged[] {
    return this.entries.filter((entry) => entry.code === code);
  }
}

@Controller('feeds')
class Feeds {
  @Get()
  @Cached('feed:*')
  list() {
    return [];
  }
}

@Injectable()
class Prices {
  @Cached('price:{0}')
  async of(product: number) {
    return product;
  }

  @Cached('prices:*')
  async all() {
    return [];
  }

  @CacheInvalidate({ keys: ['price:{0}'] })
  async change(product: number) {
    return product;
  }
}

const summary = async (
  options: CacheObservabilityOptions,
  { platform = 'express', ...more }: BootOptions & { platform?: (typeof platforms)[number] } = {},
) => {
  const logger = new Notebook();
  await boot(
    platform,
    { imports: [CacheObservabilityModule.forRoot(options)], controllers: [Feeds], providers: [Prices] },
    { ...more, logger },
  );
  const found = logger.of('CACHE_READY');
  expect(found).toEqual([expect.objectContaining({ level: 'log' })]);
  return found[0]!.message;
};

afterEach(async () => {
  jest.restoreAllMocks();
  await closeApps();
});

describe('the summary at boot', () => {
  it.each(platforms)('the summary at boot lists layers, handlers, routes and versions on %s', async (platform) => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
    expect(await summary({ serviceName: 'shop' }, { platform })).toMatch(
      new RegExp(
        "^Cache ready: layers memory \\(this process, at most 10000 entries.*\\); namespace 'shop'; 1 cached handler and 2 cached methods; " +
          'fast lane off; metrics on; routes at /cache, dashboard at /cache/dashboard, writes open to everybody; Prometheus at /metrics; ' +
          `nestjs-cache-observability ${version.replaceAll('.', '\\.')}\\.$`,
      ),
    );
  });

  it('the summary at boot masks the credentials of a URL', async () => {
    const layers = [
      memoryLayer({ maxEntries: 500 }),
      redisLayer({ url: 'redis://shop:hunter2@127.0.0.1:1/3', deadline: '50ms' }),
    ];
    const message = await summary({ layers, namespace: 'shop', version: '7' });
    expect(message).toMatch(
      /layers memory \(this process, at most 500 entries.*\), redis \(redis:\/\/\S*@127\.0\.0\.1:1/,
    );
    expect(message).toContain("namespace 'shop', version '7'");
    expect(message).not.toMatch(/hunter2|shop:/);
  });

  it('the summary at boot shows paths with their global prefix', async () => {
    const message = await summary(
      { monitoring: { path: 'ops/cache' }, prometheus: { path: 'prom' } },
      {
        configure: (app) =>
          void app.setGlobalPrefix('api/v1', { exclude: [{ path: 'prom', method: RequestMethod.GET }] }),
      },
    );
    expect(message).toContain('routes at /api/v1/ops/cache, dashboard at /api/v1/ops/cache/dashboard, writes');
    expect(message).toContain('Prometheus at /prom;');
  });

  it('the summary at boot shows who may write and which features are off', async () => {
    const { NODE_ENV } = process.env;
    try {
      process.env['NODE_ENV'] = 'production';
      expect(await summary({})).toContain('writes closed;');
      delete process.env['NODE_ENV'];
      expect(await summary({})).toContain('writes open to this machine only;');
    } finally {
      process.env['NODE_ENV'] = NODE_ENV;
    }
    expect(await summary({ monitoring: { writeGuards: [{ canActivate: () => true }] } })).toContain('writes guarded;');
    const off = await summary({ monitoring: false, prometheus: false, metrics: false, enabled: false });
    expect(off).toMatch(/^Cache switched off .*metrics off; no monitoring routes; no Prometheus route;/);
    expect(await summary({ http: { fastLane: { skipMiddleware: true } } })).toContain('fast lane on;');
  });
});

describe('warnings at boot', () => {
  it('warnings at boot name the modules that register the module a second time', async () => {
    @Module({ imports: [CacheObservabilityModule.forRoot({ monitoring: false, prometheus: false })] })
    class SecondModule {}
    const logger = new Notebook();
    @Module({ imports: [CacheObservabilityModule.forRoot(), SecondModule] })
    class FirstModule {}
    @Module({})
    class OtherModule {}
    await boot('express', { imports: [FirstModule, OtherModule] }, { logger });
    expect(logger.of('MODULE_TWICE')).toEqual([
      expect.objectContaining({
        level: 'warn',
        message: expect.stringContaining('2 times in one application (imported by FirstModule, SecondModule):'),
      }),
    ]);
  });

  it('warnings at boot name decorated classes in an application without the module', async () => {
    const logger = new Notebook();
    const { ask } = await boot('express', { controllers: [Feeds], providers: [Prices] }, { logger });
    expect(logger.of('NO_MODULE')).toEqual([
      expect.objectContaining({ level: 'warn', message: expect.stringMatching(/^(Feeds, Prices|Prices, Feeds) use/) }),
    ]);
    await ask().get('/feeds').expect(200);
  });

  it('warnings at boot name the versions if two versions are loaded', async () => {
    const versions = (globalThis as Record<symbol, unknown>)[
      Symbol.for('nestjs-cache-observability:versions')
    ] as Set<string>;
    versions.add('0.0.7');
    const logger = new Notebook();
    try {
      await boot('express', { imports: [CacheObservabilityModule.forRoot()] }, { logger });
    } finally {
      versions.delete('0.0.7');
    }
    expect(logger.of('SEVERAL_VERSIONS')).toEqual([
      expect.objectContaining({ level: 'warn', message: expect.stringMatching(/^Versions 0\.0\.7 and \d+\.\d+\.\d+/) }),
    ]);
  });

  it('a warning at boot reports open writes without guards if NODE_ENV is not set', async () => {
    const { NODE_ENV } = process.env;
    const warnings = async (options: CacheObservabilityOptions) => {
      const logger = new Notebook();
      await boot('express', { imports: [CacheObservabilityModule.forRoot(options)] }, { logger });
      return logger.of('WRITES_OPEN');
    };
    try {
      delete process.env['NODE_ENV'];
      expect(await warnings({})).toEqual([
        expect.objectContaining({
          level: 'warn',
          message: expect.stringMatching(/NODE_ENV is not set.*monitoring\.guards/),
        }),
      ]);
      expect(await warnings({ monitoring: { guards: [{ canActivate: () => true }] } })).toEqual([]);
      expect(await warnings({ monitoring: false })).toEqual([]);
      for (const environment of ['production', 'development']) {
        process.env['NODE_ENV'] = environment;
        expect(await warnings({})).toEqual([]);
      }
    } finally {
      process.env['NODE_ENV'] = NODE_ENV;
    }
  });

  it('a correct application logs no warnings at boot', async () => {
    const logger = new Notebook();
    await boot(
      'express',
      {
        imports: [CacheObservabilityModule.forRoot({ serviceName: 'shop' })],
        controllers: [Feeds],
        providers: [Prices],
      },
      { logger },
    );
    expect(logger.entries.filter(({ level }) => level !== 'log')).toEqual([]);
  });
});
