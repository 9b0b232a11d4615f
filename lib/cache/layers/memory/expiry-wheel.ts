import type { ExpiryLink, KeptEntry } from '../../entries/kept-entry.js';

/** Slots per level; each is as long as the whole level below. */
const SLOTS = 64;
/** The most entries of a slot that are sorted into shorter slots at a time, once the slot's time has begun. */
const SORTED_AT_ONCE = 64;

/**
 * Finds an entry that has expired, without a full order of the entries: a hierarchical timing wheel (Varghese
 * and Lauck, Hashed and hierarchical timing wheels, SOSP 1987).
 *
 * A slot of the lowest level is a millisecond long, a slot of the next one 64 milliseconds, and so on; an entry is in the level of the
 * highest base-64 digit in which its end differs from now. Adding and removing take constant time. When the time of a longer slot
 * begins, its entries are sorted into shorter ones, a few per call, so that no call takes long; until they are sorted, an
 * expired entry among very many of one slot may be found late.
 */
export class ExpiryWheel {
  readonly #slots: (ExpiryRing | undefined)[] = [];
  /** Entries whose end has passed. */
  readonly #expired = new ExpiryRing();
  /** Entries of slots whose time has begun. */
  readonly #begun = new ExpiryRing();
  readonly #origin: number;
  /** Whole milliseconds since the origin. */
  #now = 0;

  constructor(now: number) {
    this.#origin = Math.floor(now);
  }

  /** Adds an entry that has an end. */
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

  /** Removes an entry; does nothing if it is in no wheel. */
  remove(entry: KeptEntry): void {
    const { sooner, later } = entry;
    if (sooner === undefined || later === undefined) return;
    sooner.later = later;
    later.sooner = sooner;
    entry.sooner = entry.later = undefined;
  }

  /** Returns an entry that has expired, in constant time. */
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

/** A ring of entries; this object is its beginning and its end. */
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
