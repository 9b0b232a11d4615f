import { MIN_INDEX, ZERO_BUCKET } from './buckets.js';
import type { Histogram } from './histogram.js';

/** The cells of one place: first the fields that every hit writes, 64 bytes, then the buckets of the shortest times. */
const HITS = 0;
const UNTIL = 1;
const SUM_MS = 2;
const MIN_MS = 3;
const MAX_MS = 4;
/** The first of the buckets. The cell before it counts zeroes. */
const FIRST_BUCKET = 8;
/** The position that bucket 0 would have. */
const ORIGIN = FIRST_BUCKET - MIN_INDEX;
const ZEROES = ORIGIN + ZERO_BUCKET;
/** The number of buckets: two octaves, up to a microsecond. A slower hit in memory is recorded in its histogram at once. */
const BUCKETS_KEPT = 32;
const PLACE = FIRST_BUCKET + BUCKETS_KEPT;

/** Returns true for a bucket that this tally holds. */
export function isKept(bucket: number): boolean {
  return bucket < MIN_INDEX + BUCKETS_KEPT;
}

/**
 * Counts hits in memory of many patterns, endpoints and methods in one array, until the counts are read or their slot ends. A hit touches
 * one or two cache lines of the array. The counters and histograms of the tracks are separate arrays: with a thousand patterns, each hit
 * would have to wait until the processor has fetched them.
 */
export class HitTally {
  #cells = new Float64Array(8 * PLACE);
  #used = 0;
  readonly #free: number[] = [];

  /** Returns a new place or a released one. */
  place(): number {
    const free = this.#free.pop();
    if (free !== undefined) return free;
    const at = this.#used;
    this.#used += PLACE;
    if (this.#used > this.#cells.length) {
      const grown = new Float64Array(2 * this.#cells.length);
      grown.set(this.#cells);
      this.#cells = grown;
    }
    this.empty(at);
    return at;
  }

  /** Releases a place for the next {@link place}. */
  release(at: number): void {
    this.empty(at);
    this.#free.push(at);
  }

  /** Counts a hit. @returns false if the hit belongs to a later slot. Call {@link open} then. */
  count(at: number, startedAt: number): boolean {
    const cells = this.#cells;
    if (startedAt >= cells[at + UNTIL]!) return false;
    cells[at + HITS]! += 1;
    return true;
  }

  /** Sets the end of the slot in which later hits of a place are counted. */
  open(at: number, slotEnd: number): void {
    this.#cells[at + UNTIL] = slotEnd;
  }

  /** Records the time of one hit that represents `weight` hits, in a bucket that {@link isKept}. */
  time(at: number, bucket: number, ms: number, weight: number): void {
    const cells = this.#cells;
    cells[at + bucket + ORIGIN]! += weight;
    if (ms > 0) cells[at + SUM_MS]! += ms * weight;
    if (ms < cells[at + MIN_MS]!) cells[at + MIN_MS] = ms > 0 ? ms : 0;
    if (ms > cells[at + MAX_MS]!) cells[at + MAX_MS] = ms;
  }

  /** Moves the times of a place into `times` and resets its count. @returns the number of its hits. */
  take(at: number, times: Histogram): number {
    const cells = this.#cells;
    const hits = cells[at + HITS]!;
    if (hits === 0) return 0;
    const first = at + FIRST_BUCKET;
    times.merge({
      offset: MIN_INDEX,
      counts: cells.subarray(first, first + BUCKETS_KEPT),
      zeroCount: cells[at + ZEROES]!,
      sumMs: cells[at + SUM_MS]!,
      minMs: cells[at + MIN_MS]!,
      maxMs: cells[at + MAX_MS]!,
    });
    const slotEnd = cells[at + UNTIL]!;
    this.empty(at);
    cells[at + UNTIL] = slotEnd;
    return hits;
  }

  /** Removes the counts of a place and the end of its slot. */
  empty(at: number): void {
    this.#cells.fill(0, at, at + PLACE);
    this.#cells[at + MIN_MS] = Infinity;
  }
}
