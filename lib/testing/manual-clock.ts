import type { Clock } from '../cache/base/clock.js';

/**
 * A clock for tests: time passes only by `advance()`, and due tasks then run in the order of their times. Pass it to
 * `createObservedCache({ clock })`.
 *
 * @example
 * ```ts
 * const clock = new ManualClock();
 * const cache = createObservedCache({ clock, ttl: '5m' });
 * await cache.getOrSet('feed:1', load);
 * await clock.advance(300_001);
 * await cache.getOrSet('feed:1', load); // expired: loads again
 * ```
 *
 * @publicApi
 */
export class ManualClock implements Clock {
  #now: number;
  #tasks: { at: number; order: number; task: () => void }[] = [];
  #order = 0;

  /** @param start milliseconds since 1970. */
  constructor(start = 1_700_000_000_000) {
    this.#now = start;
  }

  now(): number {
    return this.#now;
  }

  after(delayMs: number, task: () => void): () => void {
    const entry = { at: this.#now + delayMs, order: this.#order++, task };
    this.#tasks.push(entry);
    return () => {
      this.#tasks = this.#tasks.filter((other) => other !== entry);
    };
  }

  /** The number of scheduled tasks. */
  get pending(): number {
    return this.#tasks.length;
  }

  /** Advances the clock by `ms` milliseconds; due tasks run in the order of their times, and promises settle between them. */
  async advance(ms: number): Promise<void> {
    const until = this.#now + ms;
    for (;;) {
      const due = this.#tasks.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at || a.order - b.order)[0];
      if (due === undefined) break;
      this.#tasks = this.#tasks.filter((other) => other !== due);
      this.#now = Math.max(this.#now, due.at);
      due.task();
      await settle();
    }
    this.#now = until;
    await settle();
  }
}

/** Runs pending promises and callbacks without advancing any clock. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
}
