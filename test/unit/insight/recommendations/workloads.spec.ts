import { describe, expect, it } from '@jest/globals';
import { type LayerFactory, memoryLayer, type Recommendation } from '../../../../lib/index.js';
import { ScriptedLayer } from '../../../support/scripted-layer.js';
import { play, type Played, randomOf, type SteppedClock, type Workload, zipf } from '../../../support/workloads.js';

/*
 * Each code by three workloads: one that raises it, one that does not, and the first one again with the advice
 * followed, which must bring the predicted result.
 */

interface Case {
  readonly code: string;
  readonly raised: Workload;
  /** The required parts of `change`. */
  readonly change: object;
  /** The same traffic without the cause. */
  readonly quiet: Workload;
  /** The advice followed. */
  readonly followed: (advice: Recommendation) => Workload;
  /** False if the same advice may follow again, further on. */
  readonly settled?: false;
  /** Compares the prediction with the result. */
  readonly holds: (
    predicted: NonNullable<ReturnType<Played['of']>>['predicted'],
    before: Played,
    after: Played,
  ) => void;
}

const draw = (count: number, exponent: number, seed: number) => {
  const next = zipf(count, exponent, randomOf(seed));
  const ranks = Array.from({ length: 20_000 }, next);
  return (n: number) => ranks[n % ranks.length]!;
};
/** The hit rate is within the stated error, or so close that the difference does not matter. */
const within =
  (points: number): Case['holds'] =>
  ({ hitRate, hitRateError }, _before, after) =>
    expect(Math.abs(hitRate! - after.hitRate)).toBeLessThan(Math.max(points, hitRateError!));

const pages = draw(40, 1, 1);
const split: Workload = {
  requests: 1_500,
  everyMs: 200,
  keyOf: (n) => `feed:GET /feed?page=${pages(n)}&ref=${n}`,
  originOf: (key) => ({ page: /page=(\d+)/.exec(key)![1] }),
};
const reports: Workload = { requests: 1_000, everyMs: 1_000, keyOf: (n) => `report:${n}` };
const items = draw(30, 0.8, 2);
/** Every 20 s one item changes. */
const versionOf = (key: string, now: number): object => {
  const [item = 0] = [Number(key.slice('item:'.length))];
  return { key, version: Math.floor((now / 20_000 - item) / 30) };
};
const wide: Workload = {
  requests: 2_000,
  everyMs: 500,
  options: { ttl: '1h' },
  keyOf: (n) => `item:${items(n)}`,
  originOf: versionOf,
  before: (cache, n) => (n % 40 === 39 ? cache.deleteByPattern('item:*') : undefined),
};
const absent: Workload = {
  requests: 600,
  everyMs: 500,
  keyOf: (n) => `user:${items(n)}`,
  originOf: () => undefined,
};
const expiring: Workload = {
  requests: 3_000,
  everyMs: 2_000,
  options: { ttl: '1m' },
  loadMs: 400,
  keyOf: (n) => `page:${pages(n) % 8}`,
};
const started: Workload = {
  requests: 2_000,
  everyMs: 200,
  options: { ttl: '1h' },
  loadMs: 100,
  keyOf: (n) => `home:${items(n)}`,
};
const documents = draw(400, 0.9, 3);
const large: Workload = {
  requests: 3_000,
  everyMs: 500,
  options: { ttl: '5m' },
  keyOf: (n) => (n % 50 === 0 ? `document:scan-${n}` : `document:${documents(n)}`),
  originOf: (key) => 'x'.repeat(key.includes('scan') ? 12_000 : 100),
  loadMs: 20,
};

/** A layer whose reads take `ms` milliseconds. */
const slowLayer = (readMs: number): LayerFactory => ({
  name: 'remote',
  required: false,
  shared: true,
  create: ({ clock }) => {
    const layer = new ScriptedLayer();
    const get = layer.get.bind(layer);
    layer.get = (key) => {
      (clock as SteppedClock).step(readMs);
      return get(key);
    };
    return layer;
  },
});
const cheap: Workload = {
  requests: 1_500,
  everyMs: 500,
  options: { ttl: '1m', namespace: 'cheap', layers: [slowLayer(4)] },
  loadMs: 2,
  keyOf: (n) => `rate:${items(n)}`,
};

