const SLOTS = 128;
/** In place of the bytes of an entry that is gone. */
const GONE = 2 ** 32 - 1;
/** Times are 32 bits of milliseconds: an end is known for half of their period, 24 days. */
const MOST_MS = 2 ** 31 - 1;

/** The numbers of a slot, side by side in one array: an array for each would take 500 bytes more in each pattern. */
const Field = {
  hash: 0,
  /** 0: none, as for the end of the entry before. */
  freshUntil: 1,
  freshBefore: 2,
  bytes: 3,
} as const;
const FIELDS = 4;

/**
 * The end and the size of the entries of followed keys, by hash. A slot holds one key: if two share it, the later one replaces
 * the earlier, which leaves an unbiased sample.
 */
export class EntryNotes {
  readonly #notes = new Uint32Array(SLOTS * FIELDS);
  readonly #invalidated = new Uint8Array(SLOTS);

  stored(hash: number, at: number, ttlMs: number, bytes: number): void {
    const notes = this.#notes;
    const slot = slotOf(hash);
    const from = slot * FIELDS;
    notes[from + Field.freshBefore] = this.#find(hash) === -1 ? 0 : notes[from + Field.freshUntil]!;
    notes[from + Field.hash] = hash;
    notes[from + Field.freshUntil] = clockOf(at + Math.min(ttlMs, MOST_MS));
    notes[from + Field.bytes] = Math.min(bytes, GONE - 1);
    this.#invalidated[slot] = 0;
  }

  /** The bytes of an entry that has ended; undefined if nothing is known of it. */
  end(hash: number): number | undefined {
    const slot = this.#find(hash);
    if (slot === -1) return undefined;
    const bytes = this.#notes[slot * FIELDS + Field.bytes]!;
    if (bytes === GONE) return undefined;
    this.#notes[slot * FIELDS + Field.bytes] = GONE;
    return bytes;
  }

  /**
   * How long before a time the last entry of a key ended that had ended by then, milliseconds. An access is reported after the load
   * that it waited for.
   */
  sinceEnd(hash: number, at: number): number | undefined {
    const slot = this.#find(hash);
    if (slot === -1) return undefined;
    const from = slot * FIELDS;
    return sinceOf(this.#notes[from + Field.freshUntil]!, at) ?? sinceOf(this.#notes[from + Field.freshBefore]!, at);
  }

  invalidated(hash: number): void {
    const slot = this.#find(hash);
    if (slot !== -1) this.#invalidated[slot] = 1;
  }

  isInvalidated(hash: number): boolean {
    const slot = this.#find(hash);
    return slot !== -1 && this.#invalidated[slot] === 1;
  }

  #find(hash: number): number {
    const slot = slotOf(hash);
    return this.#notes[slot * FIELDS + Field.hash] === hash >>> 0 ? slot : -1;
  }
}

function clockOf(at: number): number {
  return Math.round(at) >>> 0 || 1;
}

function sinceOf(end: number, at: number): number | undefined {
  if (end === 0) return undefined;
  const since = (clockOf(at) - end) >>> 0;
  return since > MOST_MS ? undefined : since;
}

/** Uses high bits, since the sample consists of low hashes. */
function slotOf(hash: number): number {
  return (hash ^ (hash >>> 11)) & (SLOTS - 1);
}
