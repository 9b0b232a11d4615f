import { describe, expect, it } from '@jest/globals';
import { memoryLayer } from '../../../lib/cache/layers/memory-layer.js';
import { createObservedCache } from '../../../lib/wiring/create-observed-cache.js';
import { memoryExperiment } from '../../support/memory-experiment.js';
import type { TrafficOptions } from '../../support/seeded-traffic.js';

const STEADY: TrafficOptions = {
  seed: 401, keys: 4_000, zipf: 0.9, perSecond: 20, seconds: 1_200, crawler: 0, drift: 0, changeSeconds: Infinity, changing: 0,
  announced: 0,
}; // prettier-ignore

describe('cache.insight.memoryLadder()', () => {
  it.each([
    ['worth', STEADY, 400],
    ['lru', { ...STEADY, seed: 402, crawler: 0.1 }, 400],
    ['worth', { ...STEADY, seed: 403, keys: 800, zipf: 1 }, 100],
  ] as const)(
    'memoryLadder() predicts the hit rate of 0.5 to 4 times the memory with %s',
    async (eviction, traffic, maxEntries) => {
      const { ladder, realised } = await memoryExperiment(traffic, maxEntries, eviction);
      expect(ladder).toMatchObject({ layer: 'memory', eviction });
      const shown = realised.filter(
        ({ factor }) => ladder.ladder.find((rung) => rung.factor === factor)!.hitRate !== null,
      );
      expect(shown.length).toBeGreaterThanOrEqual(3);
      for (const { factor, hitRate } of shown) {
        const rung = ladder.ladder.find((one) => one.factor === factor)!;
        const off = Math.abs(rung.hitRate! - hitRate);
        expect({ factor, off, within: off <= 0.03 }).toMatchObject({ within: true });
      }
    },
  );

  it('memoryLadder() shows six sizes with their error bounds, and withholds them below 1,000 accesses', async () => {
    const cache = createObservedCache({
      namespace: 'shop',
      layers: [memoryLayer({ maxEntries: 1_000, name: 'near' })],
    });
    for (let id = 0; id < 50; id++) await cache.getOrSet(`item:${id}`, () => id);
    const [ladder] = cache.insight.memoryLadder('near');

    expect(ladder!.ladder.map(({ factor, maxEntries }) => [factor, maxEntries])).toEqual([
      [0.25, 250], [0.5, 500], [1, 1_000], [2, 2_000], [4, 4_000], [8, 8_000],
    ]); // prettier-ignore
    expect(ladder).toMatchObject({ accesses: 50, withheld: 'accesses: 50 of the 1000 that it needs' });
    expect(ladder!.ladder.every(({ hitRate }) => hitRate === null)).toBe(true);
    expect(cache.insight.memoryLadder('redis')).toEqual([]);
    await cache.close();
  });
});
