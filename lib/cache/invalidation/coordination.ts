/** What a layer shared between processes offers besides its entries: leases and messages. */
export interface Coordination {
  /** A lease on a name, or undefined while another holder has it. Rejects if the layer cannot be reached. */
  acquire(name: string, leaseMs: number): Promise<Lease | undefined>;
  /**
   * Sends a message to every other process; resolves when it is handed over. Rejects if that failed for now, at once if the layer
   * is known to be away: the message is kept and sent later.
   */
  publish(message: BusMessage): Promise<void>;
  /**
   * Receives messages of other processes. `onGap` is called after a lost connection: messages may have been missed; `onSent` when messages
   * of this process were sent, kept ones too.
   */
  subscribe(listener: {
    onMessage(message: BusMessage): void;
    onGap(): void;
    onSent?(): void;
  }): Promise<() => Promise<void>>;
}

export interface Lease {
  /** Prolongs it; false if it was lost. */
  renew(leaseMs: number): Promise<boolean>;
  release(): Promise<void>;
}

/** Names that the memory layers of other processes must remove, and other changes. */
export interface BusMessage {
  readonly keys?: readonly string[];
  readonly patterns?: readonly string[];
  readonly tags?: readonly string[];
  readonly all?: boolean;
  /** Policies were overridden or reverted: the shared map holds them. */
  readonly policies?: boolean;
}
