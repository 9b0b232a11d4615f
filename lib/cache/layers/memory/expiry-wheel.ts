import type { ExpiryLink, KeptEntry } from '../../entries/kept-entry.js';

/** Slots per level. A slot is as long as the whole level below it. */
const SLOTS = 64;
/** The most entries that one call moves from a slot whose time has begun into shorter slots. */
const SORTED_AT_ONCE = 64;

/**
 * Finds expired entries without a full order of the entries. It is a hierarchical timing wheel (Varghese and Lauck, Hashed and hierarchical
 * timing wheels, SOSP 1987).
 *
 * A slot of the lowest level is one millisecond long, a slot of the next level 64 milliseconds, and so on. The level of an entry is the
 * highest base-64 digit in which its end differs from now. To add or remove an entry takes constant time. When the time of a longer slot
 * begins, its entries are moved into shorter slots, a few per call, so that no call takes long. Until then, an expired entry in a slot with
 * very many entries may be found late.
 */
export class ExpiryWheel {
  readonly #slots: (ExpiryRing | undefined)[] = [];
  /** The entries that have expired. */
  readonly #expired = new ExpiryRing();
  /** The entries of slots whose time has begun. */
  readonly #begun = new ExpiryRing();
  readonly #origin: number;
  /** Whole milliseconds since the origin. */
  #now = 0;

  constructor(now: number) {
    this.#origin = Math.floor(now);
  }

  /** Adds an entry that expires. */
  add(entry: KeptEntry): void {
    const end = Math.ceil(entry.removeAt - this.#origin);
    if (end <= this.#now) return this.#expired.push(entry);
    let block = end;
    let nowBlock = this.#now;
    let level = 0;
    for (;;) {
      const above = Math.floor(block / SLOTS);
      const nowAbove = Math.floor(nowBlock / SLOTS);
      if (above === nowAbove) break;
      block = above;
      nowBlock = nowAbove;
      level++;
    }
    const slot = level * SLOTS + (block % SLOTS);
    (this.#slots[slot] ??= new ExpiryRing()).push(entry);
  }

  /** Removes an entry. Does nothing if it is in no wheel. */
  remove(entry: KeptEntry): void {
    const { sooner, later } = entry;
    if (sooner === undefined || later === undefined) return;
    sooner.later = later;
    later.sooner = sooner;
    entry.sooner = entry.later = undefined;
  }

  /** Returns an expired entry, in constant time. */
  expired(now: number): KeptEntry | undefined {
    const tick = Math.floor(now - this.#origin);
    if (tick > this.#now) this.#turn(tick);
    for (let sorted = 0; sorted < SORTED_AT_ONCE; sorted++) {
      const entry = this.#begun.first;
      if (entry === undefined) break;
      this.remove(entry);
      this.add(entry);
    }
    return this.#expired.first;
  }

  #turn(tick: number): void {
    let block = this.#now;
    let nextBlock = tick;
    this.#now = tick;
    for (let level = 0; ; level++) {
      const above = Math.floor(block / SLOTS);
      const nextAbove = Math.floor(nextBlock / SLOTS);
      const isHighest = above === nextAbove;
      const first = level * SLOTS;
      const end = isHighest ? nextBlock % SLOTS : SLOTS;
      for (let slot = (block % SLOTS) + 1; slot < end; slot++) this.#slots[first + slot]?.moveTo(this.#expired);
      if (isHighest) {
        this.#slots[first + end]?.moveTo(level === 0 ? this.#expired : this.#begun);
        return;
      }
      block = above;
      nextBlock = nextAbove;
    }
  }
}

/** A ring of entries. This object is both its beginning and its end. */
class ExpiryRing implements ExpiryLink {
  sooner: ExpiryLink = this;
  later: ExpiryLink = this;

  get first(): KeptEntry | undefined {
    return this.later === this ? undefined : (this.later as KeptEntry);
  }

  push(entry: KeptEntry): void {
    const last = this.sooner;
    last.later = entry;
    entry.sooner = last;
    entry.later = this;
    this.sooner = entry;
  }

  /** Moves all entries to the end of another ring, in constant time. */
  moveTo(other: ExpiryRing): void {
    if (this.later === this) return;
    const first = this.later;
    const last = this.sooner;
    const before = other.sooner;
    before.later = first;
    first.sooner = before;
    last.later = other;
    other.sooner = last;
    this.sooner = this.later = this;
  }
}
