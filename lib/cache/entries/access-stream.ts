import type { MissReason, Operation, Outcome, Series } from '../base/observer.js';
import type { Entry } from './entry.js';
import { Track } from './track.js';

/*
 * The one stream of accesses from which insight is computed. The cache reports events of single keys, and the stream decides which
 * keys it follows: it returns a *track*, a small integer above 0 that the cache stores with the entry. A hit in memory of an
 * entry without a track costs one comparison, and one of a followed key an addition to its track; all other events of a key are
 * reported whether the key is followed or not, since they cost microseconds anyway.
 *
 * All times are readings of the cache's clock. A stream must not throw, and must bound the keys and values that it keeps.
 */

/** The result of one load. */
export interface ReportedLoad {
  readonly operation: typeof Operation.load | typeof Operation.refresh;
  /** The origin's value, isolated. */
  readonly value: unknown;
  /** Undefined if the value was not stored. */
  readonly entry: Entry | undefined;
  /** The TTL of its policy, milliseconds; the entry's TTL may be shorter by jitter, or depend on the value. */
  readonly ttlMs: number;
  /** The time of the origin, milliseconds; of a batch, the time of the whole call. */
  readonly durationMs: number;
  readonly at: number;
}

/** The keys that an invalidation makes outdated. */
export interface ReportedInvalidation {
  readonly keys?: readonly string[] | undefined;
  readonly patterns?: readonly string[] | undefined;
  readonly tags?: readonly string[] | undefined;
  readonly all?: boolean | undefined;
}

/** Why memory removed a tracked entry on its own. */
export const Removal = { evicted: 0, expired: 1 } as const;
export type Removal = (typeof Removal)[keyof typeof Removal];

/** Follows accesses to a sample of the keys. */
export interface AccessStream {
  /**
   * Reports a fresh answer of memory whose entry has a track: the first one after the returned time, and each one that the track
   * cannot count.
   * @returns until when hits may be counted in tracks.
   */
  hit(entry: Entry, key: string, now: number): number;
  /**
   * Reports a sample of the hits in memory, tracked or not, to find the most requested keys. It may give the entry a track.
   * @returns how many hits later it is called next; 1 or more.
   */
  sampled(key: string, series: Series, entry: Entry, now: number): number;
  /**
   * Reports every other access of any key when it has ended.
   * @param entry the entry that answered, if it came from another layer than memory or was stale.
   */
  access(
    key: string,
    series: Series,
    outcome: Outcome,
    reason: MissReason,
    layer: number,
    now: number,
    entry?: Entry,
  ): void;
  /** A load or refresh that succeeded, before its entry is stored. @returns the track of its entry, or 0. */
  loaded(key: string, series: Series, load: ReportedLoad): number;
  loadFailed(key: string, series: Series, durationMs: number, at: number): void;
  /** A value that was set or warmed without a load. @param ttlMs without jitter. @returns the track of its entry, or 0. */
  stored(key: string, series: Series, entry: Entry, ttlMs: number, at: number): number;
  /** An entry that memory stores from another layer. @returns its track, or 0. */
  backfilled(key: string, series: Series, at: number): number;
  /** Keys, tags or globs of this or another process that are outdated. */
  invalidated(what: ReportedInvalidation, at: number): void;
  /** Memory stores an entry with a track. */
  held(key: string, entry: Entry): void;
  /** Memory no longer has an entry with a track: it was replaced or removed for any reason. */
  released(entry: Entry): void;
  /** Memory removed an entry with this track on its own, after it was released. */
  removed(track: number, why: Removal, at: number): void;
}

/** Hits until the next sample if nothing is sampled. */
const NEVER = 0x3fff_ffff;

/** Reports hits of memory to the stream, if there is one. */
export class HitOffer {
  #untilSampled: number;
  /** Until when hits may be counted in tracks. */
  #countsUntil = -Infinity;

  constructor(readonly stream: AccessStream | undefined) {
    this.#untilSampled = stream === undefined ? NEVER : 1;
  }

  /** Runs on every hit. */
  hit(key: string, series: Series, entry: Entry, now: number): void {
    const { track } = entry;
    if (track !== undefined && track !== 0) {
      if (track < Track.full && now < this.#countsUntil) entry.track = track + Track.hit;
      else this.#countsUntil = this.stream?.hit(entry, key, now) ?? Infinity;
    }
    if (--this.#untilSampled === 0) this.#untilSampled = this.stream?.sampled(key, series, entry, now) ?? NEVER;
  }
}
