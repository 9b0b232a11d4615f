import { describe, expect, it } from '@jest/globals';
import { createObservedCache, type ObservedCacheOptions } from '../../../lib/wiring/create-observed-cache.js';
import { HandClock } from '../../support/hand-clock.js';

const MINUTE = 60_000;

/** Requests keys at a steady pace, in turns. */
function shop(options: ObservedCacheOptions = {}) {
  const clock = new HandClock();
  const cache = createObservedCache({ clock, ttl: '1m', namespace: 'shop', ...options });
  let value: (key: string) => unknown = () => 1;
  const ask = async (times: number, everyMs: number, keys = 10) => {
    for (let time = 0; time < times; time++) {
      clock.turnTo(clock.now() + everyMs);
      const key = `item:${time % keys}`;
      await cache.getOrSet(key, () => value(key));
    }
  };
  return { clock, cache, ask, changes: (to: (key: string) => unknown) => (value = to) };
}

describe('cache.insight.ttlLadder()', () => {
  it("ttlLadder() shows eight TTLs around today's with hit rate, stale share and loads", async () => {
    const { cache, ask } = shop();
    // Each key every ten seconds for an hour.
    await ask(3_600, 1_000);
    const { ladder, ttlMs, observedMs, ...rest } = cache.insight.ttlLadder('item:*');

    expect(ttlMs).toBe(MINUTE);
    expect(rest).toMatchObject({ pattern: 'item:*', accesses: 3_600 });
    expect(observedMs).toBeGreaterThan(59 * MINUTE);
    expect(ladder.map((rung) => rung.ttlMs / MINUTE)).toEqual([0.25, 0.5, 1, 2, 4, 8, 16, 64]);
    // A TTL of a minute answers five of six requests; the lastOfSix comes just after the entry has expired.
    expect(ladder[2]!.hitRate).toBeCloseTo(5 / 6, 1);
    expect(ladder[2]!.loadsPerHour).toBeCloseTo(600, -2);
    expect(ladder[5]!.hitRate!).toBeGreaterThan(ladder[2]!.hitRate!);
    expect(ladder[7]).toMatchObject({
      hitRate: null,
      staleShare: null,
      withheld: 'observation: 60m of the 2.1h that it needs',
    });
  });

  it('ttlLadder() withholds everything below 1,000 accesses', async () => {
    const { cache, ask } = shop();
    await ask(900, 1_000);
    const { withheld, ladder, advised } = cache.insight.ttlLadder('item:*');

    expect(withheld).toBe('accesses: 900 of the 1000 that it needs');
    expect(ladder.every(({ hitRate, withheld: why }) => hitRate === null && why === withheld)).toBe(true);
    expect(advised).toBeUndefined();
  });

  it('ttlLadder() advises a longer TTL for values that do not change', async () => {
    const { cache, ask } = shop();
    await ask(6_000, 3_000);
    const { advised, ladder } = cache.insight.ttlLadder('item:*');

    expect(advised!.ttlMs).toBeGreaterThan(MINUTE);
    expect(advised!.gain).toBeCloseTo(advised!.hitRate - ladder[2]!.hitRate!, 9);
    expect(advised!.staleShare).toBe(0);
  });

  it('ttlLadder() advises no longer TTL for values that change silently, and a shorter TTL if they are often outdated', async () => {
    const { clock, cache, ask, changes } = shop();
    changes(() => Math.floor(clock.now() / (3 * MINUTE)));
    await ask(6_000, 1_000);
    const strict = cache.insight.ttlLadder('item:*');
    const lax = cache.insight.ttlLadder('item:*', { maxStaleShare: 0.9 });

    expect(strict.ladder[2]!.staleShare).toBeGreaterThan(0.08);
    expect(strict.ladder[2]!.staleShare).toBeLessThan(0.25);
    expect(strict.advised === undefined || strict.advised.ttlMs < MINUTE).toBe(true);
    expect(lax.advised!.ttlMs).toBeGreaterThan(MINUTE);
  });

  it('ttlLadder() counts no outdated hits if every change is announced', async () => {
    for (const announce of ['del', 'tag', 'glob'] as const) {
      const { cache, ask, changes } = shop({ policy: { tags: ['items'] } });
      let version = 0;
      changes(() => version);
      for (let change = 0; change < 60; change++) {
        await ask(60, 1_000);
        version++;
        if (announce === 'del') await cache.mdel(Array.from({ length: 10 }, (_, key) => `item:${key}`));
        else if (announce === 'tag') await cache.invalidateTags('items');
        else await cache.deleteByPattern('item:*');
      }
      const { ladder } = cache.insight.ttlLadder('item:*');
      const shown = ladder.filter(({ hitRate }) => hitRate !== null);

      expect(shown.length).toBeGreaterThan(5);
      for (const { staleShare, ttlMs } of shown)
        expect({ announce, ttlMs, staleShare }).toMatchObject({ staleShare: 0 });
      // Ten loads a minute with any TTL.
      expect(shown.at(-1)!.hitRate).toBeLessThan(0.85);
    }
  });

  it('ttlLadder() begins anew when the TTL changes', async () => {
    const { clock, cache, ask } = shop();
    await ask(2_000, 1_000);
    for (let time = 0; time < 400; time++) {
      clock.turnTo(clock.now() + 10_000);
      await cache.getOrSet(`item:${time % 10}`, () => 1, { ttl: '5m' });
    }
    expect(cache.insight.ttlLadder('item:*').ttlMs).toBe(5 * MINUTE);
  });

  it('ttlLadder() is that of a policy as soon as the policy is changed, and closes the advice that was followed', async () => {
    const { cache, ask } = shop();
    await ask(2_000, 1_000);
    const advised = () => cache.insight.recommendations({ pattern: 'item:*' }).map(({ code }) => code);
    expect(advised()).toEqual(['RAISE_TTL']);

    await cache.tuning.override('item:*', { ttl: '16m' });
    expect(cache.insight.ttlLadder('item:*')).toMatchObject({ ttlMs: 16 * MINUTE, accesses: 0 });
    expect(advised()).toEqual([]);
    await ask(2_000, 1_000);
    expect(cache.insight.ttlLadder('item:*')).toMatchObject({ ttlMs: 16 * MINUTE, accesses: 2_000 });
    expect(advised()).toEqual([]);
  });

  it('ttlLadder() says that entries without a TTL have no ladder, and what is missing for unknown patterns', async () => {
    const { cache, ask } = shop({ ttl: 0 });
    await ask(100, 1_000);

    expect(cache.insight.ttlLadder('item:*')).toMatchObject({
      ttlMs: Infinity,
      withheld: 'ttl: entries do not expire',
      ladder: [],
    });
    expect(cache.insight.ttlLadder('other:*')).toMatchObject({ ttlMs: null, accesses: 0, ladder: [] });
    expect(shop({ insight: false }).cache.insight.ttlLadder('item:*').withheld).toBe('insight: it is off');
  });

  it('ttlLadder() stores a bounded number of loads for any number of keys', async () => {
    const { cache, ask } = shop();
    await ask(50_000, 10, 50_000);
    expect(cache.insight.ttlLadder('item:*').accesses).toBeGreaterThan(40_000);
    expect(cache.insight.ttlLadder('item:*').accesses).toBeLessThan(60_000);
  });
});
