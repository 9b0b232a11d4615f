import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Injectable, type Provider } from '@nestjs/common';
import {
  CacheObservabilityModule,
  type CacheObservabilityOptions,
  CacheWarmer,
  createObservedCache,
  keyvLayer,
  memoryLayer,
  type MetricsExporter,
  NoopCollector,
  ObservedCache,
  redisLayer,
  WarmingStrategy,
} from '../../lib/index.js';
import { boot, type BootedApp, closeApps, platforms } from '../support/apps.js';
import { ManualClock } from '../support/manual-clock.js';
import { eventually, freePort, RedisServer } from '../support/redis.js';
import { beforeTimer } from '../support/before-timer.js';

/** The promised time, and the extra time of timers on a busy machine. */
const PROMISED_MS = 5_000;
const BUSY_MS = 500;
const never = <T>() => new Promise<T>(() => undefined);

/** A strategy that begins and then ignores every signal. */
@Injectable()
@WarmingStrategy({ name: 'hanging' })
class HangingStrategy {
  static begun = false;
  async *entries() {
    HangingStrategy.begun = true;
    yield { key: 'a', load: () => never<number>() };
    await never();
  }
}

class HangingExporter implements MetricsExporter {
  readonly name = 'hanging';
  start(): void {}
  export = () => never<void>();
  stop = () => never<void>();
}

const hangingStore = { get: never, set: never, delete: never, disconnect: never };
const hangingCollector = new Proxy(new NoopCollector(), { get: () => () => never() });
const frozenRedis = (url: string) => redisLayer({ url, writes: 'behind' });

let server: RedisServer;
beforeAll(async () => {
  server = await RedisServer.start();
});
afterEach(async () => {
  server.resume();
  HangingStrategy.begun = false;
  await closeApps();
});
afterAll(() => server.dispose());

interface Hanging {
  readonly options: () => CacheObservabilityOptions;
  readonly providers?: Provider[];
  /** Makes the part hang. */
  readonly before?: (booted: BootedApp) => unknown;
}

const warming = async ({ app }: BootedApp) => {
  app.get(CacheWarmer).start('hanging');
  await eventually(() => HangingStrategy.begun, 'the strategy has begun');
};
const parts: Record<string, Hanging> = {
  'the lock of a warming strategy (Redis freezes)': {
    options: () => ({ layers: [memoryLayer(), redisLayer({ url: server.url, breaker: false })] }),
    providers: [HangingStrategy],
    before: async (booted) => {
      await warming(booted);
      server.freeze();
    },
  },
  'the bus, the fleet and persistence (Redis freezes)': {
    options: () => ({ layers: [memoryLayer(), frozenRedis(server.url)], fleet: true, persistence: true }),
    before: async ({ app }) => {
      server.freeze();
      for (let at = 0; at < 100; at++)
        await app
          .get(ObservedCache)
          .set(`key:${at}`, at)
          .catch(() => undefined);
    },
  },
  'a strategy that ignores its signal': {
    options: () => ({}),
    providers: [HangingStrategy],
    before: warming,
  },
  'an exporter': { options: () => ({ exporters: [new HangingExporter()] }) },
  'a collector': {
    options: () => ({ collectors: [hangingCollector] }),
    before: ({ app }) => app.get(ObservedCache).getOrSet('a', () => 1),
  },
  'a store': {
    options: () => ({ layers: [memoryLayer(), keyvLayer(hangingStore)] }),
    before: ({ app }) => void app.get(ObservedCache).set('a', 1),
  },
  'a load': {
    options: () => ({}),
    before: ({ app }) =>
      void app
        .get(ObservedCache)
        .getOrSet('a', never)
        .catch(() => undefined),
  },
};
const everything: Hanging = {
  options: () => ({
    layers: [memoryLayer(), keyvLayer(hangingStore), frozenRedis(server.url)],
    collectors: [hangingCollector],
    exporters: [new HangingExporter()],
    fleet: true,
    persistence: true,
  }),
  providers: [HangingStrategy],
  before: async (booted) => {
    await warming(booted);
    server.freeze();
    const cache = booted.app.get(ObservedCache);
    void cache.getOrSet('a', never).catch(() => undefined);
    void cache.set('b', 1).catch(() => undefined);
  },
};

let applications = 0;

async function start({ options, providers = [], before }: Hanging, platform: (typeof platforms)[number]) {
  const module = CacheObservabilityModule.forRoot({
    namespace: `shutdown-${++applications}`,
    prometheus: false,
    ...options(),
  });
  const booted = await boot(platform, { imports: [module], providers });
  await before?.(booted);
  return booted;
}

const closesInTime = (close: () => Promise<unknown>) => beforeTimer(PROMISED_MS + BUSY_MS, close);

describe('app.close() ends within five seconds', () => {
  it.each(Object.entries(parts))('app.close() ends within five seconds while this hangs: %s', async (_, hanging) => {
    const { close } = await start(hanging, 'fastify');
    await closesInTime(close);
  });

  it.each(platforms)('app.close() ends within five seconds while everything hangs, on %s', async (platform) => {
    const { close } = await start(everything, platform);
    await closesInTime(close);
  });

  it('app.close() ends within five seconds during a CPU profile, whose request gets the samples so far', async () => {
    const { app, close } = await start({ options: () => ({}) }, 'express');
    await app.listen(0, '127.0.0.1');
    const profile = fetch(`${await app.getUrl()}/cache/cpu-profile?seconds=60`, { method: 'POST' });
    await new Promise((resolve) => setTimeout(resolve, 300));
    await closesInTime(close);
    expect((await profile).status).toBe(200);
  });
});

describe('app.close() waits for no pause', () => {
  it('app.close() does not wait for the next attempt of a webhook whose receiver refuses connections', async () => {
    const clock = new ManualClock();
    const port = await freePort();
    const log = jest.fn();
    const { app, close } = await boot(
      'express',
      {
        imports: [
          CacheObservabilityModule.forRoot({
            namespace: 'refused',
            clock,
            layers: [memoryLayer(), redisLayer({ url: `redis://127.0.0.1:${port}` })],
            alerts: { webhook: { url: `http://127.0.0.1:${port}/` } },
          }),
        ],
      },
      { logger: { log, warn: log, error: log } as never },
    );
    await clock.advance(60_000);
    const failed = () => log.mock.calls.some(([entry]) => (entry as { code?: string }).code === 'WEBHOOK_FAILED');
    await eventually(failed, 'the first attempt');
    expect(app.get(ObservedCache).insight.alerts()).toHaveLength(1);
    await beforeTimer(1_500, close);
  });
});

describe('close() without Nest', () => {
  it('close() of a cache without Nest ends within five seconds while an exporter and a store hang', async () => {
    const cache = createObservedCache({
      layers: [memoryLayer(), keyvLayer(hangingStore)],
      exporters: [new HangingExporter()],
    });
    await cache.connect();
    void cache.set('a', 1);
    await closesInTime(() => cache.close());
  });
});

describe('a close in time', () => {
  it('app.close() writes queued entries, and releases its leases', async () => {
    const { app, close } = await start(
      { options: () => ({ layers: [memoryLayer(), frozenRedis(server.url)] }) },
      'fastify',
    );
    for (let at = 0; at < 100; at++) await app.get(ObservedCache).set(`kept:${at}`, at);
    await close();
    const client = await server.client();
    expect(await client.keys('shutdown-*:kept:*')).toHaveLength(100);
    expect(await client.keys(`shutdown-${applications}:~lock:*`)).toEqual([]);
  });
});
