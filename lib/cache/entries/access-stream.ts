import type { MissReason, Operation, Outcome, Series } from '../base/observer.js';
import type { Entry } from './entry.js';
import { Track } from './track.js';

/*
 * The stream of accesses from which insight is computed. The cache reports events of single keys, and the stream decides which keys it
 * follows. For a followed key it returns a *track*, a small integer above 0 that the cache stores with the entry. A hit in memory of an
 * entry without a track costs one comparison; a hit of a followed key costs an addition to its track. All other events are reported for
 * every key, because they cost microseconds anyway.
 *
 * All times are times of the cache's clock. A stream must not throw, and must limit the keys and values that it keeps.
 */

/** The result of one load. */
export interface ReportedLoad {
  readonly operation: typeof Operation.load | typeof Operation.refresh;
  /** The value that the origin returned, isolated. */
  readonly value: unknown;
  /** The stored entry; undefined if the value was not stored. */
  readonly entry: Entry | undefined;
  /** The TTL of the policy, milliseconds. The entry's own TTL may differ: jitter shortens it, and it may depend on the value. */
  readonly ttlMs: number;
  /** The time that the origin took, milliseconds. For a batch, the time of the whole call. */
  readonly durationMs: number;
  readonly at: number;
}

/** The keys that an invalidation concerns. */
export interface ReportedInvalidation {
  readonly keys?: readonly string[] | undefined;
  readonly patterns?: readonly string[] | undefined;
  readonly tags?: readonly string[] | undefined;
  readonly all?: boolean | undefined;
}

/** Why memory removed a tracked entry without a request to do so. */
export const Removal = { evicted: 0, expired: 1 } as const;
export type Removal = (typeof Removal)[keyof typeof Removal];

/** Follows accesses to a sample of the keys. */
export interface AccessStream {
  /**
   * Reports that memory answered with a fresh entry that has a track. Called for the first hit after the returned time, and for each hit
   * that the track cannot count.
   * @returns the time until which tracks may count hits.
   */
  hit(entry: Entry, key: string, now: number): number;
  /**
   * Reports a sample of the hits in memory, with or without a track, to find the most requested keys. It may give the entry a track.
   * @returns after how many hits to call it again; 1 or more.
   */
  sampled(key: string, series: Series, entry: Entry, now: number): number;
  /**
   * Reports every other access to any key, when it has ended.
   * @param entry the entry that answered, if it was stale or came from another layer than memory.
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
  /** Reports a load or refresh that succeeded, before its entry is stored. @returns the track of the entry, or 0. */
  loaded(key: string, series: Series, load: ReportedLoad): number;
  loadFailed(key: string, series: Series, durationMs: number, at: number): void;
  /** Reports a value that was set or warmed without a load. @param ttlMs the TTL without jitter. @returns the track of the entry, or 0. */
  stored(key: string, series: Series, entry: Entry, ttlMs: number, at: number): number;
  /** Reports that memory stores an entry from another layer. @returns the track of the entry, or 0. */
  backfilled(key: string, series: Series, at: number): number;
  /** Reports keys, tags or globs that this or another process invalidated. */
  invalidated(what: ReportedInvalidation, at: number): void;
  /** Reports that memory stores an entry with a track. */
  held(key: string, entry: Entry): void;
  /** Reports that memory no longer holds an entry with a track, because it was replaced or removed. */
  released(entry: Entry): void;
  /** Reports that memory evicted an entry with this track or removed it as expired. Called after {@link released}. */
  removed(track: number, why: Removal, at: number): void;
}

/** The hits until the next sample if there is no stream. */
const NEVER = 0x3fff_ffff;

/** Reports hits of memory to the stream, if there is one. */
export class HitOffer {
  #untilSampled: number;
  /** The time until which tracks may count hits. */
  #countsUntil = -Infinity;

  constructor(readonly stream: AccessStream | undefined) {
    this.#untilSampled = stream === undefined ? NEVER : 1;
  }

  /** Handles a hit. Runs on every hit in memory. */
  hit(key: string, series: Series, entry: Entry, now: number): void {
    const { track } = entry;
    if (track !== undefined && track !== 0) {
      if (track < Track.full && now < this.#countsUntil) entry.track = track + Track.hit;
      else this.#countsUntil = this.stream?.hit(entry, key, now) ?? Infinity;
    }
    if (--this.#untilSampled === 0) this.#untilSampled = this.stream?.sampled(key, series, entry, now) ?? NEVER;
  }
}