const prices = draw(60, 0.8, 5);
/** Values change every two hours, and are stored for a minute. */
const brief: Workload = {
  requests: 6_000,
  everyMs: 1_000,
  options: { ttl: '1m' },
  keyOf: (n) => `price:${prices(n)}`,
};
/** When the values of 20 quotes change: at random, every 40 minutes in the mean. */
const changesOf = Array.from({ length: 20 }, (_, quote) => {
  const random = randomOf(quote + 100);
  let at = 1_700_000_000_000;
  return Array.from({ length: 60 }, () => (at -= Math.log(1 - random()) * 2_400_000));
});
/** Values change every 40 minutes, and are stored for 20. */
const changing: Workload = {
  requests: 9_000,
  everyMs: 3_000,
  options: { ttl: '20m' },
  keyOf: (n) => `quote:${prices(n) % 20}`,
  originOf: (key, now) => ({
    key,
    version: changesOf[Number(key.slice('quote:'.length))]!.filter((at) => at <= now).length,
  }),
};

const goods = draw(1_200, 0.8, 6);
/** More keys are requested again than the layer can hold. */
const crowded: Workload = {
  requests: 8_000,
  everyMs: 300,
  options: { ttl: '1h', layers: [memoryLayer({ maxEntries: 150, eviction: 'lru' })] },
  keyOf: (n) => `good:${goods(n)}`,
};
/** Few keys are requested again, and a crawler fills the layer with others. */
const crawled: Workload = {
  requests: 8_000,
  everyMs: 300,
  options: { ttl: '1h', layers: [memoryLayer({ maxEntries: 800, eviction: 'lru' })] },
  keyOf: (n) => (n % 3 === 0 ? `good:crawled-${n}` : `good:${items(n)}`),
};

