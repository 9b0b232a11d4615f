import { type Clock, startTimer } from '../cache/base/clock.js';

/**
 * A clock that uses the global `Date` and `setTimeout` at each call, so that fake timers of jest and vitest control it. They do
 * not control the default clock, which reads the machine's monotonic time.
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
