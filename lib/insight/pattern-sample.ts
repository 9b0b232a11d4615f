/** Keys of a pattern that are followed because they are asked for most. */
export const MOST_HOT = 96;
/** Keys of a pattern that are followed because of their hash. */
export const MOST_TAIL = 352;
const MOST_SLOTS = MOST_HOT + MOST_TAIL;
const FIRST_SLOTS = 32;
const ALL = 2 ** 32;
/** What is left of the threshold where there is no room for another key. */
const LOWERED = 7 / 8;
const SLOT_SHIFT = 13;
const GENERATIONS = 2 ** SLOT_SHIFT;
const PATTERN_SHIFT = 23;
const SLOT_MASK = 0x3ff;

/** Patterns that are followed. */
export const MOST_PATTERNS = 127;

/** The pattern's number in a track. */
export function patternOfTrack(track: number): number {
  return track >>> PATTERN_SHIFT;
}

/** The slot in its pattern. */
export function slotOfTrack(track: number): number {
  return (track >>> SLOT_SHIFT) & SLOT_MASK;
}

/**
 * The keys of one pattern that are followed, in slots of typed arrays. Two strata: the hottest keys, each of which counts for
 * itself, and of all others those whose hash is below a threshold, each of which counts for 1 / share. The threshold falls as keys
 * come, so that the slots are enough (fixed-size SHARDS: Waldspurger, Park, Garthwaite, Ahmad, FAST 2015); it rises again where
 * keys have left.
 */
export class PatternSample {
  hashes = new Int32Array(FIRST_SLOTS);
  /** The track of the key in a slot; 0: free. A slot that is used again has another, so that what is left of the old one counts nothing. */
  tracks = new Int32Array(FIRST_SLOTS);
  /** Until when a hit of memory changes nothing but {@link pending}. */
  until = new Float64Array(FIRST_SLOTS);
  /** Hits not yet reported. */
  pending = new Uint32Array(FIRST_SLOTS);
  /** Hits since the entry was stored. */
  reads = new Uint16Array(FIRST_SLOTS);
  /** 1: among the hottest. */
  hot = new Uint8Array(FIRST_SLOTS);
  #free: number[] = [];
  /** Slots ever used. */
  #used = 0;
  #generation = 0;
  #tail = 0;
  #hotCount = 0;
  #threshold = ALL;

  constructor(
    readonly name: string,
    readonly index: number,
    private readonly owner: SampleOwner,
  ) {}

  /** Slots there are; all arrays of the slots have this length. */
  get capacity(): number {
    return this.hashes.length;
  }

  /** Slots ever used: those behind are free. */
  get used(): number {
    return this.#used;
  }

  get hotCount(): number {
    return this.#hotCount;
  }

  /** Share of the keys beside the hottest that are followed. */
  get share(): number {
    return this.#threshold / ALL;
  }

  weightOf(slot: number): number {
    return this.hot[slot] === 1 ? 1 : ALL / this.#threshold;
  }

  /** Counts hits of the entry; up to 65,535. */
  read(slot: number, hits: number): void {
    this.reads[slot] = Math.min(0xffff, this.reads[slot]! + hits);
  }

  /** True where a key with this hash belongs to the sample of the tail. */
  samples(hash: number): boolean {
    return hash >>> 0 < this.#threshold;
  }

  /** A slot for a key that is not followed yet, or -1. @param hash is below the threshold, or the key is one of the hottest. */
  take(hash: number, isHot: boolean): number {
    if (isHot) {
      if (this.#hotCount >= MOST_HOT) return -1;
      this.#hotCount++;
    } else {
      while (this.#tail >= MOST_TAIL) this.#lower();
      if (!this.samples(hash)) return -1;
      this.#tail++;
    }
    const slot = this.#free.pop() ?? this.#used++;
    if (slot >= this.capacity) this.#grow();
    this.#generation = (this.#generation + 1) % GENERATIONS;
    this.hashes[slot] = hash;
    this.tracks[slot] = (this.index << PATTERN_SHIFT) | (slot << SLOT_SHIFT) | this.#generation;
    this.until[slot] = 0;
    this.pending[slot] = 0;
    this.reads[slot] = 0;
    this.hot[slot] = isHot ? 1 : 0;
    return slot;
  }

  /** Counts a followed key among the hottest from now on. @returns false where there is no room. */
  promote(slot: number): boolean {
    if (this.hot[slot] === 1) return true;
    if (this.#hotCount >= MOST_HOT) return false;
    this.hot[slot] = 1;
    this.#hotCount++;
    this.#tail--;
    return true;
  }

  /** Counts a key with the others again, and drops it where its hash is not in their sample. */
  demote(slot: number): void {
    if (this.hot[slot] === 0) return;
    while (this.#tail >= MOST_TAIL) this.#lower();
    if (!this.samples(this.hashes[slot]!)) return this.drop(slot);
    this.hot[slot] = 0;
    this.#hotCount--;
    this.#tail++;
  }

  drop(slot: number): void {
    this.owner.dropping(this, slot);
    if (this.hot[slot] === 1) this.#hotCount--;
    else this.#tail--;
    this.tracks[slot] = 0;
    this.until[slot] = 0;
    this.#free.push(slot);
  }

  /** Follows more keys again, where so many have left that there is room for twice as many. */
  raise(): void {
    if (this.#threshold < ALL && this.#tail < MOST_TAIL / 3) this.#threshold = Math.min(ALL, this.#threshold * 2);
  }

  #lower(): void {
    this.#threshold *= LOWERED;
    for (let slot = 0; slot < this.#used; slot++) {
      if (this.tracks[slot] !== 0 && this.hot[slot] === 0 && !this.samples(this.hashes[slot]!)) this.drop(slot);
    }
  }

  #grow(): void {
    const length = Math.min(MOST_SLOTS, this.capacity * 2);
    this.hashes = grown(this.hashes, new Int32Array(length));
    this.tracks = grown(this.tracks, new Int32Array(length));
    this.until = grown(this.until, new Float64Array(length));
    this.pending = grown(this.pending, new Uint32Array(length));
    this.reads = grown(this.reads, new Uint16Array(length));
    this.hot = grown(this.hot, new Uint8Array(length));
    this.owner.grown(this);
  }
}

/** Keeps more of the slots of a sample. */
export interface SampleOwner {
  /** The sample has more slots. */
  grown(sample: PatternSample): void;
  /** A slot is about to be free; its hash and track are still there. */
  dropping(sample: PatternSample, slot: number): void;
}

/** The same numbers at the beginning of a longer array. */
export function grown<A extends { set(from: A): void }>(from: A, to: A): A {
  to.set(from);
  return to;
}
