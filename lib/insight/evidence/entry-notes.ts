const SLOTS = 128;
/** Stored instead of the bytes of an entry that has ended. */
const GONE = 2 ** 32 - 1;
/** Times are milliseconds in 32 bits, which wrap around. An end is known for half of their period, 24 days. */
const MOST_MS = 2 ** 31 - 1;

/** The numbers of a slot. All are in one array: separate arrays would take 500 bytes more per pattern. */
const Field = {
  hash: 0,
  /** 0 if there is none; the same for `freshBefore`, the end of the entry before. */
  freshUntil: 1,
  freshBefore: 2,
  bytes: 3,
} as const;
const FIELDS = 4;

/**
 * Stores the end and the size of the entries of followed keys, by hash. A slot holds one key: if two keys share it, the later one
 * replaces the earlier. The rest is still an unbiased sample.
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

  /** Returns the bytes of an entry that has ended; undefined if they are not known. */
  end(hash: number): number | undefined {
    const slot = this.#find(hash);
    if (slot === -1) return undefined;
    const bytes = this.#notes[slot * FIELDS + Field.bytes]!;
    if (bytes === GONE) return undefined;
    this.#notes[slot * FIELDS + Field.bytes] = GONE;
    return bytes;
  }

  /**
   * Returns how long before a time the last entry of a key had ended, milliseconds. A miss is reported after its load has stored the next
   * entry, so the end of the entry before is known too.
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

/** Returns the slot of a hash, also from its high bits because all hashes of the sample are low. */
function slotOf(hash: number): number {
  return (hash ^ (hash >>> 11)) & (SLOTS - 1);
}
