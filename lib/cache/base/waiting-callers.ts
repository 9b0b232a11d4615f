import { type Clock, LONGEST_TIMER_MS, systemClock } from './clock.js';

/**
 * Keeps the process alive while a caller waits for an answer. The timers of the cache do not keep it alive, so without this class a script could end
 * during a load. With a clock that a test sets, this class does nothing.
 */
export class WaitingCallers {
  readonly #holds: boolean;
  #count = 0;
  #closed = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(clock: Clock) {
    this.#holds = clock.after === systemClock.after;
  }

  /** Keeps the process alive until {@link leave}, which must follow once. */
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

  /** Stops keeping the process alive, even if callers still wait. */
  close(): void {
    this.#closed = true;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
