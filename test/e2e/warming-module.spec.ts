import { afterEach, describe, expect, it, jest } from '@jest/globals';
import {
  Body,
  type CanActivate,
  Controller,
  type ExecutionContext,
  Get,
  HttpCode,
  type INestApplication,
  Injectable,
  Logger,
  type ModuleMetadata,
  Param,
  Post,
  Query,
  Scope,
  UseGuards,
  Version,
  VersioningType,
} from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { ScheduleModule, SchedulerRegistry } from '@nestjs/schedule';
import { LayeredCache } from '../../lib/cache/layered-cache.js';
import { memoryLayer } from '../../lib/cache/layers/memory-layer.js';
import type { WarmingOptions } from '../../lib/options/cache-observability.options.js';
import type { CachedHandler } from '../../lib/caching/decoration/cached-handler.js';
import { CachingRuntime } from '../../lib/caching/caching-runtime.js';
import { WarmingRequests } from '../../lib/caching/gate/warming-requests.js';
import { CacheWarmer } from '../../lib/warming/cache-warmer.js';
import { WarmingStrategy } from '../../lib/warming/strategy.js';
import { WARMING_OPTIONS, WARMING_TARGET } from '../../lib/warming/warming-target.js';
import { warmingProviders } from '../../lib/warming/warming.providers.js';
import { boot, closeApps, platforms } from '../support/apps.js';
import { RecordingObserver } from '../support/recording-observer.js';
import { beforeTimer } from '../support/before-timer.js';

afterEach(closeApps);

const OBJECT = 'object';
const json = (value: unknown) => ({ ...(typeof value === OBJECT ? (value as object) : {}) });

@WarmingStrategy({ name: 'discover', priority: 2 })
@Injectable()
class DiscoverFeed implements WarmingStrategy {
  *entries() {
    for (const page of [1, 2, 3]) yield { key: `feed:${page}`, value: { page } };
  }
}
@WarmingStrategy({ name: 'trending' })
@Injectable()
class TrendingSearches implements WarmingStrategy {
  async *entries() {
    for (const term of ['shoes', 'bags']) yield await Promise.resolve({ key: `search:${term}`, load: () => [term] });
  }
}
@WarmingStrategy({ name: 'categories' })
@Injectable()
class TopCategories implements WarmingStrategy {
  entries() {
    return Array.from({ length: 5 }, (_, id) => ({ key: `category:${id}`, load: () => Promise.resolve({ id }) }));
  }
}
@WarmingStrategy({ name: 'sellers', onStartup: false, cron: '0 0 1 1 1 *' })
@Injectable()
class ActiveSellers implements WarmingStrategy {
  entries() {
    return Promise.resolve([{ key: 'seller:live', value: [1, 2] }]);
  }
}
const strategies = [DiscoverFeed, TrendingSearches, TopCategories, ActiveSellers];

/** The warming feature alone, over a real cache. */
function room(options: WarmingOptions, more: ModuleMetadata = {}, handlers: CachedHandler[] = []): ModuleMetadata {
  const cache = new LayeredCache({
    layers: [memoryLayer()],
    namespace: 'c',
    ttl: '5m',
    observer: new RecordingObserver(),
  });
  return {
    imports: [DiscoveryModule, ...(more.imports ?? [])],
    controllers: more.controllers ?? [],
    providers: [
      { provide: LayeredCache, useValue: cache },
      { provide: WARMING_TARGET, useExisting: LayeredCache },
      { provide: WARMING_OPTIONS, useValue: options },
      { provide: CachingRuntime, useValue: { handlers, warming: new WarmingRequests() } },
      ...warmingProviders,
      ...(more.providers ?? []),
    ],
  };
}

