import { type TIMED_OUT, within } from './bounded-wait.js';
import type { Clock } from './clock.js';

/** The most time that all parts of this library may take together, milliseconds: of ten seconds of an orchestrator, five are left for others. */
const TOTAL_MS = 4_500;

/**
 * The time that the parts of one application share when it closes, however many of them hang. Parts that wait at the same time
 * spend it once; the time between them does not count.
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

  /** Waits for the work, for at most `ms` and the remaining budget. */
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
