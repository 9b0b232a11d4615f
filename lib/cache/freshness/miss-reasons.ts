import { MissReason } from '../base/observer.js';
import { textHash } from '../base/text-hash.js';

const WAYS = 4;
const Fate = { empty: 0, kept: 1, evicted: 2, invalidated: 3, lost: 4 } as const;
type Fate = (typeof Fate)[keyof typeof Fate];

/**
 * Finds out why a key is absent. A table of fixed size records, by hash of the key, how stored keys ended. Each set of the table has four slots. If a
 * set ever dropped a key, the result for keys that it does not hold is `unknown`, never a guess.
 */
export class MissReasons {
  readonly #sets: number;
  #hashes: Uint32Array | undefined;
  #fates: Uint8Array | undefined;
  /** When the entry expires or would have expired. */
  #expiries: Float64Array | undefined;
  /** For each set, the slot to replace next. The high bit is set if the set ever dropped a key. */
  #turns: Uint8Array | undefined;

  #hashedKey = '';
  #hashed = textHash('') >>> 0;

  /** @param capacity the number of keys, rounded up to a power of two. Each takes 13 bytes, allocated on first use. */
  constructor(capacity = 32_768) {
    this.#sets = 2 ** Math.ceil(Math.log2(Math.max(WAYS, capacity) / WAYS));
  }

  kept(key: string, freshUntil: number): void {
    const hash = this.#hash(key);
    this.#write(this.#slot(hash, true), hash, Fate.kept, freshUntil);
  }

  evicted(key: string): void {
    this.#mark(key, Fate.evicted);
  }

  invalidated(key: string): void {
    this.#mark(key, Fate.invalidated);
  }

  /** Marks all keys as invalidated. Invalidations by glob use it too, because only the hashes of the keys are stored. */
  allInvalidated(): void {
    this.#markAll(Fate.invalidated);
  }

  /** Marks all keys as lost to a failure. Memory was cleared because messages may have been missed. */
  allLost(): void {
    this.#markAll(Fate.lost);
  }

  of(key: string, now: number): MissReason {
    const hash = this.#hash(key);
    const slot = this.#slot(hash, false);
    if (slot === -1) return this.#displaced(hash) ? MissReason.unknown : MissReason.cold;
    const fate = this.#fates![slot]!;
    if (fate === Fate.invalidated) return MissReason.invalidated;
    if (this.#expiries![slot]! <= now) return MissReason.expired;
    if (fate === Fate.lost) return MissReason.error;
    return fate === Fate.evicted ? MissReason.evicted : MissReason.unknown;
  }

  #markAll(fate: Fate): void {
    const fates = this.#fates;
    if (fates === undefined) return;
    for (let slot = 0; slot < fates.length; slot++) if (fates[slot] !== Fate.empty) fates[slot] = fate;
  }

  /** Caches the last hash, because a miss and the store that follows have the same key. */
  #hash(key: string): number {
    if (key === this.#hashedKey) return this.#hashed;
    this.#hashedKey = key;
    return (this.#hashed = textHash(key) >>> 0);
  }

  #mark(key: string, fate: Fate): void {
    const hash = this.#hash(key);
    const slot = this.#slot(hash, false);
    if (slot !== -1) this.#fates![slot] = fate;
  }

  #displaced(hash: number): boolean {
    return this.#turns !== undefined && (this.#turns[hash & (this.#sets - 1)]! & 0x80) !== 0;
  }

  /** Returns the slot of a hash, or -1. With `take`, it frees a slot if the hash has none. */
  #slot(hash: number, take: boolean): number {
    if (this.#hashes === undefined) {
      if (!take) return -1;
      this.#allocate();
    }
    const set = hash & (this.#sets - 1);
    const first = set * WAYS;
    let free = -1;
    for (let slot = first; slot < first + WAYS; slot++) {
      if (this.#fates![slot] === Fate.empty) {
        if (free === -1) free = slot;
      } else if (this.#hashes![slot] === hash) return slot;
    }
    if (!take || free !== -1) return take ? free : -1;
    const turn = this.#turns![set]! & (WAYS - 1);
    this.#turns![set] = ((turn + 1) & (WAYS - 1)) | 0x80;
    return first + turn;
  }

  #write(slot: number, hash: number, fate: Fate, expiry: number): void {
    this.#hashes![slot] = hash;
    this.#fates![slot] = fate;
    this.#expiries![slot] = expiry;
  }

  #allocate(): void {
    const slots = this.#sets * WAYS;
    this.#hashes = new Uint32Array(slots);
    this.#fates = new Uint8Array(slots);
    this.#expiries = new Float64Array(slots);
    this.#turns = new Uint8Array(this.#sets);
  }
}
