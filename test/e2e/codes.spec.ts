import { afterEach, describe, expect, it } from '@jest/globals';
import {
  Body,
  Controller,
  Get,
  Inject,
  Injectable,
  type LoggerService,
  type ModuleMetadata,
  Post,
  Query,
  Redirect,
  Res,
} from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import {
  Cached,
  CacheInvalidate,
  CacheMetrics,
  CacheObservabilityModule,
  type CacheObservabilityOptions,
  memoryLayer,
  ObservedCache,
} from '../../lib/index.js';
import { type BootedApp, boot, closeApps, platforms } from '../support/apps.js';
import { buildClient } from '../support/dashboard-page.js';
import { ScriptedLayer, SharedServer } from '../support/scripted-layer.js';

afterEach(closeApps);

describe.each(platforms)('log lines of each code, once, on %s', (platform) => {
  async function start(metadata: ModuleMetadata, options: CacheObservabilityOptions = {}) {
    const lines: string[] = [];
    const note = (entry: { code: string; message: string }) => void lines.push(`${entry.code} ${entry.message}`);
    const logger: LoggerService = { log: () => undefined, warn: note, error: note };
    const imports = [CacheObservabilityModule.forRoot({ prometheus: false, ...options })];
    const app = await boot(platform, { ...metadata, imports }, { logger });
    return { ...app, lines };
  }

  it('the log names handlers that are never cached, whose method is not, or without background refreshes', async () => {
    @Controller()
    class Pages {
      @Get('moved')
      @Redirect('/')
      @Cached('moved:*')
      moved() {
        return {};
      }

      @Post('search')
      @Cached('search:*')
      search(@Body('text') text: string) {
        return { text };
      }

      @Get('own')
      @Cached('own:*', { shared: true, staleWhileRevalidate: '1m' })
      own(@Res({ passthrough: true }) _response: unknown) {
        return {};
      }
    }
    const { lines } = await start({ controllers: [Pages] });
    expect(lines.sort()).toEqual([
      expect.stringMatching(/^METHOD_NOT_CACHED Pages\.search\(\) answers POST.*methods: \['POST'\]/),
      expect.stringMatching(/^NEVER_CACHED Pages\.moved\(\) is never cached: .*@Redirect/),
      expect.stringMatching(/^NO_BACKGROUND_LOADS Pages\.own\(\) uses its response object/),
    ]);
  });

  it('the log names instances that are frozen or created by code; both run uncached', async () => {
    let calls = 0;
    @Injectable()
    class Frozen {
      constructor() {
        Object.freeze(this);
      }
      @Cached('frozen:*')
      async find(): Promise<number> {
        return ++calls;
      }
    }
    @Injectable()
    class Made {
      @Cached('made:*')
      async find(): Promise<number> {
        return ++calls;
      }
    }
    const { app, lines } = await start({ providers: [Frozen, Made] });
    const made = await app.get(ModuleRef).create(Made);
    for (const one of [app.get(Frozen), made]) expect(await one.find()).not.toBe(await one.find());
    expect(lines).toEqual([
      'INSTANCE_NOT_EXTENSIBLE Frozen is frozen, so its cached methods run uncached.',
      expect.stringMatching(/^INSTANCE_UNKNOWN Made\.find\(\) runs uncached .*vary: 'this\.tenant'/),
    ]);
  });

  it('the log names a handler whose key or tags fail, and the handler answers', async () => {
    const fail = (): never => {
      throw new Error('secret');
    };
    @Controller()
    class Pages {
      @Get('key')
      @Cached('key:*', { key: fail })
      key(@Query('q') q: string) {
        return { q };
      }

      @Get('tags')
      @Cached('tags:*', { tags: fail })
      tags(@Query('q') q: string) {
        return { q };
      }
    }
    const { ask, lines } = await start({ controllers: [Pages] });
    for (let time = 0; time < 2; time++) {
      await ask().get('/key?q=1').expect(200, { q: '1' }).expect('x-cache', 'BYPASS; reason=key');
      await ask().get('/tags?q=1').expect(200, { q: '1' }).expect('x-cache', 'MISS');
    }
    expect(lines).toEqual([
      expect.stringMatching(/^KEY_FAILED Pages\.key\(\)/),
      expect.stringMatching(/^INVALID_OPTIONS .*tags/),
    ]);
    expect(lines.join()).not.toContain('secret');
  });

  it('the log names an invalidation that fails, and its call succeeds', async () => {
    @Injectable()
    class Products {
      constructor(@Inject(ObservedCache) readonly cache: ObservedCache) {}

      @CacheInvalidate({ keys: ['product:{0}'] })
      async change(id: string): Promise<string> {
        return id;
      }
    }
    const { app, lines } = await start({ providers: [Products] });
    const products = app.get(Products);
    // The result of this getter is an input of the template.
    const hostile = {
      toString: () => {
        throw new Error('secret');
      },
      toJSON: () => {
        throw new Error('secret');
      },
    };
    await products.change(hostile as never);
    expect(lines).toEqual([
      expect.stringMatching(/^INVALIDATION_FAILED Products\.change\(\): stale entries may still/),
    ]);
    expect(lines.join()).not.toContain('secret');
  });

  it('the log reports more patterns than are counted separately', async () => {
    const { app, lines } = await start({}, { metrics: { maxPatterns: 1, patternOf: (key) => key.slice(0, 1) } });
    const cache = app.get(ObservedCache);
    for (const key of ['a1', 'b1', 'c1']) await cache.get(key);
    expect(app.get(CacheMetrics).getAllPatternStats()).toHaveLength(2);
    expect(lines).toEqual([
      expect.stringMatching(/^METRICS_OVERFLOW More patterns or endpoints than metrics\.maxPatterns/),
    ]);
  });
});

describe.each(platforms)('responses of the routes on %s', (platform) => {
  const start = (options: CacheObservabilityOptions = {}): Promise<BootedApp> =>
    boot(platform, { imports: [CacheObservabilityModule.forRoot({ prometheus: false, ...options })] });

  it('the routes refuse a form, an unknown file of the dashboard, and events without a stream', async () => {
    await buildClient();
    const { ask } = await start();
    const form = await ask().post('/cache/invalidate').type('form').send({ keys: 'a' });
    expect(form).toMatchObject({ status: 415, body: { statusCode: 415, code: 'UNSUPPORTED_MEDIA_TYPE' } });
    const asset = await ask().get('/cache/dashboard/assets/other.js');
    expect([asset.status, asset.text]).toEqual([404, expect.stringContaining('"code":"UNKNOWN_ASSET"')]);
    // A HEAD has no body: the code STREAM_ONLY is for those who read the reference.
    expect((await ask().head('/cache/events')).status).toBe(405);
  });

  it('the routes name a layer that fails as the cause of misses', async () => {
    const remote = new ScriptedLayer('remote', new SharedServer());
    const { app, ask } = await start({ namespace: 'shop', layers: [memoryLayer(), remote.factory()] });
    remote.failing = new Error('down');
    const cache = app.get(ObservedCache);
    for (let key = 0; key < 20; key++) await cache.getOrSet(`feed:${key}`, () => key);
    const { body } = await ask().get('/cache/stats/low-performers').expect(200);
    expect(body).toMatchObject([{ pattern: 'feed:*', code: 'LAYER_FAILS' }]);
  });
});
