import type { Clock } from '../cache/base/clock.js';

/**
 * A clock for tests. Time passes only when `advance()` is called, and due tasks then run in the order of their times. Pass it
 * to `createObservedCache({ clock })`.
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
  /** The tasks in the order in which they were scheduled. */
  readonly #tasks = new Set<ScheduledTask>();

  /** @param start milliseconds since 1970. */
  constructor(start = 1_700_000_000_000) {
    this.#now = start;
  }

  now(): number {
    return this.#now;
  }

  after(delayMs: number, task: () => void): () => void {
    const entry = { at: this.#now + delayMs, task };
    this.#tasks.add(entry);
    return () => void this.#tasks.delete(entry);
  }

  /** The number of scheduled tasks. */
  get pending(): number {
    return this.#tasks.size;
  }

  /** Advances the clock by `ms` milliseconds. Due tasks run in the order of their times, and promises settle between them. */
  async advance(ms: number): Promise<void> {
    const until = this.#now + ms;
    for (;;) {
      const due = this.#earliest();
      if (due === undefined || due.at > until) break;
      this.#tasks.delete(due);
      this.#now = Math.max(this.#now, due.at);
      due.task();
      await settle();
    }
    this.#now = until;
    await settle();
  }

  /** Returns the task that is due first. Of several tasks for one time, this is the one that was scheduled first. */
  #earliest(): ScheduledTask | undefined {
    let earliest: ScheduledTask | undefined;
    for (const task of this.#tasks) if (earliest === undefined || task.at < earliest.at) earliest = task;
    return earliest;
  }
}

interface ScheduledTask {
  readonly at: number;
  readonly task: () => void;
}

/** Runs pending promises and callbacks without advancing any clock. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
}
