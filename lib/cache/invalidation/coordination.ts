/** Leases and messages, which a layer shared between processes offers besides its entries. */
export interface Coordination {
  /** Acquires a lease on a name. Resolves with undefined while another holder has it. Rejects if the layer cannot be reached. */
  acquire(name: string, leaseMs: number): Promise<Lease | undefined>;
  /**
   * Sends a message to every other process. Resolves when the message is handed over. Rejects if it could not be sent now, at once if the layer is
   * known to be unreachable. The message is then kept and sent later.
   */
  publish(message: BusMessage): Promise<void>;
  /**
   * Receives messages of other processes. `onGap` is called after a lost connection, because messages may have been missed. `onSent` is called after
   * messages of this process were sent, including kept ones.
   */
  subscribe(listener: {
    onMessage(message: BusMessage): void;
    onGap(): void;
    onSent?(): void;
  }): Promise<() => Promise<void>>;
}

export interface Lease {
  /** Prolongs the lease. Resolves with false if the lease was lost. */
  renew(leaseMs: number): Promise<boolean>;
  release(): Promise<void>;
}

/** Names that the memory layers of the other processes must remove, and other changes. */
export interface BusMessage {
  readonly keys?: readonly string[];
  readonly patterns?: readonly string[];
  readonly tags?: readonly string[];
  readonly all?: boolean;
  /** True if policies were overridden or reverted. The shared map holds them. */
  readonly policies?: boolean;
}
