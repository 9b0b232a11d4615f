/** A load of a key, by its hash. */
export interface LoadNote {
  /** 32 bits, unsigned. */
  readonly hash: number;
  readonly pattern: string;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly endedAt: number;
}

const MOST = 256;
/** A limit above every hash. */
const NO_LIMIT = 2 ** 32;
/** The size of the mark and version, the limit and the count, bytes. */
const HEAD = 16;
const MARK = 0x4c4e_3031;
const EACH = 20;

/** Stores the loads of the keys with the smallest hashes, at most 256: if there are more, the limit is halved. */
export class LoadNotes {
  #list: LoadNote[] = [];
  #limit = NO_LIMIT;

  /** Keys with this hash or a larger one are not stored. */
  get limit(): number {
    return this.#limit;
  }

  get list(): readonly LoadNote[] {
    return this.#list;
  }

  add(hash: number, pattern: string, startedAt: number, endedAt: number): void {
    if (hash >= this.#limit) return;
    this.#list.push({ hash, pattern, startedAt, endedAt });
    while (this.#list.length > MOST) {
      this.#limit /= 2;
      this.#list = this.#list.filter((note) => note.hash < this.#limit);
    }
  }

  /** Drops loads that ended before a time, and doubles the limit if there is room. */
  forget(before: number): void {
    this.#list = this.#list.filter(({ endedAt }) => endedAt >= before);
    if (this.#list.length < MOST / 4) this.#limit = Math.min(NO_LIMIT, this.#limit * 2);
  }

  /** Encodes hashes and times for {@link readNotes}. */
  bytes(): Uint8Array {
    const bytes = new Uint8Array(HEAD + this.#list.length * EACH);
    const view = new DataView(bytes.buffer);
    view.setUint32(0, MARK);
    view.setFloat64(4, this.#limit);
    view.setUint32(12, this.#list.length);
    for (const [index, { hash, startedAt, endedAt }] of this.#list.entries()) {
      const at = HEAD + index * EACH;
      view.setUint32(at, hash);
      view.setFloat64(at + 4, startedAt);
      view.setFloat64(at + 12, endedAt);
    }
    return bytes;
  }
}

/** The notes of another instance. */
export interface OtherNotes {
  readonly limit: number;
  readonly loads: readonly Omit<LoadNote, 'pattern'>[];
}

/** Reads the result of {@link LoadNotes.bytes}; undefined for any other bytes. */
export function readNotes(bytes: Uint8Array): OtherNotes | undefined {
  if (bytes.length < HEAD || bytes.length > HEAD + MOST * EACH) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const count = view.getUint32(12);
  const limit = view.getFloat64(4);
  if (view.getUint32(0) !== MARK || bytes.length !== HEAD + count * EACH || !(limit > 0)) return undefined;
  const loads = Array.from({ length: count }, (_, index) => {
    const at = HEAD + index * EACH;
    return { hash: view.getUint32(at), startedAt: view.getFloat64(at + 4), endedAt: view.getFloat64(at + 12) };
  });
  return { limit, loads };
}
