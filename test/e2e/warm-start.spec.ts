import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller, Get, type LoggerService, Param } from '@nestjs/common';
import {
  Cached,
  CacheMetrics,
  CacheObservabilityModule,
  type CacheObservabilityOptions,
  memoryLayer,
  ObservedCache,
  redisLayer,
} from '../../lib/index.js';
import { type BootedApp, boot, closeApps } from '../support/apps.js';
import { eventually, RedisServer } from '../support/redis.js';
import { cacheToken } from '../../lib/testing/index.js';

let redis: RedisServer;
beforeAll(async () => (redis = await RedisServer.start()), 20_000);
afterAll(async () => redis.dispose());
afterEach(async () => {
  await closeApps();
  await (await redis.client()).flushAll();
});

class Money {
  constructor(readonly cents: number) {}
  get euros() {
    return this.cents / 100;
  }
}

@Controller()
class Shop {
  @Get('prices/:id')
  @Cached('price:{params.id}', { classes: [Money] })
  price(@Param('id') id: string) {
    return new Money(Number(id));
  }
}

async function instance(
  options: CacheObservabilityOptions = {},
  eviction: 'worth' | 'lru' = 'worth',
  logger: LoggerService | false = false,
) {
  const imports = [
    CacheObservabilityModule.forRoot({
      layers: [memoryLayer({ maxEntries: 20_000, eviction }), redisLayer({ url: redis.url })],
      namespace: 'shop',
      ttl: '1h',
      prometheus: false,
      insight: false,
      ...options,
    }),
  ];
  return boot('express', { imports, controllers: [Shop] }, logger === false ? {} : { logger });
}

/** The same numbers in every run (Park and Miller, 1988). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
}

const KEYS = 6_000;
/** Popularity by Zipf's law with exponent 1. */
const cumulated = Array.from({ length: KEYS }, (_, at) => 1 / (at + 1)).map(
  (
    (sum) => (share: number) =>
      (sum += share)
  )(0),
);

function drawn(random: () => number): string {
  const share = random() * cumulated.at(-1)!;
  const at = cumulated.findIndex((upTo) => upTo >= share);
  return `product:${at}`;
}

/** Plays requests; returns the hit rate of memory for them. */
async function play({ app }: BootedApp, requests: number, seed: number): Promise<number> {
  const cache = app.get(ObservedCache);
  const random = seeded(seed);
  const before = memoryOf(app.get(CacheMetrics));
  for (let time = 0; time < requests; time++) {
    const key = drawn(random);
    await cache.getOrSet(key, () => ({ key }));
  }
  const after = memoryOf(app.get(CacheMetrics));
  return (after.hits - before.hits) / (after.total - before.total);
}

function memoryOf(metrics: CacheMetrics) {
  const [memory] = metrics.getLayerStats();
  return { hits: memory!.cacheHits, total: memory!.totalRequests };
}

const entriesOf = ({ app }: BootedApp) => app.get(ObservedCache).layers[0]!.status().entries;

