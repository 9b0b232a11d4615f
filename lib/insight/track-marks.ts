import { grown } from '../cache/base/grown.js';
import type { Entry } from '../cache/entries/entry.js';
import { hitsOf, Track } from '../cache/entries/track.js';

/*
 * The places of all followed keys of a cache. The number of a key, in the track of its entry, is its place and 1. Patterns take
 * blocks of places as their keys come.
 *
 * Hits are counted in the entry of the key: see track.ts. So a place knows the entry of memory, if there is one, and takes its
 * count when the entry is removed, or when the hits are reported.
 *
 * Time goes in steps. At the first hit in a step, the entries whose hits are no longer only counted are found by reading one
 * array of integers; their next hits are reported.
 */

/** Places per block. */
export const BLOCK = 32;
const MOST_PLACES = Track.key;
/** Times are stored in steps of 64 milliseconds since the beginning: 31 bits are four years. */
const STEP_MS = 64;
const LAST_STEP = 2 ** 31 - 1;
/** The next hit of the place is reported. */
const DUE = -1;

/** The places of all followed keys of a cache. */
export class TrackMarks {
  /** When the next step begins. */
  sweepAt = -Infinity;
  /** The current step. */
  #step = -1;
  /** Of each place: the step until which hits are only counted, or {@link DUE}. */
  #until = new Int32Array(0);
  /** The hash of the key; 0 if there is none. */
  #hashes = new Int32Array(0);
  /** Counted hits of entries that have been removed. */
  #hits = new Int32Array(0);
  /** The entries in memory. */
  #entries: (Entry | undefined)[] = [];
  /** Of each block: the pattern's number, and the first of its slots. */
  readonly #blocks: { readonly pattern: number; readonly slot: number }[] = [];

  /** @param startedAt the earliest time that is used */
  constructor(private readonly startedAt: number) {}

  /** Finds the entries whose next hits are to be reported in the step of a time. */
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

  /** Counts a hit of an entry, unless it is to be reported. */
  count(entry: Entry): boolean {
    if (entry.track! >= Track.full) return false;
    entry.track! += Track.hit;
    return true;
  }

  /** Reserves places for further slots of a pattern. @returns the first of them */
  block(pattern: number, slot: number): number {
    const first = this.#blocks.length * BLOCK;
    this.#blocks.push({ pattern, slot });
    const length = first + BLOCK;
    if (length > this.#until.length) {
      const longer = Math.min(MOST_PLACES, length + (length >> 3));
      this.#until = grown(this.#until, new Int32Array(longer));
      this.#hashes = grown(this.#hashes, new Int32Array(longer));
      this.#hits = grown(this.#hits, new Int32Array(longer));
      // An array that grew by itself would have up to half of its places in reserve.
      const entries = new Array<Entry | undefined>(longer).fill(undefined);
      for (const [place, entry] of this.#entries.entries()) entries[place] = entry;
      this.#entries = entries;
    }
    return first;
  }

  /** Starts following a key in a free place. */
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

  /** The track of a place, without hits; 0 if no key is followed there. */
  trackAt(place: number): number {
    return this.#hashes[place] === 0 ? 0 : place + 1;
  }

  /** The hash of the key that is followed there, or 0. */
  hashAt(place: number): number {
    return this.#hashes[place]!;
  }

  hashOf(track: number): number {
    return this.#hashes[placeOf(track)]!;
  }

  /** The number of the pattern of a track. */
  patternOf(track: number): number {
    return this.#blocks[placeOf(track) >>> 5]!.pattern;
  }

  /** The slot in its pattern. */
  slotOf(track: number): number {
    const place = placeOf(track);
    return this.#blocks[place >>> 5]!.slot + (place & (BLOCK - 1));
  }

  /** Hits that are counted but not reported. */
  hitsAt(place: number): number {
    const entry = this.#entries[place];
    return this.#hits[place]! + (entry === undefined ? 0 : hitsOf(entry.track!));
  }

  /** @returns and resets the hits that are counted but not reported. */
  takeHits(place: number): number {
    const hits = this.hitsAt(place);
    if (hits === 0) return 0;
    this.#hits[place] = 0;
    const entry = this.#entries[place];
    if (entry !== undefined) entry.track! &= Track.due | Track.key;
    return hits;
  }

  /** Until when hits are only counted, rounded down; 0: the next one is reported. */
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
