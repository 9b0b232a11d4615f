const SLOTS = 128;
const GONE = -1;
/** Times are 32 bits of milliseconds: an end is known for half of their period, 24 days. */
const MOST_MS = 2 ** 31 - 1;

/**
 * The end and the size of the entries of followed keys, by hash. A slot holds one key: if two share it, the later one replaces
 * the earlier, which leaves an unbiased sample.
 */
export class EntryNotes {
  readonly #hashes = new Int32Array(SLOTS);
  /** 0: none, as for the end of the entry before. */
  readonly #freshUntil = new Uint32Array(SLOTS);
  readonly #freshBefore = new Uint32Array(SLOTS);
  /** -1 if the entry is gone. */
  readonly #bytes = new Float32Array(SLOTS).fill(GONE);
  readonly #invalidated = new Uint8Array(SLOTS);

  stored(hash: number, at: number, ttlMs: number, bytes: number): void {
    const slot = slotOf(hash);
    this.#freshBefore[slot] = this.#hashes[slot] === hash ? this.#freshUntil[slot]! : 0;
    this.#hashes[slot] = hash;
    this.#freshUntil[slot] = clockOf(at + Math.min(ttlMs, MOST_MS));
    this.#bytes[slot] = bytes;
    this.#invalidated[slot] = 0;
  }

  /** The bytes of an entry that has ended; undefined if nothing is known of it. */
  end(hash: number): number | undefined {
    const slot = this.#find(hash);
    if (slot === -1 || this.#bytes[slot] === GONE) return undefined;
    const bytes = this.#bytes[slot]!;
    this.#bytes[slot] = GONE;
    return bytes;
  }

  /**
   * How long before a time the last entry of a key ended that had ended by then, milliseconds. An access is reported after the load
   * that it waited for.
   */
  sinceEnd(hash: number, at: number): number | undefined {
    const slot = this.#find(hash);
    if (slot === -1) return undefined;
    return sinceOf(this.#freshUntil[slot]!, at) ?? sinceOf(this.#freshBefore[slot]!, at);
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
    return this.#hashes[slot] === hash ? slot : -1;
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
