import { pause, TIMED_OUT, within } from '../cache/base/bounded-wait.js';
import type { Clock } from '../cache/base/clock.js';
import { giveBackLate, holdLease } from '../cache/layers/resilience/lease.js';
import type { Coordination, Layer } from '../cache/layers/layer.js';

const LEASE_MS = 15_000;
const RETRY_MS = 250;
/** Deadline of a request for the lease, milliseconds. */
const ANSWER_MS = 1_000;

/** Which replica warms: `mine` until it is released, or `elsewhere`. */
export type Turn = { readonly state: 'mine'; release(): void } | { readonly state: 'elsewhere' };

const UNSHARED: Turn = { state: 'mine', release: () => undefined };

/**
 * Lets only one of several replicas warm, with a lease in the first layer that supports leases. The lease is renewed during the work.
 * Without such a layer, or while it does not answer, every replica warms. The release of the lease is not awaited.
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
    try {
      const acquiring = this.#coordination.acquire(`warming:${strategy}`, LEASE_MS);
      const lease = await within(acquiring, ANSWER_MS, this.clock);
      if (lease === TIMED_OUT) {
        giveBackLate(acquiring);
        return UNSHARED;
      }
      if (lease === undefined) return { state: 'elsewhere' };
      return { state: 'mine', release: holdLease(lease, LEASE_MS, this.clock) };
    } catch {
      return UNSHARED;
    }
  }

  /** Like {@link take}, but tries again until the other replica has finished. */
  async wait(strategy: string, signal: AbortSignal): Promise<Turn> {
    for (;;) {
      const turn = await this.take(strategy);
      if (turn.state === 'mine' || signal.aborted) return turn;
      await pause(RETRY_MS, this.clock, signal);
    }
  }
}
