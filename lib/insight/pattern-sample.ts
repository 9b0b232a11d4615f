import { grown } from '../cache/base/grown.js';
import { BLOCK, type TrackMarks } from './track-marks.js';

/** The most keys of a pattern that are followed because they have the most requests. */
export const MOST_HOT = 96;
/** The most keys of a pattern that are followed because of their hash. */
export const MOST_TAIL = 352;
const ALL = 2 ** 32;
/** The factor by which the threshold is lowered if there is no room for another key. */
const LOWERED = 7 / 8;

/** The most followed patterns. */
export const MOST_PATTERNS = 127;

/** What is known of a followed key. */
export const Flag = {
  /** Among the hottest. */
  hot: 1,
  /** Invalidated since the last value. */
  invalidated: 2,
  /** The last loaded value is not stored. */
  notKept: 4,
} as const;
export type Flag = (typeof Flag)[keyof typeof Flag];

/**
 * The followed keys of one pattern, in slots of typed arrays. There are two strata: the hottest keys, each of which counts only
 * for itself, and of all others those whose hash is below a threshold, each of which counts for 1 / share. The threshold falls as keys
 * come, so that the slots are enough (fixed-size SHARDS: Waldspurger, Park, Garthwaite, Ahmad, FAST 2015); it rises again when
 * keys have left.
 */
export class PatternSample {
  /** Hits since the entry was stored. */
  reads = new Uint16Array(BLOCK);
  /** Bits of {@link Flag}. */
  #flags = new Uint8Array(BLOCK);
  /** The first places of blocks of slots. */
  readonly #places: number[] = [];
  #free: number[] = [];
  /** Slots ever used. */
  #used = 0;
  #tail = 0;
  #hotCount = 0;
  /** The thresholds of hashes: of this instance's room, of other instances' room, and the smaller of the two. */
  #own = ALL;
  #others = ALL;
  #threshold = ALL;

  constructor(
    readonly name: string,
    private readonly index: number,
    private readonly marks: TrackMarks,
    private readonly owner: SampleOwner,
  ) {
    this.#places.push(marks.block(index, 0));
  }

  /** The number of slots; all arrays of the slots have this length. */
  get capacity(): number {
    return this.#flags.length;
  }

  /** The number of slots ever used: later ones are free. */
  get used(): number {
    return this.#used;
  }

  /** Share of the keys, without the hottest, that is followed. */
  get share(): number {
    return this.#threshold / ALL;
  }

  /** The threshold of hashes up to which this instance has room. */
  get room(): number {
    return this.#own;
  }

  /** Follows no keys for which other instances have no room, so that loads of the same keys can be compared. */
  limit(others: number): void {
    this.#others = others;
    this.#apply();
  }

  /** The track of the key in a slot, 0 for none. */
  trackOf(slot: number): number {
    return this.marks.trackAt(this.#placeOf(slot));
  }

  /** Whether a key is followed in a slot. */
  follows(slot: number): boolean {
    return this.trackOf(slot) !== 0;
  }

  hashOf(slot: number): number {
    return this.marks.hashAt(this.#placeOf(slot));
  }

  /** Hits of memory that are counted but not reported. */
  counted(slot: number): number {
    return this.marks.hitsAt(this.#placeOf(slot));
  }

  /** @returns and resets the hits that are counted but not reported. */
  takeCounted(slot: number): number {
    return this.marks.takeHits(this.#placeOf(slot));
  }

  /** Hits of memory are only counted until then; 0: the next one is reported. */
  countUntil(slot: number, until: number): void {
    this.marks.countUntil(this.#placeOf(slot), until);
  }

  weightOf(slot: number): number {
    return this.is(slot, Flag.hot) ? 1 : ALL / this.#threshold;
  }

  is(slot: number, flag: Flag): boolean {
    return (this.#flags[slot]! & flag) !== 0;
  }

  mark(slot: number, flag: Flag, on: boolean): void {
    if (on) this.#flags[slot]! |= flag;
    else this.#flags[slot]! &= ~flag;
  }

  /** Counts hits of the entry; up to 65,535. */
  read(slot: number, hits: number): void {
    this.reads[slot] = Math.min(0xffff, this.reads[slot]! + hits);
  }

  /** True if a key with this hash belongs to the sample of the tail. */
  samples(hash: number): boolean {
    return hash >>> 0 < this.#threshold;
  }

  /** A slot for a key that is not followed yet, or -1. @param hash is below the threshold, or the key is one of the hottest. */
  take(hash: number, isHot: boolean): number {
    if (isHot) {
      if (this.#hotCount >= MOST_HOT) return -1;
      this.#hotCount++;
    } else {
      while (this.#tail >= MOST_TAIL) this.lower();
      if (!this.samples(hash)) return -1;
      this.#tail++;
    }
    const slot = this.#free.pop() ?? this.#used++;
    if (slot >= this.capacity) this.#grow();
    this.marks.take(this.#placeOf(slot), hash);
    this.reads[slot] = 0;
    this.#flags[slot] = isHot ? Flag.hot : 0;
    return slot;
  }

  /** Moves a followed key to the hottest. @returns false if there is no room. */
  promote(slot: number): boolean {
    if (this.is(slot, Flag.hot)) return true;
    if (this.#hotCount >= MOST_HOT) return false;
    this.mark(slot, Flag.hot, true);
    this.#hotCount++;
    this.#tail--;
    return true;
  }

  /** Moves a key back to the others, and drops it if its hash is not in their sample. */
  demote(slot: number): void {
    if (!this.is(slot, Flag.hot)) return;
    while (this.#tail >= MOST_TAIL) this.lower();
    if (!this.samples(this.hashOf(slot))) return this.drop(slot);
    this.mark(slot, Flag.hot, false);
    this.#hotCount--;
    this.#tail++;
  }

  drop(slot: number): void {
    this.owner.dropping(this, slot);
    if (this.is(slot, Flag.hot)) this.#hotCount--;
    else this.#tail--;
    this.marks.free(this.#placeOf(slot));
    this.#free.push(slot);
  }

  /** Follows more keys again, if so many have left that there is room for twice as many. */
  raise(): void {
    if (this.#own >= ALL || this.#tail >= MOST_TAIL / 3) return;
    this.#own = Math.min(ALL, this.#own * 2);
    this.#apply();
  }

  /** Follows an eighth fewer keys; the hottest stay. */
  lower(): void {
    this.#own = this.#threshold * LOWERED;
    this.#apply();
  }

  #apply(): void {
    const before = this.#threshold;
    this.#threshold = Math.min(this.#own, this.#others);
    if (this.#threshold >= before) return;
    for (let slot = 0; slot < this.#used; slot++) {
      if (!this.is(slot, Flag.hot) && this.follows(slot) && !this.samples(this.hashOf(slot))) this.drop(slot);
    }
  }

  #grow(): void {
    const length = this.capacity + BLOCK;
    this.#places.push(this.marks.block(this.index, this.capacity));
    this.reads = grown(this.reads, new Uint16Array(length));
    this.#flags = grown(this.#flags, new Uint8Array(length));
    this.owner.grown(this);
  }

  #placeOf(slot: number): number {
    return this.#places[slot >>> 5]! + (slot & (BLOCK - 1));
  }
}

/** Keeps further arrays for the slots of a sample. */
export interface SampleOwner {
  /** The sample has more slots. */
  grown(sample: PatternSample): void;
  /** A slot will be freed; its hash and track are still valid. */
  dropping(sample: PatternSample, slot: number): void;
}
