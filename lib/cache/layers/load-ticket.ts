/**
 * The times of the reads of one load, for the write of the loaded value. Each layer has one time, opaque to other code. A layer that orders
 * invalidations across processes refuses a write if the key was invalidated after the read.
 */
export class LoadTicket {
  #layer: string | undefined;
  #moment: unknown;
  #others: Map<string, unknown> | undefined;
  #turn = 0;

  /** @param replaces true if the written entry is derived from the entry that was read. The write is refused if that entry is gone. */
  constructor(readonly replaces = false) {}

  /** Take this when a read is sent, and pass it to {@link note} with the read's moment. */
  get turn(): number {
    return this.#turn;
  }

  /** Records the moment of a read, unless the read is outdated. */
  note(layer: string, moment: unknown, turn = this.#turn): void {
    if (turn !== this.#turn) return;
    if (this.#layer === undefined || this.#layer === layer) {
      this.#layer = layer;
      this.#moment = moment;
    } else (this.#others ??= new Map()).set(layer, moment);
  }

  momentOf(layer: string): unknown {
    return this.#layer === layer ? this.#moment : this.#others?.get(layer);
  }

  /** Marks the reads sent so far as outdated, because the load may have begun without them. */
  expire(): void {
    this.#turn++;
  }
}

/** The time of a write that waited, or of a load whose read failed. Such a write must not replace a newer entry. */
export class AsOf {
  constructor(
    /** A time of this process's clock. */
    readonly at: number,
    /** True if the value was set, not loaded. The other processes are notified after the write. */
    readonly explicit: boolean,
  ) {}
}

/** Returns a ticket for a write that is requested now and sent later. */
export function ticketAsOf(layer: string, now: number): LoadTicket {
  const ticket = new LoadTicket();
  ticket.note(layer, new AsOf(now, true));
  return ticket;
}
