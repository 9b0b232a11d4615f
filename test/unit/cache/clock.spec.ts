import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { systemClock } from '../../../lib/cache/base/clock.js';
import { createObservedCache, memoryLayer, type ObservedCache } from '../../../lib/index.js';
import { TimersClock } from '../../../lib/testing/timers-clock.js';
import { ManualClock } from '../../support/manual-clock.js';

describe('a cache in memory', () => {
  it.each([
    ['a miss', 5, (cache: ObservedCache, key: string) => cache.getOrSet(key, () => 1)],
    ['a set', 2, (cache: ObservedCache, key: string) => cache.set(key, 1)],
  ])('a cache in memory reads its clock for %s at most %i times, statistics included', async (_, most, use) => {
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
  it('the system clock agrees with the clock of the process, across seconds too', async () => {
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

  it('the system clock never goes back', () => {
    let last = systemClock.now();
    for (let turn = 0; turn < 100_000; turn++) {
      const now = systemClock.now();
      if (now < last) expect(now).toBeGreaterThanOrEqual(last);
      last = now;
    }
  });
});

describe.each([
  ['the system clock', systemClock],
  ['the clock of the global timers', new TimersClock()],
])('%s', (_name, clock) => {
  const DAY_MS = 86_400_000;

  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  it('a delay may be longer than a timer of Node can be', () => {
    const task = jest.fn();
    clock.after(60 * DAY_MS, task);
    jest.advanceTimersByTime(60 * DAY_MS - 1);
    expect(task).not.toHaveBeenCalled();
    jest.advanceTimersByTime(1);
    expect(task).toHaveBeenCalledTimes(1);
  });

  it.each([1, 30, 59])('a delay can be stopped after %i of 60 days', (days) => {
    const task = jest.fn();
    const cancel = clock.after(60 * DAY_MS, task);
    jest.advanceTimersByTime(days * DAY_MS);
    cancel();
    expect(jest.getTimerCount()).toBe(0);
    jest.advanceTimersByTime(60 * DAY_MS);
    expect(task).not.toHaveBeenCalled();
  });
});