const cases: readonly Case[] = [
  {
    code: 'MORE_MEMORY',
    raised: crowded,
    change: { option: 'maxEntries', from: 150 },
    quiet: { ...crowded, keyOf: (n) => `good:${n}` },
    followed: ({ change }) => ({
      ...crowded,
      options: { ...crowded.options, layers: [memoryLayer({ maxEntries: Number(change.to), eviction: 'lru' })] },
    }),
    settled: false,
    holds: within(0.03),
  },
  {
    code: 'LESS_MEMORY',
    raised: crawled,
    change: { option: 'maxEntries', from: 800 },
    quiet: crowded,
    followed: ({ change }) => ({
      ...crawled,
      options: { ...crawled.options, layers: [memoryLayer({ maxEntries: Number(change.to), eviction: 'lru' })] },
    }),
    settled: false,
    holds: (predicted, before, after) => {
      expect(Math.abs(predicted.hitRate! - after.hitRate)).toBeLessThan(0.03);
      expect(after.bytes).toBeLessThan(before.bytes * 0.75);
    },
  },
  {
    code: 'RAISE_TTL',
    raised: brief,
    change: { option: 'ttl', from: '1m', to: expect.stringMatching(/m$|h$/) },
    quiet: { ...brief, keyOf: (n) => `price:${n}` },
    followed: ({ change }) => ({ ...brief, options: { ttl: String(change.to) } }),
    settled: false,
    holds: within(0.03),
  },
  {
    code: 'LOWER_TTL',
    raised: changing,
    change: { option: 'ttl', from: '20m', to: '5m' },
    quiet: { ...changing, originOf: (key) => ({ key }) },
    followed: ({ change }) => ({ ...changing, options: { ttl: String(change.to) } }),
    settled: false,
    holds: ({ staleShare, hitRate }, before, after) => {
      expect(after.staleShare).toBeLessThan(before.staleShare / 2);
      expect(Math.abs(staleShare! - after.staleShare)).toBeLessThan(0.03);
      expect(Math.abs(hitRate! - after.hitRate)).toBeLessThan(0.03);
    },
  },
  {
    code: 'KEY_TOO_SPECIFIC',
    raised: split,
    change: { to: null, from: 'query.ref' },
    quiet: { ...split, originOf: (key) => ({ key }) },
    followed: () => ({ ...split, keyOf: (n) => `feed:GET /feed?page=${pages(n)}` }),
    holds: within(0.03),
  },
  {
    code: 'NEVER_READ',
    raised: reports,
    change: { option: 'cached', from: true, to: false },
    quiet: { ...reports, keyOf: (n) => `report:${n >> 1}` },
    followed: () => ({ ...reports, options: { enabled: false } }),
    holds: ({ bytes }, before, after) => {
      expect(bytes).toBeLessThan(0);
      expect(after.bytes).toBeLessThan(before.bytes);
      expect(after.loads).toBe(before.loads);
    },
  },
  {
    code: 'INVALIDATED_TOO_WIDELY',
    raised: wide,
    change: { option: 'keys' },
    quiet: { ...wide, originOf: (key, now) => ({ key, now }) },
    followed: () => ({
      ...wide,
      before: (cache, n, clock) =>
        n % 40 === 39 ? cache.del(`item:${Math.floor(clock.now() / 20_000) % 30}`) : undefined,
    }),
    holds: within(0.05),
  },
  {
    code: 'CACHE_EMPTY_RESULTS',
    raised: absent,
    change: { option: 'negativeTtl', to: '30s' },
    quiet: { ...absent, keyOf: (n) => `user:${n}` },
    followed: () => ({ ...absent, policy: { negativeTtl: '30s' } }),
    holds: within(0.05),
  },
  {
    code: 'SERVE_STALE',
    raised: expiring,
    change: { option: 'staleWhileRevalidate', from: null },
    quiet: { ...expiring, loadMs: 1 },
    followed: () => ({ ...expiring, policy: { staleWhileRevalidate: '1m' } }),
    holds: ({ timeSavedMsPerHour }, before, after) => {
      const hours = (expiring.requests * expiring.everyMs) / 3_600_000;
      const saved = (before.waitedMs - after.waitedMs) / hours;
      expect(saved / timeSavedMsPerHour).toBeGreaterThan(0.8);
      expect(saved / timeSavedMsPerHour).toBeLessThan(1.3);
    },
  },
  {
    code: 'WARM',
    raised: started,
    change: { option: 'warm', to: true },
    quiet: { ...started, keyOf: (n) => `home:${n % 1_500}` },
    followed: () => ({
      ...started,
      before: async (cache, n) => {
        if (n > 0) return;
        for (let rank = 0; rank < 30; rank++) await cache.set(`home:${rank}`, { of: `home:${rank}` });
      },
    }),
    holds: within(0.02),
  },
  {
    code: 'VALUE_TOO_LARGE',
    raised: large,
    change: { option: 'maxEntrySize', from: null },
    quiet: { ...large, originOf: () => 'x'.repeat(100) },
    followed: () => ({ ...large, policy: { maxEntrySize: 8_192 } }),
    holds: ({ hitRate }, before, after) => {
      expect(Math.abs(hitRate! - after.hitRate)).toBeLessThan(0.02);
      expect(after.bytes).toBeLessThan(before.bytes / 2);
    },
  },
  {
    code: 'CHEAPER_THAN_CACHE',
    raised: cheap,
    change: { option: 'cached', to: false },
    quiet: { ...cheap, loadMs: 50 },
    followed: () => ({ ...cheap, options: { enabled: false } }),
    holds: ({ timeSavedMsPerHour }, before, after) => {
      const hours = (cheap.requests * cheap.everyMs) / 3_600_000;
      const saved = (before.waitedMs - after.waitedMs) / hours;
      expect(saved / timeSavedMsPerHour).toBeGreaterThan(0.9);
      expect(saved / timeSavedMsPerHour).toBeLessThan(1.1);
    },
  },
  {
    code: 'NOT_CACHED',
    raised: { ...wide, before: () => undefined, policy: { cacheIf: () => false } },
    change: { option: 'cacheIf' },
    quiet: { ...wide, before: () => undefined },
    followed: () => ({ ...wide, before: () => undefined }),
    holds: within(0.03),
  },
];

describe.each(cases)('$code', ({ code, raised, change, quiet, followed, holds, settled = true }) => {
  it('a recommendation is raised by its workload, and its prediction comes true when it is followed', async () => {
    const before = await play(raised);
    const advice = before.of(code);
    expect(advice).toMatchObject({ code, change, id: `${code}:${advice?.pattern ?? advice?.layer}` });
    const after = await play(followed(advice!));
    holds(advice!.predicted, before, after);
    if (settled) expect(after.of(code)).toBeUndefined();
  });

  it('a recommendation is not raised if its cause is missing', async () => {
    expect((await play(quiet)).of(code)).toBeUndefined();
  });
});
