import { afterEach, describe, expect, it } from '@jest/globals';
import { CacheModule } from '@nestjs/cache-manager';
import { Inject, Injectable, type LoggerService, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ScheduleModule, SchedulerRegistry } from '@nestjs/schedule';
import { createCache } from 'cache-manager';
import {
  Cached,
  CacheMetrics,
  CacheObservabilityModule,
  CacheWarmer,
  type MetricsExporter,
  NoopCollector,
  ObservedCache,
  WarmingStrategy,
} from '../../lib/index.js';
import { boot, closeApps } from '../support/apps.js';

const prometheus = false as const;

class Notebook implements LoggerService {
  readonly messages: unknown[] = [];
  log = (message: unknown) => void this.messages.push(message);
  warn = (message: unknown) => void this.messages.push(message);
  error = (message: unknown) => void this.messages.push(message);
}

@Injectable()
@WarmingStrategy({ name: 'nightly', cron: '0 0 3 * * *' })
class Nightly {
  *entries() {
    yield { key: 'night:1', value: 1 };
  }
}

let lookups = 0;

@Injectable()
class Prices {
  @Cached('price:{0}', { ttl: '1m' })
  async of(product: number) {
    lookups++;
    return { product };
  }
}

@Module({ providers: [Prices], exports: [Prices] })
class PricesModule {}

@Injectable()
class AtInit {
  value: unknown;

  constructor(@Inject(ObservedCache) private readonly cache: ObservedCache) {}

  async onModuleInit() {
    this.value = await this.cache.getOrSet('at:init', () => 'loaded');
  }
}

afterEach(closeApps);

describe('the wiring of the module', () => {
  it('the module caches methods of any injectable in the one cache', async () => {
    lookups = 0;
    const { app } = await boot('express', {
      imports: [PricesModule, CacheObservabilityModule.forRoot({ prometheus })],
    });
    await app.get(Prices).of(7);
    expect(await app.get(Prices).of(7)).toEqual({ product: 7 });
    expect(lookups).toBe(1);
    expect(app.get(CacheMetrics).getPatternStats('price:*')).toMatchObject({ cacheHits: 1, cacheMisses: 1 });
  });

  it('the module has the cache ready before onModuleInit of the application', async () => {
    const { app } = await boot('express', {
      imports: [CacheObservabilityModule.forRoot({ prometheus })],
      providers: [AtInit],
    });
    expect(app.get(AtInit).value).toBe('loaded');
  });

  it('the module has an adopted cache ready before onModuleInit, too', async () => {
    const { app } = await boot('express', {
      imports: [
        CacheModule.register({ isGlobal: true }),
        CacheObservabilityModule.forRoot({ cache: 'app', prometheus }),
      ],
      providers: [AtInit],
    });
    expect(app.get(AtInit).value).toBe('loaded');
  });

  it('the module adopts a given cache', async () => {
    const cache = createCache();
    const { app } = await boot('express', { imports: [CacheObservabilityModule.forRoot({ cache, prometheus })] });
    await app.get(ObservedCache).set('a', 1);
    expect(await cache.get('a')).toBe(1);
    expect(app.get(CacheMetrics).getStats()).toMatchObject({ sets: 1, cacheHits: 1 });
  });

  it("the module warns once of a CacheModule that is not observed, and not with cache: 'app'", async () => {
    const warnings = async (cache?: 'app') => {
      const logger = new Notebook();
      const ours = CacheObservabilityModule.forRoot({ prometheus, ...(cache && { cache }) });
      const { close } = await boot('express', { imports: [CacheModule.register(), ours] }, { logger });
      await close();
      return logger.messages.filter((message) => (message as { code?: string }).code === 'UNOBSERVED_CACHE');
    };
    expect(await warnings()).toHaveLength(1);
    expect(await warnings('app')).toHaveLength(0);
  });

  it("the module adds the jobs of warming to the application's ScheduleModule", async () => {
    const { app } = await boot('express', {
      imports: [ScheduleModule.forRoot(), CacheObservabilityModule.forRoot({ prometheus })],
      providers: [Nightly],
    });
    expect([...app.get(SchedulerRegistry).getCronJobs().keys()]).toEqual(['cache-warming:nightly']);
  });

  it('the module works without a ScheduleModule of the application, and adds none', async () => {
    const { app } = await boot('express', {
      imports: [CacheObservabilityModule.forRoot({ prometheus })],
      providers: [Nightly],
    });
    expect(() => app.get(SchedulerRegistry, { strict: false })).toThrow();
    expect(app.get(CacheWarmer).strategies).toEqual([expect.objectContaining({ name: 'nightly' })]);
  });

  it('the module reports every access to collectors, also when they throw', async () => {
    const recorded: string[] = [];
    const collector = Object.assign(new NoopCollector(), {
      recordChainGet: (hit: boolean) => {
        recorded.push(hit ? 'hit' : 'miss');
        throw new Error('collector');
      },
    });
    const { app } = await boot('express', {
      imports: [CacheObservabilityModule.forRoot({ prometheus, collectors: [collector] })],
    });
    await app.get(ObservedCache).getOrSet('a', () => 1);
    await app.get(ObservedCache).getOrSet('a', () => 1);
    expect(recorded).toEqual(['miss', 'hit']);
  });

  it('the module starts exporters with the name of the service, and exports a last time on close', async () => {
    const events: string[] = [];
    const exporter: MetricsExporter = {
      name: 'notes',
      intervalMs: 60_000,
      start: ({ serviceName }) => void events.push(`start ${serviceName}`),
      export: ({ families }) =>
        void events.push(`export ${families.some(({ name }) => name === 'cache_operations_total')}`),
      stop: () => void events.push('stop'),
    };
    const { close } = await boot('express', {
      imports: [CacheObservabilityModule.forRoot({ prometheus, exporters: [exporter], serviceName: 'shop' })],
    });
    await close();
    expect(events).toEqual(['start shop', 'export true', 'stop']);
  });

  it('the module works in an application without HTTP', async () => {
    @Module({ imports: [CacheObservabilityModule.forRoot()], providers: [Nightly] })
    class WorkerModule {}
    const app = await NestFactory.createApplicationContext(WorkerModule, { logger: false });
    try {
      expect(await app.get(CacheWarmer).warm('nightly')).toMatchObject({ keysWarmed: 1 });
      expect(await app.get(ObservedCache).get('night:1')).toBe(1);
    } finally {
      await app.close();
    }
  });
});
