import { memoryLayer } from '../../lib/cache/layers/memory-layer.js';
import type { Eviction } from '../../lib/cache/layers/memory/eviction-policy.js';
import { createObservedCache } from '../../lib/wiring/create-observed-cache.js';
import type { MemoryLadder } from '../../lib/insight/memory-ladder.js';
import { HandClock } from './hand-clock.js';
import { playTraffic, seededRandom, type TrafficOptions } from './seeded-traffic.js';

/** Factors whose prediction is compared with a cache of that size. */
const FACTORS = [1 / 2, 1, 2, 4];
const SETTLED_EVERY = 2_000;

/** Plays traffic through a cache with a bound of its memory, and through others with other bounds. */
export async function memoryExperiment(
  traffic: TrafficOptions,
  maxEntries: number,
  eviction: Eviction,
): Promise<{ ladder: MemoryLadder; realised: { factor: number; hitRate: number }[] }> {
  const keys: { readonly at: number; readonly key: string }[] = [];
  playTraffic(traffic, (at, key, what) => void (what === 'ask' && keys.push({ at, key: `item:${key}` })));
  const play = async (factor: number) => {
    const clock = new HandClock();
    const startedAt = clock.now();
    const layers = [memoryLayer({ maxEntries: maxEntries * factor, maxBytes: '1gb', eviction })];
    const cache = createObservedCache({
      clock,
      random: seededRandom(traffic.seed),
      ttl: '1h',
      namespace: 'shop',
      layers,
      // Of the others only the hit rate counts.
      ...(factor === 1 ? { metrics: { patternOf: () => 'item:*' } } : { metrics: false, insight: false }),
    });
    let loads = 0;
    let pending: Promise<unknown>[] = [];
    for (const { at, key } of keys) {
      clock.turnTo(startedAt + at * 1_000);
      pending.push(cache.getOrSet(key, () => ++loads));
      if (pending.length < SETTLED_EVERY) continue;
      await Promise.all(pending);
      pending = [];
    }
    const [ladder] = cache.insight.memoryLadder();
    await cache.close();
    return { ladder, hitRate: 1 - loads / keys.length };
  };
  const today = await play(1);
  const realised = [];
  for (const factor of FACTORS) {
    realised.push({ factor, hitRate: factor === 1 ? today.hitRate : (await play(factor)).hitRate });
  }
  return { ladder: today.ladder!, realised };
}
