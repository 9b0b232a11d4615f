const SLOTS = 256;
const GONE = -1;

/**
 * The end and the size of the entries of followed keys, by hash. A slot holds one key: if two share it, the later one replaces
 * the earlier, which leaves an unbiased sample.
 */
export class EntryNotes {
  readonly #hashes = new Int32Array(SLOTS);
  readonly #freshUntil = new Float64Array(SLOTS);
  /** The end of the entry before. */
  readonly #freshBefore = new Float64Array(SLOTS);
  /** -1 if the entry is gone. */
  readonly #bytes = new Float32Array(SLOTS).fill(GONE);
  readonly #invalidated = new Uint8Array(SLOTS);

  stored(hash: number, freshUntil: number, bytes: number): void {
    const slot = slotOf(hash);
    this.#freshBefore[slot] = this.#hashes[slot] === hash ? this.#freshUntil[slot]! : 0;
    this.#hashes[slot] = hash;
    this.#freshUntil[slot] = freshUntil;
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

  /** When the last entry of a key that had ended at a time ended. An access is reported after the load that it waited for. */
  endedBefore(hash: number, at: number): number | undefined {
    const slot = this.#find(hash);
    if (slot === -1) return undefined;
    const ends = [this.#freshUntil[slot]!, this.#freshBefore[slot]!];
    return ends.find((end) => end > 0 && end <= at);
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

/** Uses high bits, since the sample consists of low hashes. */
function slotOf(hash: number): number {
  return (hash ^ (hash >>> 11)) & (SLOTS - 1);
}
