import { describe, expect, it } from '@jest/globals';
import { createObservedCache, type ObservedCacheOptions } from '../../../lib/wiring/create-observed-cache.js';
import { AccessKind, type TrackedAccess } from '../../../lib/insight/stream/tracked-access.js';
import { seededRandom } from '../../support/seeded-traffic.js';
import { HandClock } from '../../support/hand-clock.js';
import { ManualClock } from '../../../lib/testing/manual-clock.js';

const NAME_OF = Object.fromEntries(Object.entries(AccessKind).map(([name, kind]) => [kind, name]));

function observed(options: ObservedCacheOptions = {}) {
  const clock = new ManualClock();
  const cache = createObservedCache({ clock, namespace: 'shop', ttl: '1m', ...options });
  const seen: TrackedAccess[] = [];
  cache.insight.listen({ accessed: (access) => void seen.push({ ...access }) });
  const names = () => {
    cache.insight.flush();
    return seen.map(({ kind, count }) => NAME_OF[kind] + (count > 1 ? ` × ${count}` : ''));
  };
  return { clock, cache, seen, names };
}

describe('the stream of sampled accesses', () => {
  it('the stream of accesses reports the load and the miss of a key, then its hits together', async () => {
    const { cache, seen, names } = observed();
    for (let read = 0; read < 5; read++) await cache.getOrSet('feed:1', () => Promise.resolve({ id: 1 }));

    expect(names()).toEqual(['load', 'miss', 'hit × 4']);
    expect(seen[0]).toMatchObject({ pattern: 'feed:*', key: 'feed:1', weight: 1, ttlMs: 60_000, changed: undefined });
  });

  it('the stream of accesses reports hits of an entry that was removed before its hits were reported', async () => {
    const { cache, names } = observed();
    const ask = () => cache.getOrSet('feed:1', () => Promise.resolve({ id: 1 }));
    for (let read = 0; read < 5; read++) await ask();
    await cache.clear();
    for (let read = 0; read < 3; read++) await ask();

    const hits = names().filter((name) => name.startsWith('hit'));
    expect(hits).toEqual(['hit × 4', 'hit × 2']);
  });

  it('the stream of accesses reports whether a reload changed the value', async () => {
    const { cache, clock, seen } = observed();
    let price = 10;
    const load = () => Promise.resolve({ price, lines: [1, 2] });
    await cache.getOrSet('product:1', load);
    await clock.advance(60_001);
    await cache.getOrSet('product:1', load);
    price = 11;
    await clock.advance(60_001);
    await cache.getOrSet('product:1', load);

    const loads = seen.filter(({ kind }) => kind === AccessKind.load);
    expect(loads.map(({ changed }) => changed)).toEqual([undefined, false, true]);
  });

  it('the stream of accesses compares what the option compare returns', async () => {
    const compare = (value: unknown) => (value as { id: number }).id;
    const { cache, clock, seen } = observed({ insight: { compare } });
    const load = () => Promise.resolve({ id: 1, generatedAt: clock.now() });
    await cache.getOrSet('report:1', load);
    await clock.advance(60_001);
    await cache.getOrSet('report:1', load);

    expect(seen.filter(({ kind }) => kind === AccessKind.load).at(-1)!.changed).toBe(false);
  });

  it('the stream of accesses continues if compare throws', async () => {
    const compare = () => {
      throw new Error('no such field');
    };
    const { cache } = observed({ insight: { compare } });

    await expect(cache.getOrSet('report:1', () => Promise.resolve(1))).resolves.toBe(1);
    expect(cache.callbacks.counts.get('listener')).toBe(1);
  });

  it('the stream of accesses reports deletions, writes and expired entries with the hits they had', async () => {
    const { cache, clock, seen, names } = observed();
    await cache.set('cart:1', 1);
    await cache.get('cart:1');
    await cache.del('cart:1');
    await cache.set('cart:1', 2);
    await clock.advance(120_000);

    expect(names()).toEqual(['set', 'hit', 'invalidated', 'set', 'expired']);
    expect(seen.filter(({ kind }) => kind === AccessKind.invalidated)[0]!.reads).toBe(1);
    expect(seen.at(-1)!.reads).toBe(0);
  });

  it('the stream of accesses marks the load after an invalidation by tag', async () => {
    const { cache, seen } = observed({ policy: { tags: ['all'] } });
    await cache.getOrSet('feed:1', () => Promise.resolve(1));
    await cache.invalidateTags('all');
    await cache.getOrSet('feed:1', () => Promise.resolve(1));

    expect(seen.at(-2)).toMatchObject({ kind: AccessKind.load, afterInvalidation: true, changed: false });
  });

  it('the stream of accesses follows a bounded share of many keys, and weighs each by it', async () => {
    const { cache, seen } = observed();
    for (let id = 0; id < 20_000; id++) await cache.getOrSet(`item:${id}`, () => id);
    cache.insight.flush();
    seen.length = 0;
    for (let id = 20_000; id < 40_000; id++) await cache.getOrSet(`item:${id}`, () => id);

    const misses = seen.filter(({ kind }) => kind === AccessKind.miss);
    const estimated = misses.reduce((sum, { weight }) => sum + weight, 0);
    expect(misses.length).toBeLessThan(1_000);
    expect(estimated).toBeGreaterThan(18_000);
    expect(estimated).toBeLessThan(22_000);
  });

  it('the stream of accesses follows each of the hottest keys among many', async () => {
    const clock = new HandClock();
    const { cache, seen } = observed({ clock });
    const ask = (id: number) => cache.getOrSet(`item:${id}`, () => id);
    const readHottest = async (times: number) => {
      for (let read = 0; read < times; read++) {
        clock.turnTo(clock.now() + 1);
        await ask(read % 20);
      }
      cache.insight.flush();
    };
    for (let id = 0; id < 8_000; id++) await ask(id);
    // A key is followed once it ranks high in a random sample of the hits and is then sampled again: this needs many hits.
    await readHottest(20_000);
    seen.length = 0;
    await readHottest(1_000);

    const hits = seen.filter(({ kind }) => kind === AccessKind.hit);
    expect(hits.reduce((sum, { count, weight }) => sum + count * weight, 0)).toBe(1_000);
    expect(new Set(hits.map(({ weight }) => weight))).toEqual(new Set([1]));
  });

  it('the stream of accesses keeps the hottest keys during a burst of one of them', async () => {
    const clock = new HandClock();
    const { cache } = observed({ clock, random: seededRandom(1) });
    const ask = (id: number) => cache.getOrSet(`item:${id}`, () => id);
    for (let id = 0; id < 2_000; id++) await ask(id);
    for (let read = 0; read < 10_000; read++) {
      clock.turnTo(clock.now() + 1);
      await ask(read % 20);
    }
    const hottest = () => new Set(cache.insight.hotKeys(20).map(({ id }) => id));
    const before = hottest();
    for (let read = 0; read < 40_000; read++) await ask(0);

    expect(before.size).toBe(20);
    expect(hottest()).toEqual(before);
  });

  it('the stream of accesses is the same for the same numbers of `random`', async () => {
    const hotKeysOf = async (seed: number) => {
      const { cache, clock } = observed({ random: seededRandom(seed) });
      for (let read = 0; read < 5_000; read++) {
        if (read % 10 === 0) await clock.advance(5);
        await cache.getOrSet(`item:${read % (1 + (read % 200))}`, () => read);
      }
      return cache.insight.hotKeys();
    };
    const hotKeys = await hotKeysOf(1);

    expect(hotKeys).toHaveLength(10);
    expect(await hotKeysOf(1)).toEqual(hotKeys);
    expect(await hotKeysOf(2)).not.toEqual(hotKeys);
  });

  it('the stream of accesses is empty with insight: false or metrics: false', async () => {
    for (const options of [{ insight: false }, { metrics: false }] as const) {
      const { cache, names } = observed(options);
      await cache.getOrSet('feed:1', () => 1);
      expect(cache.insight.enabled).toBe(false);
      expect(names()).toEqual([]);
    }
  });

  it('the stream of accesses counts a listener that throws, and continues', async () => {
    const { cache, names } = observed();
    cache.insight.listen({
      accessed: () => {
        throw new Error('broken');
      },
    });
    await cache.getOrSet('feed:1', () => 1);

    expect(names()).toEqual(['load', 'miss']);
    expect(cache.callbacks.counts.get('listener')).toBe(2);
  });

  it('the stream of accesses refuses unknown fields of the option', () => {
    expect(() => createObservedCache({ insight: { showkeys: true } as never })).toThrow(/insight\.showkeys.*showKeys/);
  });
});
