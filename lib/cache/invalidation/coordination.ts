/** What a layer shared between processes offers beside its entries. */
export interface Coordination {
  /** A lease on a name, or undefined while somebody else holds it. Rejects if the layer cannot be reached. */
  acquire(name: string, leaseMs: number): Promise<Lease | undefined>;
  /**
   * Sends to every other process; resolves when handed over. Rejects when it could not be yet, without waiting where the layer
   * is known to be away: it is kept and sent later.
   */
  publish(message: BusMessage): Promise<void>;
  /** Other processes' messages. `onGap` is called after a lost connection: what was sent meanwhile is unknown. */
  subscribe(listener: { onMessage(message: BusMessage): void; onGap(): void }): Promise<() => Promise<void>>;
}

export interface Lease {
  /** Prolongs it; false if it was lost. */
  renew(leaseMs: number): Promise<boolean>;
  release(): Promise<void>;
}

/** What memory layers of other processes must forget, and what of the rest has changed. */
export interface BusMessage {
  readonly keys?: readonly string[];
  readonly patterns?: readonly string[];
  readonly tags?: readonly string[];
  readonly all?: boolean;
  /** Policies were overridden or reverted: the shared map holds them. */
  readonly policies?: boolean;
}
