import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Controller, Get } from '@nestjs/common';
import {
  Cached,
  CacheObservabilityModule,
  createObservedCache,
  type MetricsExporter,
  type MetricsSnapshot,
  NoopCollector,
  ObservedCache,
} from '../../lib/index.js';
import { MemoryCollector } from '../../lib/testing/index.js';
import { boot, closeApps, platforms } from '../support/apps.js';

@Controller('feeds')
class FeedController {
  @Get('discover')
  @Cached('feed:*', { ttl: '1m' })
  discover() {
    return { items: ['a'] };
  }
}

/** Records its calls. */
class Notes implements MetricsExporter {
  readonly name = 'notes';
  readonly events: string[] = [];
  last: MetricsSnapshot | undefined;

  constructor(
    readonly intervalMs: number,
    private readonly fails = false,
  ) {}

  start({ serviceName }: { serviceName: string }): void {
    this.#note(`start ${serviceName}`);
  }
  export(snapshot: MetricsSnapshot): void {
    this.last = snapshot;
    this.#note('export');
  }
  stop(): void {
    this.#note('stop');
  }

  hits(): number | undefined {
    const family = this.last?.families.find(({ name }) => name === 'cache_operations_total');
    return [...(family?.points() ?? [])].find(({ labels }) => labels.join() === 'get,hit')?.value;
  }

  #note(event: string): void {
    this.events.push(event);
    if (this.fails) throw new Error('exporter');
  }
}

const failing = new Proxy(new NoopCollector(), {
  get: () => () => {
    throw new Error('collector');
  },
});
const prometheus = { defaultMetrics: false };
const { name: packageName } = JSON.parse(readFileSync('package.json', 'utf8')) as { name: string };

afterEach(() => closeApps());

describe.each(platforms)('collectors and exporters on %s', (platform) => {
  it('forRoot calls each collector and exporter, also if another throws', async () => {
    const collector = new MemoryCollector();
    const [bad, good] = [new Notes(60_000, true), new Notes(60_000)];
    const { ask, close } = await boot(platform, {
      imports: [
        CacheObservabilityModule.forRoot({ prometheus, collectors: [failing, collector], exporters: [bad, good] }),
      ],
      controllers: [FeedController],
    });
    for (let time = 0; time < 3; time++) await ask().get('/feeds/discover').expect(200);
    const { chain, layers } = collector.snapshot();
    expect(chain).toMatchObject({ totalHits: 2, totalMisses: 1, hitsByLayer: { 0: 2 } });
    expect(layers['memory']).toMatchObject({ hits: 2, sets: 1 });
    expect((await ask().get('/cache/stats').expect(200)).body).toMatchObject({ cache_hits: 2 });
    await close();
    for (const { events } of [bad, good]) expect(events).toEqual([`start ${packageName}`, 'export', 'stop']);
    expect(good.hits()).toBe(2);
  });

  it('forRootAsync calls exporters at their interval with the name of the service', async () => {
    const collector = new MemoryCollector();
    const exporter = new Notes(20);
    const { app, close } = await boot(platform, {
      imports: [
        CacheObservabilityModule.forRootAsync({
          prometheus,
          useFactory: () => ({ collectors: [collector], exporters: [exporter], serviceName: 'shop' }),
        }),
      ],
    });
    await app.get(ObservedCache).getOrSet('a', () => 1);
    await new Promise((resolve) => setTimeout(resolve, 120));
    expect(exporter.events.length).toBeGreaterThan(2);
    await close();
    expect(exporter.events[0]).toBe('start shop');
    expect(exporter.events.slice(-2)).toEqual(['export', 'stop']);
    const ended = exporter.events.length;
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(exporter.events).toHaveLength(ended);
    expect(collector.snapshot().chain.totalMisses).toBe(1);
  });
});

describe('collectors without Nest', () => {
  it('collectors and exporters of a cache without Nest are called from connect() until the cache is closed', async () => {
    const collector = new MemoryCollector();
    const [bad, good] = [new Notes(60_000, true), new Notes(60_000)];
    const cache = createObservedCache({ collectors: [failing, collector], exporters: [bad, good], serviceName: 'job' });
    await cache.connect();
    await cache.getOrSet('a', () => 1);
    await cache.getOrSet('a', () => 1);
    expect(collector.snapshot().chain).toMatchObject({ totalHits: 1, totalMisses: 1 });
    await cache.disconnect();
    for (const { events } of [bad, good]) expect(events).toEqual(['start job', 'export', 'stop']);
    expect(good.hits()).toBe(1);
  });

  /** An object whose properties of these names throw when they are read. */
  const throwing = (...names: string[]) =>
    names.reduce(
      (object, name) =>
        Object.defineProperty(object, name, {
          enumerable: true,
          get: () => {
            throw new Error('secret');
          },
        }),
      {},
    ) as never;

  it('collectors and exporters whose required properties throw are reported as faults of the options', async () => {
    const fault = { code: 'INVALID_OPTIONS', message: expect.stringMatching(/collectors\[0\]: threw an error/) };
    const make = () => createObservedCache({ collectors: [throwing('recordGet')] });
    expect(make).toThrow(expect.objectContaining(fault));
    expect(make).not.toThrow(/secret/);
    const options = { collectors: [throwing('recordSet')] };
    await expect(boot('express', { imports: [CacheObservabilityModule.forRoot(options)] })).rejects.toMatchObject(
      fault,
    );
    expect(() => createObservedCache(throwing('ttl'))).toThrow(/ttl: threw an error/);
    expect(() => createObservedCache({ policy: throwing('jitter') })).toThrow(/jitter: threw an error/);
  });

  it('an observer whose properties throw is counted as a failing observer', async () => {
    const named = Object.defineProperty(new MemoryCollector(), 'constructor', { get: () => JSON.parse('{') });
    const observer = Object.assign(throwing('hit', 'access'), { attach() {} });
    const cache = createObservedCache({ collectors: [named], observers: [observer] });
    await cache.getOrSet('a', () => 1);
    expect(await cache.getOrSet('a', () => 2)).toBe(1);
    expect(cache.callbacks.counts.get('observer')).toBeGreaterThan(0);
    await cache.disconnect();
  });

  it('forRoot validates collectors and exporters', async () => {
    const wrong = { collectors: [{}], exporters: ['statsd'] } as never;
    await expect(boot('express', { imports: [CacheObservabilityModule.forRoot(wrong)] })).rejects.toThrow(
      /collectors\[0\]: must be a metrics collector[\s\S]*exporters\[0\]: must be a metrics exporter/,
    );
  });
});
