/** Thrown for bytes that this library did not write, or cannot read within its limits. The record then counts as absent. */
export class ForeignBytesError extends Error {
  override readonly name = 'ForeignBytesError';
}

/** The first bytes of a read, in which objects are not counted, because a text of this length cannot hold too many. */
export const UNCOUNTED_BYTES = 1024 * 1024;
/** The most objects and arrays in one text. The next constant limits all texts of one read together. */
const MAX_CONTAINERS = 1_000_000;
const MAX_CONTAINERS_OF_READ = 4_000_000;
/** The most members of all objects in a text. A text may exceed this if its objects have at most 32 members on average, as rows of a table do. */
const MAX_MEMBERS = 1_000_000;
const MEMBERS_OF_A_ROW = 32;
/** The most bytes that a read may decompress: this number, and another number per compressed byte. */
const MAX_DECOMPRESSED = 64 * 1024 * 1024;
const DECOMPRESSED_PER_BYTE = 16;
/** The budget for expensive work, in units of {@link Cost}. */
const MAX_WORK = 1_000_000;

/** The cost of each kind of expensive work, roughly in microseconds. */
export const Cost = {
  /** A new name. The engine interns it, and its object gets a hidden class. */
  name: 4,
  date: 1,
  collection: 2,
  bytes: 4,
  property: 4,
  regExp: 8,
  error: 8,
} as const;

const { imul } = Math;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const FNV_PRIME = 16_777_619;
/** The set of names has 2 ** NAME_BITS bits. */
const NAME_BITS = 20;
/** Random, so that no attacker can construct names with equal hashes. */
const SEED = (Math.random() * 2 ** 32) | 0;

/**
 * Limits the work of one read, of one record or of many, for any content. The first 1 MiB of text is free. Beyond that, the numbers of objects and
 * names are limited. Compressed bytes may grow to 64 MiB plus sixteen times their size. A record that exceeds the budget counts as foreign.
 */
export class ReadBudget {
  #uncounted = UNCOUNTED_BYTES;
  #containers = MAX_CONTAINERS_OF_READ;
  #decompressed = MAX_DECOMPRESSED;
  #work = MAX_WORK;
  /** One bit per name that has occurred. */
  #names: Uint8Array | undefined;

  /** @throws ForeignBytesError if the budget is used up. */
  spend(work: number): void {
    this.#work -= work;
    if (this.#work < 0) throw new ForeignBytesError('it takes too much work to decode');
  }

  /** Returns how many bytes a compressed body of this length may still decompress to. */
  mostFrom(compressed: number): number {
    return Math.max(0, this.#decompressed + compressed * DECOMPRESSED_PER_BYTE);
  }

  decompressed(from: number, to: number): void {
    this.#decompressed -= Math.max(0, to - from * DECOMPRESSED_PER_BYTE);
  }

  /**
   * Counts the objects and names of a JSON text, before it is parsed.
   * @throws ForeignBytesError if there are too many.
   */
  text(bytes: Uint8Array): void {
    if (bytes.length <= this.#uncounted) this.#uncounted -= bytes.length;
    else this.#count(bytes);
  }

  /** Counts brackets and colons outside strings; the string before a colon is a name. */
  #count(bytes: Uint8Array): void {
    const seen = (this.#names ??= new Uint8Array(2 ** (NAME_BITS - 3)));
    const fresh: number[] = [];
    let containers = 0;
    let members = 0;
    let hash = 0;
    for (let at = 0; at < bytes.length; at++) {
      const byte = bytes[at];
      if (byte === QUOTE) {
        hash = SEED;
        for (at++; at < bytes.length && bytes[at] !== QUOTE; at++) {
          hash = imul(hash ^ bytes[at]!, FNV_PRIME);
          if (bytes[at] === BACKSLASH) at++;
        }
      } else if (byte === 0x5b || byte === 0x7b) containers++;
      else if (byte === COLON) {
        members++;
        const bit = (hash ^ (hash >>> 13)) >>> (32 - NAME_BITS);
        if ((seen[bit >> 3]! & (1 << (bit & 7))) !== 0) continue;
        seen[bit >> 3]! |= 1 << (bit & 7);
        fresh.push(bit);
      }
      if (containers > MAX_CONTAINERS || fresh.length * Cost.name > this.#work) break;
    }
    const tooMany =
      containers > Math.min(MAX_CONTAINERS, this.#containers) ||
      members > Math.max(MAX_MEMBERS, containers * MEMBERS_OF_A_ROW) ||
      fresh.length * Cost.name > this.#work;
    if (tooMany) {
      // The text is not parsed, so its names count as new in the next text.
      for (const bit of fresh) seen[bit >> 3]! &= ~(1 << (bit & 7));
      throw new ForeignBytesError('too many objects or names');
    }
    this.#containers -= containers;
    this.#work -= fresh.length * Cost.name;
  }
}
