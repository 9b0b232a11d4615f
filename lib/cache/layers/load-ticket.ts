/**
 * What the reads of one load tell about the moment they were made, for the write of what is loaded meanwhile: one moment a layer,
 * opaque to everybody else. A layer that orders invalidations across processes refuses a write that one has come before.
 */
export class LoadTicket {
  #layer: string | undefined;
  #moment: unknown;
  #others: Map<string, unknown> | undefined;
  #turn = 0;

  /** @param replaces what is written is made of the entry that the read found: it is refused where that is gone. */
  constructor(readonly replaces = false) {}

  /** To be taken when a read is sent, and given back with its moment. */
  get turn(): number {
    return this.#turn;
  }

  /** Notes the moment of a read, unless it was late. */
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

  /** RemoteReads that were sent before are late: the load may have begun without them. */
  expire(): void {
    this.#turn++;
  }
}

/** The moment of a write that waited, or of a load whose read failed: it may replace nothing that is newer. */
export class AsOf {
  constructor(
    /** This process' time. */
    readonly at: number,
    /** The value was set, not loaded: the other processes are informed once it is written. */
    readonly explicit: boolean,
  ) {}
}

/** A ticket for a write that is made now and sent later. */
export function ticketAsOf(layer: string, now: number): LoadTicket {
  const ticket = new LoadTicket();
  ticket.note(layer, new AsOf(now, true));
  return ticket;
}
