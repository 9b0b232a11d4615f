import { pause, TIMED_OUT, within } from '../base/bounded-wait.js';
import type { Clock } from '../base/clock.js';
import type { Coordination, Lease } from '../layers/layer.js';
import { giveBackLate, holdLease } from '../layers/resilience/lease.js';

const LEASE_MS = 10_000;
const FIRST_POLL_MS = 5;
const LAST_POLL_MS = 15;
/** The time limit of one request for the lease. */
const ANSWER_MS = 1_000;

/** The outcome of waiting for a lock. */
export type LockTurn<T> =
  /** This process holds the lock: load, then `release`. */
  | { readonly kind: 'mine'; release(): void }
  /** Another process has stored the value. */
  | { readonly kind: 'found'; readonly found: T }
  | { readonly kind: 'timeout' }
  /** The layer cannot be reached: load without a lock. */
  | { readonly kind: 'unreachable'; readonly cause: unknown };

/**
 * Ensures one load per key across processes. The process that gets the lease loads, and the others look for the value that it stores. The
 * release of a lease is not awaited. A wait ends after the given time, even if the layer does not answer.
 */
export class LoadLock {
  readonly #coordination: Coordination;
  readonly #clock: Clock;

  constructor(coordination: Coordination, clock: Clock) {
    this.#coordination = coordination;
    this.#clock = clock;
  }

  /**
   * Waits for the lock, at most `waitMs`.
   * @param look called before each further attempt. It returns undefined while there is no value.
   */
  async turn<T>(key: string, waitMs: number, look: () => Promise<T | undefined>): Promise<LockTurn<T>> {
    const deadline = this.#clock.now() + waitMs;
    const left = (): number => deadline - this.#clock.now();
    try {
      for (let tries = 0; ; tries++) {
        const lease = await this.#acquire(key, Math.min(left(), ANSWER_MS));
        if (lease === TIMED_OUT) return left() > 0 ? { kind: 'unreachable', cause: undefined } : { kind: 'timeout' };
        if (lease !== undefined) {
          const release = holdLease(lease, LEASE_MS, this.#clock);
          // The previous holder of the lock may have stored the value after our read.
          const found = await within(
            look().catch(() => undefined),
            left(),
            this.#clock,
          );
          if (found === undefined || found === TIMED_OUT) return { kind: 'mine', release };
          release();
          return { kind: 'found', found };
        }
        if (left() <= 0) return { kind: 'timeout' };
        await pause(Math.min(left(), FIRST_POLL_MS + tries, LAST_POLL_MS), this.#clock);
        const found = await within(look(), left(), this.#clock);
        if (found === TIMED_OUT) return { kind: 'timeout' };
        if (found !== undefined) return { kind: 'found', found };
      }
    } catch (cause) {
      return { kind: 'unreachable', cause };
    }
  }

  async #acquire(key: string, ms: number): Promise<Lease | undefined | typeof TIMED_OUT> {
    const acquiring = this.#coordination.acquire(`load:${key}`, LEASE_MS);
    const lease = await within(acquiring, ms, this.#clock);
    if (lease === TIMED_OUT) giveBackLate(acquiring);
    return lease;
  }
}
