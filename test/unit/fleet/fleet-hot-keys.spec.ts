import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { runAtOnce } from '../../../lib/cache/base/slices.js';
import { insightBytes } from '../../../lib/fleet/insight-notes.js';
import type { ObservedCache } from '../../../lib/index.js';
import { HottestKeys } from '../../../lib/insight/hottest-keys.js';
import { hotKeysTogether, notedHotKeys, readHotKeys } from '../../../lib/insight/hot-key-figures.js';
import { FleetInstances } from '../../support/fleet-instances.js';
import { RedisServer } from '../../support/redis.js';
import { seededRandom } from '../../support/seeded-traffic.js';
import { zipf } from '../../support/workloads.js';

describe('the hot keys of a fleet', () => {
  let server: RedisServer;
  let fleet: FleetInstances;
  let turn = 0;
  beforeAll(async () => {
    server = await RedisServer.start();
  });
  afterAll(() => server.dispose());
  beforeEach(() => {
    fleet = new FleetInstances(server, `shop${turn++}`);
  });
  afterEach(() => fleet.close());

  const visit = async (cache: ObservedCache, count: number, keyOf: () => string) => {
    for (let at = 0; at < count; at++) {
      fleet.clock.turnTo(fleet.clock.now() + 100);
      await cache.getOrSet(keyOf(), () => at);
    }
  };
  const ranks = (seed: number) => zipf(60, 1, seededRandom(seed));

  it('hot keys with scope=fleet are those of all instances, each with the sum of its counts', async () => {
    const [one, other, third] = [await fleet.start(), await fleet.start(), await fleet.start()];
    const [near, far] = [ranks(1), ranks(2)];
    await visit(one.cache, 3_000, () => `item:${near()}`);
    await visit(other.cache, 3_000, () => `item:${59 - far()}`);
    await visit(third.cache, 1_500, () => `item:${near()}`);
    await fleet.noted();
    const listed = [one, other, third].map(({ cache }) => cache.insight.hotKeys(1_000));
    const of = (id: string) => listed.flatMap((keys) => keys.filter((key) => key.id === id));

    const { value, instances } = await one.insight.hotKeys(20);
    expect(instances).toBe(3);
    expect(value).toHaveLength(20);
    for (const key of value) {
      const counts = of(key.id);
      expect(key).toMatchObject({ key: 'item:•••', pattern: 'item:*', instances: counts.length });
      expect(key.requests).toBe(counts.reduce((sum, { requests }) => sum + requests, 0));
      expect(key.requestsError).toBeGreaterThanOrEqual(counts.reduce((sum, one) => sum + one.requestsError, 0));
      expect(key).not.toHaveProperty('missing');
    }
    expect(value.map(({ requests }) => requests)).toEqual(value.map(({ requests }) => requests).sort((a, b) => b - a));
    expect(value[0]!.share).toBeLessThan(listed[0]![0]!.share);
    expect((await other.insight.hotKeys(20)).value.map(({ id }) => id)).toEqual(value.map(({ id }) => id));
  });

  it('hot keys with scope=fleet leave the text of keys out of Redis, unless instances show keys', async () => {
    const [masking, showing] = [await fleet.start(), await fleet.start({ insight: { showKeys: true } })];
    await visit(masking.cache, 400, () => 'item:anna');
    await visit(showing.cache, 500, () => 'item:bert');
    await fleet.noted();
    const client = await server.client();
    const names = (await client.keys('*sharedMap:insight:*')).filter((name) => name.startsWith('shop1:'));
    const notes = await Promise.all(names.map((name) => client.get(name)));
    expect(notes.join()).not.toContain('anna');
    expect(notes.join()).toContain('item:bert');
    expect((await masking.insight.hotKeys(5)).value.map(({ key }) => key)).toEqual(['item:•••', 'item:•••']);
    expect((await showing.insight.hotKeys(5)).value.map(({ key }) => key)).toEqual(['item:bert', 'item:•••']);
  });

  it('hot keys with scope=fleet count the instances that note none', async () => {
    const one = await fleet.start();
    await visit(one.cache, 400, () => 'item:1');
    const older = insightBytes({
      alerts: [],
      recommendations: [],
      ladders: new Map(),
      hotKeys: undefined,
      memory: undefined,
    })!;
    await one.cache.layers[1]!.sharedMap!('insight').publish('older', older, 60_000);
    const { value, instances } = await one.insight.hotKeys(5);
    expect(instances).toBe(1);
    expect(value).toMatchObject([{ instances: 1, missing: 1 }]);
  });

  it('the error of a key contains what instances counted and do not list', () => {
    const random = seededRandom(7);
    const draw = zipf(400, 0.8, random);
    const truth = new Map<number, number>();
    const figures = Array.from({ length: 4 }, (_, instance) => {
      const hottest = new HottestKeys();
      for (let at = 0; at < 3_000; at++) {
        const rank = (draw() + 40 * instance) % 400;
        hottest.add(String(rank), 1);
        truth.set(rank, (truth.get(rank) ?? 0) + 1);
      }
      const keys = hottest.ranking(60).map(({ key, ...counts }) => ({ hash: Number(key), key: undefined, ...counts }));
      return [{ pattern: 'item:*', hits: hottest.hits, keys }];
    });
    const together = runAtOnce(hotKeysTogether(figures, 100, () => ''));
    expect(together).toHaveLength(100);
    for (const { id, requests, requestsError } of together) {
      const off = Math.abs(requests - truth.get(parseInt(id, 16))!);
      expect({ id, off, within: off <= requestsError }).toMatchObject({ within: true });
    }
    expect(together[0]!.requestsError).toBeLessThan(together[0]!.requests / 4);
  });

  it('hot keys that another program writes into the shared layer are refused, or bounded', () => {
    const hashOf = (key: string) => key.length;
    const keys = [{ hash: 3, count: 9.4, overcount: 1, key: 'abc' }];
    const noted = notedHotKeys([{ pattern: 'item:*', hits: 20, keys }]);
    expect(readHotKeys(JSON.parse(JSON.stringify(noted)), hashOf)).toEqual([
      { pattern: 'item:*', hits: 20, keys: [{ hash: 3, count: 9, overcount: 1, key: 'abc' }] },
    ]);
    const withKeys = (counts: unknown) => [['item:*', 20, counts]];
    expect(readHotKeys(withKeys([[4, 9, 1, 'abc']]), hashOf)![0]!.keys[0]!.key).toBeUndefined();
    for (const hostile of [
      undefined, {}, [['item:*', 20]], [[{}, 20, []]], [['item:*', -1, []]], [['item:*', 1e300, []]], withKeys({}),
      withKeys([[2 ** 32, 9, 1]]), withKeys([[4, '9', 1]]), withKeys([[4, 9, 10]]), withKeys([[4, 9.5, 1]]), withKeys([null]),
      withKeys(Array.from({ length: 1_001 }, () => [4, 9, 1])), [['x'.repeat(2_000), 20, []]], Array.from({ length: 200 }, () => ['a', 1, []]),
    ]) expect(readHotKeys(hostile, hashOf)).toBeUndefined(); // prettier-ignore
    const long = Array.from({ length: 1_000 }, (_, at) => ({ hash: at, count: 9, overcount: 0, key: 'k'.repeat(600) }));
    expect(JSON.stringify(notedHotKeys([{ pattern: 'item:*', hits: 9_000, keys: long }])).length).toBeLessThan(200_000);
  });
});
