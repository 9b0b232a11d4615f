import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { SimulatedMemory } from '../../../lib/insight/simulated-memory.js';

const SMALL = { maxEntries: 16, maxBytes: 16_000 };
const LARGE = { maxEntries: 32, maxBytes: 32_000 };

const step = fc.record({
  hash: fc.integer({ min: 1, max: 60 }),
  isHot: fc.boolean(),
  count: fc.integer({ min: 1, max: 5 }),
  passedMs: fc.integer({ min: 0, max: 50 }),
  bytes: fc.integer({ min: 50, max: 1_500 }),
  kind: fc.constantFrom('access', 'access', 'access', 'store', 'remove', 'sweep'),
});

describe('a simulated memory layer', () => {
  it.each(['worth', 'lru'] as const)(
    'a copy made before the first eviction answers as a %s layer that was larger from the start',
    (eviction) => {
      fc.assert(
        fc.property(fc.array(step, { minLength: 300, maxLength: 300 }), (steps) => {
          const small = new SimulatedMemory(eviction, SMALL, 1);
          const large = new SimulatedMemory(eviction, LARGE, 1);
          let copy: SimulatedMemory | undefined;
          let now = 1_000;
          for (const { hash, isHot, count, passedMs, bytes, kind } of steps) {
            now += passedMs;
            const entry = { bytes, costMs: 10, ttlMs: 5_000 };
            if (!small.fits(isHot, bytes)) copy ??= small.copy(LARGE);
            const layers = copy === undefined ? [small, large] : [small, copy, large];
            const hits = layers.map((layer) => {
              if (kind === 'access') return layer.access(hash, isHot, count, now, entry);
              if (kind === 'store') layer.store(hash, isHot, now, entry);
              else if (kind === 'remove') layer.remove(hash);
              else layer.sweep(now);
              return 0;
            });
            // The copy, or the small layer as long as it is like the large one.
            expect(hits.at(-2)).toBe(hits.at(-1));
          }
        }),
      );
    },
  );
});
