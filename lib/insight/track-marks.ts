/*
 * The fields that a hit of a followed key reads and changes: four adjacent numbers, so that it touches one cache line.
 *
 * A track is a place in this one array for all patterns, and a generation that changes each time the place is reused, because an
 * entry of memory may have the track of a key that is no longer followed. Patterns take blocks of places as their keys come.
 */

/** Places per block. */
export const BLOCK = 32;
const PLACE_BITS = 16;
const PLACES = 2 ** PLACE_BITS;
const GENERATIONS = 2 ** (31 - PLACE_BITS);
/** Times are stored in steps of 2^6 milliseconds since the beginning: 31 bits are four years. */
const STEP_SHIFT = 6;
const STEP_MS = 2 ** STEP_SHIFT;
const LAST_STEP = 2 ** 31 - 1;

const FIELD_SHIFT = 2;
/** The fields of a place: the track, 0 for none; until when hits are only counted; the counted hits; the hash of the key. */
const Field = { track: 0, until: 1, hits: 2, hash: 3 } as const;
const FIELDS = 2 ** FIELD_SHIFT;

/** The marks of all followed keys of a cache. */
export class TrackMarks {
  #marks = new Int32Array(0);
  /** Of each block: the pattern's number, and the first of its slots. */
  readonly #blocks: { readonly pattern: number; readonly slot: number }[] = [];
  #generation = 0;

  /** @param startedAt the earliest time that is used */
  constructor(private readonly startedAt: number) {}

  /** Runs on every hit. @returns false if the hit must be reported: it comes after the time until which hits are only counted. */
  hit(track: number, now: number): boolean {
    const marks = this.#marks;
    const at = (track & (PLACES - 1)) << FIELD_SHIFT;
    if (marks[at] !== track) return true;
    if (now - this.startedAt >= marks[at + Field.until]! * STEP_MS) return false;
    marks[at + Field.hits]! += 1;
    return true;
  }

  /** Reserves places for further slots of a pattern. @returns the first of them */
  block(pattern: number, slot: number): number {
    const first = this.#blocks.length * BLOCK;
    this.#blocks.push({ pattern, slot });
    const length = (first + BLOCK) * FIELDS;
    if (length > this.#marks.length) {
      const longer = new Int32Array(Math.min(PLACES * FIELDS, length + (length >> 3)));
      longer.set(this.#marks);
      this.#marks = longer;
    }
    return first;
  }

  /** Starts following a key in a free place. */
  take(place: number, hash: number): number {
    this.#generation = (this.#generation % (GENERATIONS - 1)) + 1;
    const track = (this.#generation << PLACE_BITS) | place;
    const at = place << FIELD_SHIFT;
    this.#marks[at] = track;
    this.#marks[at + Field.until] = 0;
    this.#marks[at + Field.hits] = 0;
    this.#marks[at + Field.hash] = hash;
    return track;
  }

  /** Stops following the key of a place. */
  free(place: number): void {
    this.#marks[place << FIELD_SHIFT] = 0;
    this.#marks[(place << FIELD_SHIFT) + Field.hits] = 0;
  }

  /** The track of a place, or 0. */
  trackAt(place: number): number {
    return this.#marks[place << FIELD_SHIFT]!;
  }

  /** The hash of the key that is or was last followed there. */
  hashAt(place: number): number {
    return this.#marks[(place << FIELD_SHIFT) + Field.hash]!;
  }

  hashOf(track: number): number {
    return this.hashAt(track & (PLACES - 1));
  }

  /** The number of the pattern of a track. */
  patternOf(track: number): number {
    return this.#blocks[(track & (PLACES - 1)) >>> 5]!.pattern;
  }

  /** The slot in its pattern. */
  slotOf(track: number): number {
    const place = track & (PLACES - 1);
    return this.#blocks[place >>> 5]!.slot + (place & (BLOCK - 1));
  }

  /** Hits that are counted but not reported. */
  hitsAt(place: number): number {
    return this.#marks[(place << FIELD_SHIFT) + Field.hits]!;
  }

  clearHits(place: number): void {
    this.#marks[(place << FIELD_SHIFT) + Field.hits] = 0;
  }

  /** Until when hits are only counted, rounded down; 0: the next one is reported. */
  countUntil(place: number, until: number): void {
    const step = until === 0 ? 0 : Math.floor((until - this.startedAt) / STEP_MS);
    this.#marks[(place << FIELD_SHIFT) + Field.until] = Math.max(0, Math.min(LAST_STEP, step));
  }
}
