import { grown } from '../cache/base/grown.js';
import type { Entry } from '../cache/entries/entry.js';
import { hitsOf, Track } from '../cache/entries/track.js';

/*
 * The places of all followed keys of a cache. The track of an entry contains the number of its key: the place plus 1. Patterns take
 * blocks of places when they follow more keys.
 *
 * Hits are counted in the entry of the key: see track.ts. So a place refers to the entry in memory, if there is one, and takes its
 * count when the entry is removed or the hits are reported.
 *
 * Time is divided into steps. At the first hit in a step, one array of integers is read to find the entries whose next hits must be
 * reported.
 */

/** Places per block. */
export const BLOCK = 32;
const MOST_PLACES = Track.key;
/** Times are stored in steps of 64 milliseconds since the start: 31 bits are four years. */
const STEP_MS = 64;
const LAST_STEP = 2 ** 31 - 1;
/** The next hit of the place is reported. */
const DUE = -1;

/** The places of all followed keys of a cache. */
export class TrackMarks {
  /** The time when the next step begins. */
  sweepAt = -Infinity;
  /** The current step. */
  #step = -1;
  /** For each place the step until which hits are only counted, or {@link DUE}. */
  #until = new Int32Array(0);
  /** The hash of the key; 0 if there is none. */
  #hashes = new Int32Array(0);
  /** Counted hits of entries that have been removed. */
  #hits = new Int32Array(0);
  /** The entries in memory. */
  #entries: (Entry | undefined)[] = [];
  /** For each block the number of the pattern, and the first of its slots. */
  readonly #blocks: { readonly pattern: number; readonly slot: number }[] = [];

  /** @param startedAt no later time is before it */
  constructor(private readonly startedAt: number) {}

  /** Finds the entries whose next hits must be reported in the step of a time. */
  sweep(now: number): void {
    const step = Math.floor((now - this.startedAt) / STEP_MS);
    this.#step = step;
    this.sweepAt = this.startedAt + (step + 1) * STEP_MS;
    const until = this.#until;
    for (let place = 0; place < until.length; place++) {
      if (until[place]! > step || until[place] === DUE) continue;
      until[place] = DUE;
      const entry = this.#entries[place];
      if (entry !== undefined) entry.track! |= Track.due;
    }
  }

  /** Counts a hit of an entry. @returns false if the hit must be reported instead. */
  count(entry: Entry): boolean {
    if (entry.track! >= Track.full) return false;
    entry.track! += Track.hit;
    return true;
  }

  /** Reserves places for further slots of a pattern. @returns the first place */
  block(pattern: number, slot: number): number {
    const first = this.#blocks.length * BLOCK;
    this.#blocks.push({ pattern, slot });
    const length = first + BLOCK;
    if (length > this.#until.length) {
      const longer = Math.min(MOST_PLACES, length + (length >> 3));
      this.#until = grown(this.#until, new Int32Array(longer));
      this.#hashes = grown(this.#hashes, new Int32Array(longer));
      this.#hits = grown(this.#hits, new Int32Array(longer));
      // V8 would reserve up to half more places if the array grew with push().
      const entries = new Array<Entry | undefined>(longer).fill(undefined);
      for (const [place, entry] of this.#entries.entries()) entries[place] = entry;
      this.#entries = entries;
    }
    return first;
  }

  /** Starts to follow a key in a free place. */
  take(place: number, hash: number): void {
    this.#hashes[place] = hash;
    this.#until[place] = DUE;
    this.#hits[place] = 0;
  }

  /** Stops following the key of a place. */
  free(place: number): void {
    const entry = this.#entries[place];
    if (entry !== undefined) entry.track = 0;
    this.#entries[place] = undefined;
    this.#hashes[place] = 0;
    this.#until[place] = LAST_STEP;
  }

  /** Notes that memory has an entry of the key. */
  hold(place: number, entry: Entry): void {
    const before = this.#entries[place];
    if (before === entry) return;
    if (before !== undefined) this.release(before);
    this.#entries[place] = entry;
    entry.track = (place + 1) | (this.#until[place] === DUE ? Track.due : 0);
  }

  /** Notes that memory has removed an entry, and takes its count. */
  release(entry: Entry): void {
    const place = placeOf(entry.track!);
    if (this.#entries[place] !== entry) return;
    this.#hits[place]! += hitsOf(entry.track!);
    this.#entries[place] = undefined;
    entry.track = place + 1;
  }

  /** Returns the track of a place, without hits; 0 if no key is followed there. */
  trackAt(place: number): number {
    return this.#hashes[place] === 0 ? 0 : place + 1;
  }

  /** Returns the hash of the key that is followed there; 0 if there is none. */
  hashAt(place: number): number {
    return this.#hashes[place]!;
  }

  hashOf(track: number): number {
    return this.#hashes[placeOf(track)]!;
  }

  /** Returns the number of the pattern of a track. */
  patternOf(track: number): number {
    return this.#blocks[placeOf(track) >>> 5]!.pattern;
  }

  /** Returns the slot of a track in its pattern. */
  slotOf(track: number): number {
    const place = placeOf(track);
    return this.#blocks[place >>> 5]!.slot + (place & (BLOCK - 1));
  }

  /** Returns the hits that are counted but not reported. */
  hitsAt(place: number): number {
    const entry = this.#entries[place];
    return this.#hits[place]! + (entry === undefined ? 0 : hitsOf(entry.track!));
  }

  /** Returns and resets the hits that are counted but not reported. */
  takeHits(place: number): number {
    const hits = this.hitsAt(place);
    if (hits === 0) return 0;
    this.#hits[place] = 0;
    const entry = this.#entries[place];
    if (entry !== undefined) entry.track! &= Track.due | Track.key;
    return hits;
  }

  /** Sets until when hits are only counted, rounded down; 0: the next one is reported. */
  countUntil(place: number, until: number): void {
    const step = until === 0 ? DUE : Math.floor((until - this.startedAt) / STEP_MS);
    const isDue = step <= this.#step;
    this.#until[place] = isDue ? DUE : Math.min(LAST_STEP, step);
    const entry = this.#entries[place];
    if (entry === undefined) return;
    if (isDue) entry.track! |= Track.due;
    else entry.track! &= ~Track.due;
  }
}

function placeOf(track: number): number {
  return (track & Track.key) - 1;
}