async function eventually(so: () => boolean | Promise<boolean>): Promise<void> {
  const until = Date.now() + 4_000;
  while (!(await so())) {
    if (Date.now() > until) throw new Error('it never was so');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

const keysOf = async (app: INestApplication, keys: string[]) => app.get(LayeredCache).freshKeys(keys);

describe('warming at startup', () => {
  const warmed = [
    'feed:1',
    'feed:2',
    'feed:3',
    'search:shoes',
    'search:bags',
    ...[0, 1, 2, 3, 4].map((id) => `category:${id}`),
  ];

  it.each(platforms)('warming at startup runs while the application serves (%s)', async (platform) => {
    const { app } = await boot(platform, room({ onStartup: true }, { providers: strategies }));
    await eventually(async () => (await keysOf(app, warmed)).size === warmed.length);
    expect((await keysOf(app, ['seller:live'])).size).toBe(0);
  });

  it('warming at startup ends before the application is ready, if so configured', async () => {
    const { app } = await boot('express', room({ onStartup: true, blockReadiness: true }, { providers: strategies }));
    expect((await keysOf(app, warmed)).size).toBe(warmed.length);
  });

  it('warming at startup does not run by default', async () => {
    const { app } = await boot('express', room({}, { providers: strategies }));
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect((await keysOf(app, warmed)).size).toBe(0);
    expect(await app.get(CacheWarmer).warmAll()).toMatchObject({ keysWarmed: 11 });
  });

  it('warming at startup does not fail the start when a strategy fails', async () => {
    @WarmingStrategy({ name: 'broken' })
    class Broken implements WarmingStrategy {
      entries(): never {
        throw new Error('no database yet');
      }
    }
    const options = { onStartup: true, blockReadiness: true };
    const { app } = await boot('express', room(options, { providers: [Broken, DiscoverFeed] }));
    expect((await keysOf(app, ['feed:1'])).size).toBe(1);
  });
});

describe('strategies among the providers', () => {
  it('request-scoped strategies are skipped with a warning', async () => {
    @WarmingStrategy({ name: 'scoped' })
    @Injectable({ scope: Scope.REQUEST })
    class Scoped implements WarmingStrategy {
      entries() {
        return [];
      }
    }
    const warn = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
    const { app } = await boot('express', room({}, { providers: [Scoped, DiscoverFeed] }));
    expect(app.get(CacheWarmer).strategies.map(({ name }) => name)).toEqual(['discover']);
    expect(warn).toHaveBeenCalledWith(expect.stringMatching(/"scoped".*does not run/));
    warn.mockRestore();
  });

  it('two strategies of one name are refused at boot', async () => {
    @WarmingStrategy({ name: 'discover' })
    class Other implements WarmingStrategy {
      entries() {
        return [];
      }
    }
    await expect(boot('express', room({}, { providers: [DiscoverFeed, Other] }))).rejects.toMatchObject({
      code: 'DUPLICATE_STRATEGY',
    });
  });

  it('a strategy is registered once if several modules provide it', async () => {
    class Feature {}
    const feature = { module: Feature, providers: [DiscoverFeed] };
    const { app } = await boot('express', room({}, { imports: [feature], providers: [DiscoverFeed] }));
    expect(app.get(CacheWarmer).strategies).toHaveLength(1);
  });

  it('a strategy with an invalid cron expression is refused at boot', async () => {
    @WarmingStrategy({ name: 'often', cron: 'every now and then' })
    class Often implements WarmingStrategy {
      entries() {
        return [];
      }
    }
    await expect(boot('express', room({}, { providers: [Often] }))).rejects.toMatchObject({
      code: 'INVALID_OPTIONS',
      message: expect.stringContaining('"often" has an invalid cron expression: "every now and then"'),
    });
  });
});

describe('warming by cron', () => {
  it("warming by cron is a job of the application's own scheduler, runs on its tick and is removed with the application", async () => {
    const metadata = room({}, { imports: [ScheduleModule.forRoot()], providers: strategies });
    const { app, close } = await boot('express', metadata);
    const jobs = app.get(SchedulerRegistry);
    expect([...jobs.getCronJobs().keys()]).toEqual(['cache-warming:sellers']);
    await jobs.getCronJob('cache-warming:sellers').fireOnTick();
    await eventually(async () => (await keysOf(app, ['seller:live'])).size === 1);
    await close();
    expect(jobs.getCronJobs().size).toBe(0);
  });

  it('warming by cron runs without a scheduler of the application', async () => {
    @WarmingStrategy({ name: 'each-second', cron: '* * * * * *' })
    class EachSecond implements WarmingStrategy {
      entries() {
        return [{ key: 'ticked', value: 1 }];
      }
    }
    const { app } = await boot('express', room({}, { providers: [EachSecond] }));
    expect(() => app.get(SchedulerRegistry)).toThrow();
    await eventually(async () => (await keysOf(app, ['ticked'])).size === 1);
  });

  it('warming by cron schedules strategies that are registered later', async () => {
    const { app } = await boot('express', room({}, { imports: [ScheduleModule.forRoot()] }));
    app.get(CacheWarmer).register({ entries: () => [] }, { name: 'late', cron: '0 0 * * * *' });
    expect(app.get(SchedulerRegistry).doesExist('cron', 'cache-warming:late')).toBe(true);
  });
});

describe('warming when the application closes', () => {
  it('a closing application aborts warming and does not wait for it', async () => {
    let signal: AbortSignal | undefined;
    @WarmingStrategy({ name: 'endless' })
    class Endless implements WarmingStrategy {
      async *entries(given: AbortSignal) {
        signal = given;
        for (let n = 0; ; n++) yield { key: `k${n}`, load: () => new Promise<never>(() => undefined) };
      }
    }
    const { app, close } = await boot('express', room({ onStartup: true }, { providers: [Endless] }));
    const warmer = app.get(CacheWarmer);
    await eventually(() => signal !== undefined);
    const run = warmer.start('endless');
    await beforeTimer(4_000, close());
    expect(signal?.aborted).toBe(true);
    expect((await run.done).strategies).toMatchObject([{ result: 'aborted' }]);
  });
});

describe('warming handlers', () => {
  const asked: unknown[] = [];
  @Injectable()
  class KeyGuard implements CanActivate {
    canActivate(context: ExecutionContext) {
      return context.switchToHttp().getRequest<{ headers: Record<string, string> }>().headers['x-api-key'] === 'open';
    }
  }
  @Controller({ path: 'feeds', version: '2' })
  class FeedController {
    @Get(':kind')
    feed(@Param('kind') kind: string, @Query() query: unknown) {
      asked.push(['v2', kind, json(query)]);
      return { kind };
    }

    @Get(':kind')
    @Version('1')
    old(@Param('kind') kind: string) {
      asked.push(['v1', kind]);
      return { kind };
    }
  }
  @Controller({ path: 'guarded', version: '2' })
  @UseGuards(KeyGuard)
  class GuardedController {
    @Get()
    get() {
      asked.push('guarded');
      return {};
    }
  }
  const handler = (more: Partial<CachedHandler> & { path: string; versions?: string[] }): CachedHandler => ({
    className: 'FeedController',
    methodName: 'feed',
    pattern: 'feed:*',
    text: 'feed:*',
    transport: 'http',
    cache: undefined,
    plan: { series: { pattern: 'feed:*', endpoint: undefined } } as CachedHandler['plan'],
    warm: [{}],
    ...more,
    route: { method: 'GET', path: more.path, versions: more.versions ?? [], host: undefined },
  });
  const prefixed = (versioning: Parameters<INestApplication['enableVersioning']>[0]) => (app: INestApplication) => {
    app.setGlobalPrefix('api');
    app.enableVersioning(versioning);
  };
  const controllers = [FeedController, GuardedController];

  afterEach(() => {
    asked.length = 0;
  });

  it.each(platforms)('warming runs handlers after the start, through prefix and version (%s)', async (platform) => {
    const warm = [{ params: { kind: 'new & hot' }, query: { page: '1', tag: ['a', 'b'] } }];
    const metadata = room({}, { controllers }, [handler({ path: '/api/v2/feeds/:kind', warm })]);
    await boot(platform, metadata, { configure: prefixed({ type: VersioningType.URI }) });
    await eventually(() => asked.length === 1);
    expect(asked).toEqual([['v2', 'new & hot', { page: '1', tag: ['a', 'b'] }]]);
  });

  it.each(platforms)('warming of a handler sends the version in a header (%s)', async (platform) => {
    const warm = [{ params: { kind: 'new' } }, { params: { kind: 'old' }, version: '1' }];
    const metadata = room({ blockReadiness: true }, { controllers }, [
      handler({ path: '/api/feeds/:kind', versions: ['2'], warm }),
    ]);
    const versioning = { type: VersioningType.HEADER, header: 'X-Version' } as const;
    const { app } = await boot(platform, metadata, { configure: prefixed(versioning) });
    expect(asked).toEqual(
      expect.arrayContaining([
        ['v2', 'new', {}],
        ['v1', 'old'],
      ]),
    );
    expect(app.get(CacheWarmer).strategies.map(({ name }) => name)).toEqual(['handler:FeedController.feed']);
  });

  it.each(platforms)('warming of a handler sends the version in the media type (%s)', async (platform) => {
    const metadata = room({ blockReadiness: true }, { controllers }, [
      handler({ path: '/api/feeds/:kind', versions: ['2'], warm: [{ params: { kind: 'new' } }] }),
    ]);
    const versioning = { type: VersioningType.MEDIA_TYPE, key: 'v=' } as const;
    await boot(platform, metadata, { configure: prefixed(versioning) });
    expect(asked).toEqual([['v2', 'new', {}]]);
  });

  it.each(platforms)('warming reports a handler whose guard refuses, and continues (%s)', async (platform) => {
    const path = '/api/v2/guarded';
    const metadata = room({ onStartup: false }, { controllers }, [
      handler({
        path,
        className: 'GuardedController',
        methodName: 'get',
        warm: [{}, { headers: { 'X-Api-Key': 'open' } }],
      }),
    ]);
    const { app } = await boot(platform, metadata, { configure: prefixed({ type: VersioningType.URI }) });
    const { strategies } = await app.get(CacheWarmer).warmAll();
    expect(asked).toEqual(['guarded']);
    expect(strategies).toMatchObject([
      {
        strategy: 'handler:GuardedController.get',
        result: 'partial',
        keysWarmed: 1,
        keysFailed: 1,
        errors: [
          {
            code: 'WARMING_HANDLER_REFUSED',
            message: expect.stringContaining('GET /api/v2/guarded (GuardedController.get) answered 403'),
          },
        ],
      },
    ]);
  });

  it.each(platforms)('warming sends a body and measures the size of the response (%s)', async (platform) => {
    @Controller('searches')
    class SearchController {
      @Post()
      @HttpCode(200)
      search(@Body() body: unknown) {
        asked.push(body);
        return { found: ['one', 'two'] };
      }
    }
    const search = handler({
      path: '/searches',
      className: 'SearchController',
      methodName: 'search',
      warm: [{ body: { q: 'shoes' } }],
    });
    const post = { ...search, route: { ...search.route!, method: 'POST' } };
    const { app } = await boot(platform, room({ onStartup: false }, { controllers: [SearchController] }, [post]));
    expect(await app.get(CacheWarmer).warmAll()).toMatchObject({ keysWarmed: 1, bytes: 23 });
    expect(asked).toEqual([{ q: 'shoes' }]);
  });

  it('warming of a handler reports a missing parameter', async () => {
    const metadata = room({ onStartup: false }, { controllers }, [handler({ path: '/api/v2/feeds/:kind' })]);
    const { app } = await boot('express', metadata, { configure: prefixed({ type: VersioningType.URI }) });
    const { strategies } = await app.get(CacheWarmer).warmAll();
    expect(strategies[0]?.errors).toMatchObject([
      { code: 'INVALID_OPTIONS', message: expect.stringContaining('"kind"') },
    ]);
  });

  it('`warm` on a method that is not an HTTP handler is refused at boot', async () => {
    const method = { ...handler({ path: '/' }), route: undefined };
    await expect(boot('express', room({}, {}, [method]))).rejects.toMatchObject({ code: 'INVALID_OPTIONS' });
  });
});
