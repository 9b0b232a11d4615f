import type { MissReason, Operation, Outcome, Series } from '../base/observer.js';
import type { Entry } from './entry.js';

/*
 * The one stream of accesses that insight is built on. The cache offers what happens to single keys, and the stream decides which
 * keys it follows: its answer is a *track*, a small integer above 0 that the cache keeps with the entry. A hit in memory of an
 * entry without one costs a comparison; everything else that happens to a key is offered whether it is followed or not, since it
 * costs microseconds anyway.
 *
 * All times are the cache's clock. A stream must not throw, and must not keep keys or values beyond its bounds.
 */

/** What came of one load. */
export interface ReportedLoad {
  readonly operation: typeof Operation.load | typeof Operation.refresh;
  /** What the origin returned, isolated. */
  readonly value: unknown;
  /** Undefined if the value was not kept. */
  readonly entry: Entry | undefined;
  /** The TTL of its policy, milliseconds; the entry's own may be shorter by jitter, or another where the value decides. */
  readonly ttlMs: number;
  /** What the origin took, milliseconds; of a batch, all of it. */
  readonly durationMs: number;
  readonly at: number;
}

/** Keys that are outdated from now on. */
export interface ReportedInvalidation {
  readonly keys?: readonly string[] | undefined;
  readonly patterns?: readonly string[] | undefined;
  readonly tags?: readonly string[] | undefined;
  readonly all?: boolean | undefined;
}

/** Why memory let a tracked entry go by itself. */
export const Removal = { evicted: 0, expired: 1 } as const;
export type Removal = (typeof Removal)[keyof typeof Removal];

/** Counts hits of entries with a track. On the path of a hit: quick, and without an allocation. */
export interface HitCounts {
  /** @returns false if the hit is to be reported instead of counted. */
  hit(track: number, now: number): boolean;
}

/** Follows accesses to a sample of the keys. */
export interface AccessStream {
  readonly counts: HitCounts;
  /** A fresh answer of memory whose entry has this track, and that {@link counts} leaves to be reported. */
  hit(track: number, key: string, now: number): void;
  /**
   * One hit of memory in so many, tracked or not: finds the keys that are asked for most. It may give the entry a track.
   * @returns how many hits later it is called next; 1 or more.
   */
  sampled(key: string, series: Series, entry: Entry, now: number): number;
  /**
   * Every other access of any key, once it has ended.
   * @param entry what answered, where a layer other than memory had it or it was stale.
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
  /** An entry that memory takes over from another layer. @returns its track, or 0. */
  backfilled(key: string, series: Series, at: number): number;
  /** Keys, tags or globs of this or another process that are outdated. */
  invalidated(what: ReportedInvalidation, at: number): void;
  /** Memory let an entry with this track go. */
  removed(track: number, why: Removal, at: number): void;
}

/** Hits until the next sample where nothing is sampled. */
const NEVER = 0x3fff_ffff;

/** Offers hits of memory to the stream, where there is one. */
export class HitOffer {
  #untilSampled: number;
  readonly #counts: HitCounts | undefined;

  constructor(readonly stream: AccessStream | undefined) {
    this.#counts = stream?.counts;
    this.#untilSampled = stream === undefined ? NEVER : 1;
  }

  /** On the path of every hit. */
  hit(key: string, series: Series, entry: Entry, now: number): void {
    const { track } = entry;
    if (track !== undefined && track !== 0 && this.#counts?.hit(track, now) === false)
      this.stream!.hit(track, key, now);
    if (--this.#untilSampled === 0) this.#untilSampled = this.stream?.sampled(key, series, entry, now) ?? NEVER;
  }
}