describe('a warm start', () => {
  it.each(['worth', 'lru'] as const)(
    'a warm start restores at least 80 % of the hit rate of memory at once (%s)',
    async (eviction) => {
      const options = { warming: { warmStart: { maxKeys: 2_000 } } };
      const first = await instance(options, eviction);
      await play(first, 20_000, 1);
      const before = await play(first, 4_000, 2);
      await first.close();
      const restarted = await instance(options, eviction);
      expect(entriesOf(restarted)).toBe(2_000);
      const after = await play(restarted, 4_000, 3);
      expect(after).toBeGreaterThanOrEqual(0.8 * before);
      await restarted.close();
      const cold = await instance({ warming: { warmStart: false } }, eviction);
      expect(entriesOf(cold)).toBe(0);
    },
    30_000,
  );

  it('a warm start restores instances of classes, and answers with them', async () => {
    const first = await instance();
    await first.ask().get('/prices/250').expect('X-Cache', 'MISS');
    await first.ask().get('/prices/250').expect('X-Cache', 'HIT');
    await first.close();
    const lines: string[] = [];
    const log = ({ code, message }: { code?: string; message?: string }) => void lines.push(`${code} ${message}`);
    const restarted = await instance({}, 'worth', { log, warn: log, error: log });
    expect(lines).toContainEqual(
      expect.stringMatching(/^WARM_STARTED 1 entry was read from Redis into memory in \d+ ms\.$/),
    );
    expect(restarted.app.get(ObservedCache).peek<Money>('price:250')?.euros).toBe(2.5);
    await restarted.ask().get('/prices/250').expect('X-Cache', 'HIT');
  });

  it('the line of a named cache names it', async () => {
    const lines: { code?: string }[] = [];
    const log = (entry: { code?: string }) => void lines.push(entry);
    const named = async () => {
      const started = CacheObservabilityModule.forRoot({ namespace: 'shop', prometheus: false });
      const layers = [memoryLayer(), redisLayer({ url: redis.url })];
      const imports = [started, CacheObservabilityModule.forFeature('sessions', { layers })];
      return boot('express', { imports }, { logger: { log, warn: log, error: log } });
    };
    const first = await named();
    await first.app.get<ObservedCache>(cacheToken('sessions')).getOrSet('session:1', () => 'ann');
    await first.close();
    await named();
    expect(lines.filter(({ code }) => code === 'WARM_STARTED')).toMatchObject([{ cache: 'sessions' }]);
  });

  it('a warm start leaves out entries that were invalidated or changed while no instance ran', async () => {
    const first = await instance();
    const cache = first.app.get(ObservedCache);
    for (const key of ['a:1', 'a:2']) await cache.getOrSet(key, () => 'old');
    await first.close();
    const writer = await instance({ warming: { warmStart: false } });
    await writer.app.get(ObservedCache).del('a:1');
    await writer.app.get(ObservedCache).set('a:2', 'new');
    await writer.close();
    const restarted = await instance();
    expect(restarted.app.get(ObservedCache).peek('a:1')).toBeUndefined();
    expect(restarted.app.get(ObservedCache).peek('a:2')).toBe('new');
  });

  it('a warm start receives later invalidations', async () => {
    const first = await instance();
    await first.app.get(ObservedCache).getOrSet('a:1', () => 'old');
    await first.close();
    const [one, other] = [await instance(), await instance()];
    expect(one.app.get(ObservedCache).peek('a:1')).toBe('old');
    await other.app.get(ObservedCache).del('a:1');
    await eventually(() => one.app.get(ObservedCache).peek('a:1') === undefined, 'the invalidation');
  });

  it('a warm start ignores notes that another program wrote', async () => {
    const client = await redis.client();
    const first = await instance();
    await first.app.get(ObservedCache).getOrSet('a:1', () => 1);
    await first.close();
    const slots = await client.keys('*sharedMap:hot-keys:*');
    expect(slots).toHaveLength(1);
    const names = slots[0]!.slice(0, -2);
    await client.set(`${names}:0`, 'no JSON');
    await client.set(`${names}:1`, JSON.stringify({ at: 1e300, keys: ['', 7, null, '\ud800', 'x'.repeat(100_000)] }));
    await client.set(`${names}:2`, 'x'.repeat(2_000_000));
    await client.set(
      `${names}:3`,
      JSON.stringify({ at: 1, keys: Array.from({ length: 9_000 }, (_, at) => `b:${at}`) }),
    );
    const restarted = await instance();
    expect(entriesOf(restarted)).toBe(0);
  });

  it('a warm start fills no more than a part of memory', async () => {
    const first = await instance({}, 'worth');
    await play(first, 3_000, 1);
    await first.close();
    const small = await instance({ layers: [memoryLayer({ maxEntries: 300 }), redisLayer({ url: redis.url })] });
    expect(entriesOf(small)).toBeLessThanOrEqual(300);
    expect(entriesOf(small)).toBeGreaterThanOrEqual(200);
  });
});
