import { type TIMED_OUT, within } from './bounded-wait.js';
import type { Clock } from './clock.js';

/** The most time for all parts of this library together, milliseconds. Orchestrators often allow ten seconds, and other code needs its share. */
const TOTAL_MS = 4_500;

/**
 * The time that all parts of an application may take together when it closes, even if several hang. Waits that overlap count once. Time in which no
 * part waits does not count.
 */
export class ShutdownBudget {
  readonly #clock: Clock;
  #spentMs = 0;
  #waiting = 0;
  #since = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get leftMs(): number {
    const running = this.#waiting > 0 ? this.#clock.now() - this.#since : 0;
    return Math.max(0, TOTAL_MS - this.#spentMs - running);
  }

  /** Waits until the work ends, `ms` have passed or the budget is used up. */
  async spend<T>(work: (ms: number) => Promise<T>, ms = Infinity): Promise<T | typeof TIMED_OUT> {
    const limitMs = Math.min(ms, this.leftMs);
    if (this.#waiting++ === 0) this.#since = this.#clock.now();
    try {
      return await within(work(limitMs), limitMs, this.#clock);
    } finally {
      if (--this.#waiting === 0) this.#spentMs += this.#clock.now() - this.#since;
    }
  }
}
