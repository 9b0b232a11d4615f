import { type Clock, startTimer } from '../cache/base/clock.js';

/**
 * A clock that reads the global `Date` and `setTimeout` at each call, so that the fake timers of jest and vitest set its time. The
 * default clock does not: it reads the machine's monotonic time.
 *
 * @example
 * ```ts
 * jest.useFakeTimers();
 * const cache = createObservedCache({ clock: new TimersClock(), ttl: '5m' });
 * await cache.set('feed:1', 'a');
 * await jest.advanceTimersByTimeAsync(300_001);
 * await cache.get('feed:1'); // undefined: expired
 * ```
 *
 * @publicApi
 */
export class TimersClock implements Clock {
  now(): number {
    return Date.now();
  }

  after(delayMs: number, task: () => void): () => void {
    return startTimer(delayMs, task);
  }
}
