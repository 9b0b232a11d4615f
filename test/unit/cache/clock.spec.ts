import { describe, expect, it } from '@jest/globals';
import { systemClock } from '../../../lib/cache/base/clock.js';
import { createObservedCache, memoryLayer, type ObservedCache } from '../../../lib/index.js';
import { ManualClock } from '../../support/manual-clock.js';

describe('a cache in memory', () => {
  it.each([
    ['a miss', 5, (cache: ObservedCache, key: string) => cache.getOrSet(key, () => 1)],
    ['a set', 2, (cache: ObservedCache, key: string) => cache.set(key, 1)],
  ])('reads its clock for %s at most %i times, statistics included', async (_, most, use) => {
    let readings = 0;
    const clock = Object.assign(new ManualClock(), {
      now: () => 1_700_000_000_000 + readings++,
    });
    const cache = createObservedCache({ layers: [memoryLayer()], clock });
    await use(cache, 'product:1');
    readings = 0;
    await use(cache, 'product:2');
    expect(readings).toBeLessThanOrEqual(most);
    await cache.disconnect();
  });
});

/** Milliseconds since the epoch are rounded to 2^-12; a distance combines several of them. */
const ROUNDING_MS = 2 ** -10;

describe('the system clock', () => {
  it('agrees with the clock of the process, across seconds too', async () => {
    let [ahead, behind] = [-Infinity, Infinity];
    const compare = () => {
      const before = performance.timeOrigin + performance.now();
      const now = systemClock.now();
      const after = performance.timeOrigin + performance.now();
      ahead = Math.max(ahead, now - after);
      behind = Math.min(behind, now - before);
    };
    for (const [second] = process.hrtime(); process.hrtime()[0] === second; await new Promise(setImmediate)) compare();
    compare();
    // One distance fits every reading.
    expect(ahead).toBeLessThanOrEqual(behind + ROUNDING_MS);
  });

  it('never goes back', () => {
    let last = systemClock.now();
    for (let turn = 0; turn < 100_000; turn++) {
      const now = systemClock.now();
      if (now < last) expect(now).toBeGreaterThanOrEqual(last);
      last = now;
    }
  });
});
