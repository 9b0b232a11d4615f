import { describe, expect, it } from '@jest/globals';
import { createObservedCache } from '../../../lib/index.js';
import { CacheWarmer } from '../../../lib/warming/cache-warmer.js';
import { StrategyRegistry } from '../../../lib/warming/strategy-registry.js';
import { ManualClock } from '../../support/manual-clock.js';
import { WarmingHits } from '../../../lib/warming/warming-hits.js';
import type { WarmingTarget } from '../../../lib/warming/warming-target.js';

/** A target that records the begin and end of watches. */
function watchedTarget() {
  const watches: { readonly keys: readonly string[]; readonly hit: (key: string) => void; ended: boolean }[] = [];
  const target: Pick<WarmingTarget, 'watchFirstHit'> = {
    watchFirstHit(keys, hit) {
      const watch = { keys, hit, ended: false };
      watches.push(watch);
      return () => (watch.ended = true);
    },
  };
  return { target: target as WarmingTarget, watches };
}

const keysOf = (pass: string, count: number) => Array.from({ length: count }, (_, index) => `${pass}${index}`);

describe('the efficiency of warming', () => {
  it('the efficiency of warming is the share of warmed entries that were hit, of one pass and of all passes', () => {
    const { target, watches } = watchedTarget();
    const hits = new WarmingHits(target);
    expect(hits.ofStrategy('s')).toBeNull();
    const first = hits.open('s');
    first.watch(['a', 'b', 'c', 'd']);
    watches[0]!.hit('a');
    const second = hits.open('s');
    second.watch(['e', 'f', 'g', 'h']);
    expect([first.efficiency, second.efficiency, hits.ofStrategy('s')]).toEqual([0.25, 0, 0.125]);
  });

  it('the efficiency of warming is measured for ten thousand keys at most: the oldest measurements end first', () => {
    const { target, watches } = watchedTarget();
    const hits = new WarmingHits(target);
    for (const pass of ['a', 'b', 'c']) hits.open('s').watch(keysOf(pass, 4_000));
    expect(watches.map(({ ended }) => ended)).toEqual([true, false, false]);
    hits.open('s').watch(keysOf('d', 25_000));
    expect(watches.map(({ keys, ended }) => [keys.length, ended])).toEqual([
      [4_000, true],
      [4_000, true],
      [4_000, true],
      [10_000, false],
    ]);
    hits.close();
    expect(watches.every(({ ended }) => ended)).toBe(true);
  });
});

describe('the advice on warming', () => {
  async function warmed(read: number) {
    const clock = new ManualClock();
    const cache = createObservedCache({ clock, ttl: '10m', namespace: 'shop', serviceName: 'shop' });
    const warmer = new CacheWarmer(cache, new StrategyRegistry(), {}, clock);
    cache.insight.addWarmed((pattern) => warmer.warmedOf(pattern));
    const keys = Array.from({ length: 120 }, (_, id) => `product:${id}`);
    warmer.register({ entries: () => keys.map((key) => ({ key, value: 1 })) }, { name: 'products' });
    const running = warmer.warm('products');
    await clock.advance(1_000);
    await running;
    for (const key of keys.slice(0, read)) await cache.get(key);
    const codes = () =>
      cache.insight
        .recommendations({ pattern: 'product:*' })
        .filter(({ change }) => change.option === 'strategies')
        .map(({ code, change }) => [code, change.from]);
    return { clock, cache, warmer, codes };
  }

  it('the advice on warming names a strategy whose entries end unread, once they have ended', async () => {
    const { clock, cache, codes, warmer } = await warmed(5);
    expect(codes()).toEqual([]);
    await clock.advance(11 * 60_000);
    expect(warmer.warmedOf('product:*')).toEqual([{ strategy: 'products', warmed: 120, read: 5 }]);
    expect(codes()).toEqual([['NEVER_READ', 'products']]);
    await cache.close();
  });

  it('the advice on warming is absent if the entries are read', async () => {
    const { clock, cache, codes } = await warmed(40);
    await clock.advance(11 * 60_000);
    expect(codes()).toEqual([]);
    await cache.close();
  });
});
