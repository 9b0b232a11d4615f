/**
 * The times of the reads of one load, for the write of the loaded value: one time per layer, opaque to other code.
 * A layer that orders invalidations across processes refuses a write if an invalidation came after the read.
 */
export class LoadTicket {
  #layer: string | undefined;
  #moment: unknown;
  #others: Map<string, unknown> | undefined;
  #turn = 0;

  /** @param replaces true if the written entry is derived from the entry that was read: it is refused if that one is gone. */
  constructor(readonly replaces = false) {}

  /** Take it when a read is sent, and pass it to {@link note} with the read's moment. */
  get turn(): number {
    return this.#turn;
  }

  /** Notes the moment of a read, unless the read is outdated. */
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

  /** Marks reads that were sent before as outdated: the load may have begun without them. */
  expire(): void {
    this.#turn++;
  }
}

/** The time of a write that waited, or of a load whose read failed: it must not replace a newer entry. */
export class AsOf {
  constructor(
    /** This process' time. */
    readonly at: number,
    /** True if the value was set, not loaded: the other processes are notified once it is written. */
    readonly explicit: boolean,
  ) {}
}

/** A ticket for a write that is requested now and sent later. */
export function ticketAsOf(layer: string, now: number): LoadTicket {
  const ticket = new LoadTicket();
  ticket.note(layer, new AsOf(now, true));
  return ticket;
}
