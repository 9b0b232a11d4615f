import type { Clock } from '../cache/clock.js';
import type { Coordination, Layer, Lease } from '../cache/layers/layer.js';

const LEASE_MS = 15_000;
const RENEW_MS = LEASE_MS / 3;
const RETRY_MS = 250;

/** Whether this replica warms: `mine` until released, `elsewhere` while another one does. */
export type Turn = { readonly state: 'mine'; release(): Promise<void> } | { readonly state: 'elsewhere' };

const UNSHARED: Turn = { state: 'mine', release: () => Promise.resolve() };

/**
 * Lets one of several replicas warm: a lease in the first layer that offers one, renewed while the work goes on. Without
 * such a layer, or while it cannot be reached, every replica warms for itself.
 */
export class ReplicaLock {
  readonly #coordination: Coordination | undefined;

  constructor(
    layers: readonly Layer[],
    private readonly clock: Clock,
  ) {
    this.#coordination = layers.find(({ coordination }) => coordination !== undefined)?.coordination;
  }

  async take(strategy: string): Promise<Turn> {
    if (this.#coordination === undefined) return UNSHARED;
    let lease: Lease | undefined;
    try {
      lease = await this.#coordination.acquire(`warming:${strategy}`, LEASE_MS);
    } catch {
      return UNSHARED;
    }
    return lease === undefined ? { state: 'elsewhere' } : this.#hold(lease);
  }

  /** Like {@link take}, but asks again until the other replica has ended. */
  async wait(strategy: string, signal: AbortSignal): Promise<Turn> {
    for (;;) {
      const turn = await this.take(strategy);
      if (turn.state === 'mine' || signal.aborted) return turn;
      await this.#pause(signal);
    }
  }

  #pause(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const go = () => {
        cancel();
        signal.removeEventListener('abort', go);
        resolve();
      };
      const cancel = this.clock.after(RETRY_MS, go);
      signal.addEventListener('abort', go, { once: true });
    });
  }

  #hold(lease: Lease): Turn {
    let released = false;
    let cancel: () => void = () => undefined;
    const renewLater = () => {
      cancel = this.clock.after(RENEW_MS, () => {
        // A lease that was lost is no reason to stop: at worst two replicas write the same values.
        lease
          .renew(LEASE_MS)
          .catch(() => true)
          .then((held) => {
            if (held && !released) renewLater();
          })
          .catch(() => undefined);
      });
    };
    renewLater();
    return {
      state: 'mine',
      release: async () => {
        released = true;
        cancel();
        await lease.release().catch(() => undefined);
      },
    };
  }
}
