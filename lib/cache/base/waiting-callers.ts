import { type Clock, LONGEST_TIMER_MS, systemClock } from './clock.js';

/**
 * Keeps the process alive while a caller waits for an answer. The cache's own timers never do: without this a script would
 * end in the middle of a load that nothing else keeps alive. A clock that a test turns by hand keeps nothing alive.
 */
export class WaitingCallers {
  readonly #holds: boolean;
  #count = 0;
  #closed = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(clock: Clock) {
    this.#holds = clock.after === systemClock.after;
  }

  /** To be followed by one {@link leave}. */
  enter(): void {
    if (this.#count++ > 0 || !this.#holds || this.#closed) return;
    this.#timer ??= setInterval(() => undefined, LONGEST_TIMER_MS);
    this.#timer.ref();
  }

  leave(): void {
    if (--this.#count === 0) this.#timer?.unref();
  }

  /** Keeps the process alive until the work is done. */
  async during<T>(work: Promise<T>): Promise<T> {
    this.enter();
    try {
      return await work;
    } finally {
      this.leave();
    }
  }

  /** From now on callers that still wait, for what never comes, keep nothing alive. */
  close(): void {
    this.#closed = true;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
