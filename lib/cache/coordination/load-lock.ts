import { pause } from '../bounded-wait.js';
import type { Clock } from '../clock.js';
import type { Coordination, Lease } from '../layers/layer.js';

const LEASE_MS = 10_000;
const FIRST_POLL_MS = 5;
const LAST_POLL_MS = 15;

/** How waiting for a lock ended. */
export type LockTurn<T> =
  /** The lock is ours: load, then `release`. */
  | { readonly kind: 'mine'; release(): Promise<void> }
  /** Somebody else's load has put the value there meanwhile. */
  | { readonly kind: 'found'; readonly found: T }
  | { readonly kind: 'timeout' }
  /** The layer cannot be reached: this process is on its own. */
  | { readonly kind: 'unreachable'; readonly cause: unknown };

/** One load per key across processes: who gets the lease loads, the others look for what it stored. */
export class LoadLock {
  readonly #coordination: Coordination;
  readonly #clock: Clock;

  constructor(coordination: Coordination, clock: Clock) {
    this.#coordination = coordination;
    this.#clock = clock;
  }

  /**
   * Waits for its turn, for `waitMs` at most.
   * @param look what is asked before each further try: undefined while there is nothing.
   */
  async turn<T>(key: string, waitMs: number, look: () => Promise<T | undefined>): Promise<LockTurn<T>> {
    const deadline = this.#clock.now() + waitMs;
    try {
      for (let tries = 0; ; tries++) {
        const lease = await this.#coordination.acquire(`load:${key}`, LEASE_MS);
        if (lease !== undefined) {
          const release = this.#keep(lease);
          // Whoever had the lock before may have stored the value between our read and now.
          const found = await look().catch(() => undefined);
          if (found === undefined) return { kind: 'mine', release };
          await release();
          return { kind: 'found', found };
        }
        const left = deadline - this.#clock.now();
        if (left <= 0) return { kind: 'timeout' };
        await pause(Math.min(left, FIRST_POLL_MS + tries, LAST_POLL_MS), this.#clock);
        const found = await look();
        if (found !== undefined) return { kind: 'found', found };
      }
    } catch (cause) {
      return { kind: 'unreachable', cause };
    }
  }

  /** Renews the lease until it is released. A lease that was lost costs a second load, nothing more. */
  #keep(lease: Lease): () => Promise<void> {
    let held = true;
    let stop: () => void;
    const renewLater = () =>
      this.#clock.after(LEASE_MS / 3, () => {
        lease.renew(LEASE_MS).then(
          (renewed) => {
            if (renewed && held) stop = renewLater();
          },
          () => {
            if (held) stop = renewLater();
          },
        );
      });
    stop = renewLater();
    return async () => {
      held = false;
      stop();
      await lease.release().catch(() => undefined);
    };
  }
}
