import { describe, expect, it } from '@jest/globals';
import { systemClock } from '../../../lib/cache/clock.js';

/** Milliseconds since the epoch are rounded to 2^-12; a distance is told by several of them. */
const ROUNDING_MS = 2 ** -10;

describe('the clock of the machine', () => {
  it('passes as that of the process does, from one second to the next too', async () => {
    let [ahead, behind] = [-Infinity, Infinity];
    const compare = () => {
      const before = performance.timeOrigin + performance.now();
      const told = systemClock.now();
      const after = performance.timeOrigin + performance.now();
      ahead = Math.max(ahead, told - after);
      behind = Math.min(behind, told - before);
    };
    for (const [second] = process.hrtime(); process.hrtime()[0] === second; await new Promise(setImmediate)) compare();
    compare();
    // One distance fits every reading.
    expect(ahead).toBeLessThanOrEqual(behind + ROUNDING_MS);
  });

  it('never goes back', () => {
    let last = systemClock.now();
    for (let turn = 0; turn < 100_000; turn++) {
      const told = systemClock.now();
      if (told < last) expect(told).toBeGreaterThanOrEqual(last);
      last = told;
    }
  });
});
