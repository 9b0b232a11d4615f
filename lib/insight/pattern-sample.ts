import { grown } from '../cache/base/grown.js';
import { BLOCK, type TrackMarks } from './track-marks.js';

/** The maximum number of keys of a pattern that are followed because they are hottest. */
export const MOST_HOT = 96;
/** The maximum number of keys of a pattern that are followed because of their hash. */
export const MOST_TAIL = 352;
const ALL = 2 ** 32;
/** The factor by which the threshold is lowered if there is no room for another key. */
const LOWERED = 7 / 8;

/** The maximum number of followed patterns. */
export const MOST_PATTERNS = 127;

/** The facts about a followed key, one bit each. */
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
 * The followed keys of one pattern, in slots of typed arrays. There are two strata. Each of the hottest keys represents only itself. Of the
 * others, those whose hash is below a threshold are followed, and each represents 1 / share keys. The threshold falls if there
 * are not enough slots for new keys (fixed-size SHARDS: Waldspurger, Park, Garthwaite, Ahmad, FAST 2015), and rises again after keys
 * have left.
 */
export class PatternSample {
  /** Hits since the entry was stored, by slot. */
  reads = new Uint16Array(BLOCK);
  /** Bits of {@link Flag}, by slot. */
  #flags = new Uint8Array(BLOCK);
  /** The first place of each block of slots. */
  readonly #places: number[] = [];
  #free: number[] = [];
  /** The number of slots that were ever used. */
  #used = 0;
  #tail = 0;
  #hotCount = 0;
  /** The thresholds of hashes: by this instance's room, by other instances' room, and the lower of both. */
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

  /** The number of slots that were ever used: later ones are free. */
  get used(): number {
    return this.#used;
  }

  /** The share of keys that are followed, without the hottest. */
  get share(): number {
    return this.#threshold / ALL;
  }

  /** The threshold of hashes below which this instance has room. */
  get room(): number {
    return this.#own;
  }

  /** Stops following keys for which other instances have no room, so that loads of the same keys can be compared. */
  limit(others: number): void {
    this.#others = others;
    this.#apply();
  }

  /** Returns the track of the key in a slot; 0 if there is none. */
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

  /** Returns the hits in memory that are counted but not reported. */
  counted(slot: number): number {
    return this.marks.hitsAt(this.#placeOf(slot));
  }

  /** Returns and resets the hits that are counted but not reported. */
  takeCounted(slot: number): number {
    return this.marks.takeHits(this.#placeOf(slot));
  }

  /** Sets until when hits in memory are only counted; 0: the next one is reported. */
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

  /** Returns a slot for a new key; -1 if there is none. @param hash must be below the threshold unless the key is one of the hottest. */
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

  /** Follows more keys again, after two thirds of the places have become free. */
  raise(): void {
    if (this.#own >= ALL || this.#tail >= MOST_TAIL / 3) return;
    this.#own = Math.min(ALL, this.#own * 2);
    this.#apply();
  }

  /** Follows one eighth fewer keys; the hottest stay. */
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

/** The owner of further arrays for the slots of a sample. */
export interface SampleOwner {
  /** Called when the sample has more slots. */
  grown(sample: PatternSample): void;
  /** Called before a slot is freed; its hash and track are still valid. */
  dropping(sample: PatternSample, slot: number): void;
}
