import { RUNG_COUNT, RUNGS, Sum, T_95, TODAY, Whole } from './ladder-sums.js';
import type { PatternSample } from './pattern-sample.js';
import { type AccessFacts, type Follower, TtlReplay } from './ttl-replay.js';

/** One TTL of a ladder. What is withheld is null. */
export interface TtlRung {
  /** Milliseconds. */
  readonly ttlMs: number;
  /** Share of the accesses that a fresh value answers, 0–1. */
  readonly hitRate: number | null;
  /** Half of the 95 % interval of `hitRate`. */
  readonly hitRateError: number | null;
  /** Share of the hits whose value is outdated, 0–1. */
  readonly staleShare: number | null;
  /** Half of the 95 % interval of `staleShare`. */
  readonly staleShareError: number | null;
  readonly loadsPerHour: number | null;
  /** Milliseconds of the origin's time an hour. */
  readonly loadMsPerHour: number | null;
  /** What is missing, and how much is there: `observation: 5m of the 10m that it needs`. */
  readonly withheld?: string;
}

/** A TTL that is better than today's. */
export interface AdvisedTtl extends TtlRung {
  readonly hitRate: number;
  readonly hitRateError: number;
  readonly staleShare: number;
  readonly staleShareError: number;
  readonly loadsPerHour: number;
  readonly loadMsPerHour: number;
  /** By how much the hit rate rises; below 0 where it falls for the sake of fewer outdated values. */
  readonly gain: number;
  /** Half of the 95 % interval of `gain`. */
  readonly gainError: number;
}

/** What other TTLs would have done with the accesses of a pattern. */
export interface TtlLadder {
  readonly pattern: string;
  /** Today's; null where no entry has been stored, `Infinity` without a TTL. */
  readonly ttlMs: number | null;
  /** Accesses that the ladder stands for, estimated. */
  readonly accesses: number;
  readonly observedMs: number;
  /** Why there is no advice: what is missing, and how much is there. */
  readonly withheld?: string;
  /** Eight TTLs, the shortest first: ¼ ½ 1 2 4 8 16 64 times today's. */
  readonly ladder: readonly TtlRung[];
  readonly advised?: AdvisedTtl;
}

export interface TtlAdviceOptions {
  /** The share of hits that may be outdated, 0–1. @default 0.01 */
  readonly maxStaleShare?: number;
}

const LEAST_ACCESSES = 1_000;
/** Observation that a rung needs, times its TTL. */
const LEAST_OBSERVED = 2;
/** The largest error with which a rung is shown. */
const MOST_ERROR = 0.03;
/** What the steps in which times are kept may cost, beside what the sample does. */
const STEP_ERROR = 0.002;
/** How far off the outdated hits may be that only a rate of change makes likely, times their share. */
const INFERRED_ERROR = 0.1;
/** How far off the stale share of a sample may be because keys come to be followed late, times that share. */
const LATE_ERROR = 0.4;
const MAX_STALE_SHARE = 0.01;
/** Hit rates that differ by less are the same: then the shorter TTL is better. */
const SAME = 0.005;
/** Loads in a row, more or less, after which another TTL is today's. */
const VOTES = 16;
const DAY_MS = 86_400_000;
/** How long accesses count in full, times today's TTL. */
const REMEMBERED = 128;
/** Between two looks for keys that nobody asks for any more, times today's TTL. */
const SWEPT_EVERY = 8;
/** After so long without an access everything begins anew, times today's TTL. */
const FORGOTTEN = 16_384;

/** The ladder of one pattern: replays its accesses at today's TTL, and begins anew when that changes. */
export class PatternLadder {
  #replay: TtlReplay | undefined;
  #ttlMs: number | undefined;
  /** Majority vote of Boyer and Moore over the TTLs of stored entries. */
  #candidate = 0;
  #votes = 0;
  #observedFrom = 0;
  #lastAt = 0;
  #sweepAt = 0;
  readonly #follower = { slot: 0, hash: 0, weight: 1, hot: false };

  constructor(private readonly sample: PatternSample) {}

  grown(): void {
    this.#replay?.grow(this.sample.capacity);
  }

  /** Begins to follow a key. @param isFirst whether no access came before. */
  begin(slot: number, isFirst: boolean): void {
    this.#replay?.begin(slot, isFirst);
  }

  /** The value that a key has is from that time. */
  known(slot: number, loadedAt: number): void {
    this.#replay?.known(slot, loadedAt);
  }

  /** Follows a key no longer. */
  drop(slot: number, at: number): void {
    this.#replay?.drop(this.#of(slot), at);
  }

  hits(slot: number, count: number): void {
    this.#replay?.hits(this.#of(slot), count);
  }

  /** @returns until when hits of memory change nothing but their count; 0: the next one is reported. */
  access(slot: number, at: number, facts: AccessFacts): number {
    const replay = this.#replay;
    if (replay === undefined) return 0;
    this.#lastAt = at;
    replay.access(this.#of(slot), at, facts);
    return replay.until(slot, at);
  }

  /** A load stored a value, or did not. @param ttlMs 0 where it did not. */
  loaded(
    slot: number,
    at: number,
    load: { durationMs: number; ttlMs: number; changed: boolean | undefined; announced: boolean },
  ): void {
    if (load.ttlMs > 0) this.#vote(load.ttlMs, at);
    const replay = this.#replay;
    if (replay === undefined) return;
    const follower = this.#of(slot);
    replay.loads += follower.weight;
    replay.loadMs += follower.weight * load.durationMs;
    replay.check(follower, at, load.changed, load.announced);
  }

  written(slot: number, at: number, ttlMs: number): void {
    this.#vote(ttlMs, at);
    this.#replay?.check(this.#of(slot), at, undefined, true);
    this.#replay?.renew(slot, at);
  }

  /** The key was deleted, invalidated or evicted. @param announced whether its value may have changed. */
  removed(slot: number, at: number, announced: boolean): void {
    if (announced) this.#replay?.check(this.#of(slot), at, undefined, true);
    this.#replay?.remove(slot);
  }

  /** Drops keys that nobody asks for, and counts what is old for half; from time to time. */
  maintain(at: number): void {
    const replay = this.#replay;
    if (replay === undefined || at < this.#sweepAt) return;
    if (at - this.#lastAt > replay.ttlMs * FORGOTTEN) return this.#restart(replay.ttlMs, at);
    this.#sweepAt = at + replay.ttlMs * SWEPT_EVERY;
    const { sample } = this;
    for (let slot = 0; slot < sample.used; slot++) {
      if (sample.follows(slot) && sample.counted(slot) === 0 && replay.isOver(slot, at)) sample.drop(slot);
    }
    sample.raise();
    const observed = at - this.#observedFrom;
    if (observed < Math.max(DAY_MS, replay.ttlMs * REMEMBERED)) return;
    this.#observedFrom = at - observed / 2;
    replay.sums.halve();
    replay.changes.halve();
    replay.loads /= 2;
    replay.loadMs /= 2;
  }

  report(at: number, { maxStaleShare = MAX_STALE_SHARE }: TtlAdviceOptions = {}): TtlLadder {
    const pattern = this.sample.name;
    const replay = this.#replay;
    if (replay === undefined) {
      const ttlMs = this.#ttlMs ?? null;
      const withheld = ttlMs === null ? 'ttl: no entry has been stored yet' : 'ttl: entries do not expire';
      return { pattern, ttlMs, accesses: 0, observedMs: 0, withheld, ladder: [] };
    }
    const { ttlMs, sums } = replay;
    const observedMs = Math.max(0, at - this.#observedFrom);
    const accesses = Math.round(sums.accesses);
    const few =
      accesses < LEAST_ACCESSES ? `references: ${accesses} of the ${LEAST_ACCESSES} that it needs` : undefined;
    const unchecked = replay.unchecked(this.#followers(), at);
    const ladder = RUNGS.map((_, rung) => this.#rung(replay, rung, observedMs, unchecked[rung]!, few));
    const report = { pattern, ttlMs, accesses, observedMs, ladder };
    if (few !== undefined) return { ...report, withheld: few };
    const advised = advice(replay, ladder, maxStaleShare, this.sample.share);
    if (advised === undefined) return report;
    return typeof advised === 'string' ? { ...report, withheld: advised } : { ...report, advised };
  }

  #rung(replay: TtlReplay, rung: number, observedMs: number, unchecked: number, few: string | undefined): TtlRung {
    const { sums, loads, loadMs } = replay;
    const ttlMs = replay.ttlMs * RUNGS[rung]!;
    const needed = ttlMs * LEAST_OBSERVED;
    const hitRate = sums.hitRate(rung, this.sample.share);
    const stale = sums.staleShare(rung, this.sample.share);
    const hits = sums.total(rung, Sum.hits);
    const inferred = hits === 0 ? 0 : (sums.whole(rung, Whole.inferred) + unchecked) / hits;
    const moments = hits === 0 ? 0 : (T_95 * Math.sqrt(sums.whole(rung, Whole.variance))) / hits;
    const staleError = Math.hypot(
      stale.error,
      STEP_ERROR,
      inferred * INFERRED_ERROR,
      moments,
      stale.value * (1 - this.sample.share) * LATE_ERROR,
    );
    const withheld =
      few ??
      (observedMs < needed
        ? `observation: ${inWords(observedMs)} of the ${inWords(needed)} that it needs`
        : undefined) ??
      tooWide('hit rate', hitRate.error) ??
      tooWide('stale share', staleError);
    if (withheld !== undefined) {
      const none = { hitRate: null, hitRateError: null, staleShare: null, staleShareError: null };
      return { ttlMs, ...none, loadsPerHour: null, loadMsPerHour: null, withheld };
    }
    const loadsPerHour = ((sums.accesses - hits) / observedMs) * 3_600_000;
    return {
      ttlMs,
      hitRate: hitRate.value,
      hitRateError: Math.hypot(hitRate.error, STEP_ERROR),
      staleShare: Math.min(1, stale.value + (hits === 0 ? 0 : unchecked / hits)),
      staleShareError: staleError,
      loadsPerHour,
      loadMsPerHour: loads === 0 ? 0 : (loadsPerHour * loadMs) / loads,
    };
  }

  *#followers(): Generator<Follower> {
    const { sample } = this;
    for (let slot = 0; slot < sample.used; slot++) if (sample.follows(slot)) yield this.#of(slot);
  }

  #of(slot: number): Follower {
    const { sample } = this;
    const follower = this.#follower;
    follower.slot = slot;
    follower.hash = sample.hashOf(slot);
    follower.weight = sample.weightOf(slot);
    follower.hot = sample.hot[slot] === 1;
    return follower;
  }

  /** Today's TTL is another one from now on: with a longer one few loads would vote for it. */
  change(ttlMs: number, at: number): void {
    if (this.#ttlMs === undefined || isAbout(ttlMs, this.#ttlMs)) return;
    this.#candidate = ttlMs;
    this.#votes = VOTES;
    this.#restart(ttlMs, at);
  }

  #vote(ttlMs: number, at: number): void {
    if (this.#ttlMs === undefined) {
      this.#candidate = ttlMs;
      this.#votes = VOTES;
      return this.#restart(ttlMs, at);
    }
    if (isAbout(ttlMs, this.#candidate)) {
      this.#votes = Math.min(VOTES, this.#votes + 1);
    } else if (this.#votes > 0) this.#votes--;
    else {
      this.#candidate = ttlMs;
      this.#votes = 1;
    }
    if (this.#votes >= VOTES / 2 && this.#candidate !== this.#ttlMs) this.#restart(this.#candidate, at);
  }

  #restart(ttlMs: number, at: number): void {
    this.#ttlMs = ttlMs;
    this.#observedFrom = this.#lastAt = at;
    this.#sweepAt = at + ttlMs * SWEPT_EVERY;
    if (ttlMs === Infinity) {
      this.#replay = undefined;
      return;
    }
    const { sample } = this;
    // A fraction before, so that no time is before the beginning.
    this.#replay = new TtlReplay(ttlMs, at - ttlMs, sample.capacity);
    for (let slot = 0; slot < sample.used; slot++) {
      sample.countUntil(slot, 0);
      this.#replay.begin(slot, true);
    }
  }
}

function isAbout(ttlMs: number, other: number): boolean {
  return ttlMs === other || Math.abs(ttlMs - other) <= other / 100;
}

function tooWide(what: string, error: number): string | undefined {
  return error > MOST_ERROR ? `error: the ${what} is known to ${(error * 100).toFixed(1)} points only` : undefined;
}

/** The rung to change to; a text where its gain is below its error; undefined where today's is best. */
function advice(
  { sums }: TtlReplay,
  ladder: readonly TtlRung[],
  maxStaleShare: number,
  share: number,
): AdvisedTtl | string | undefined {
  const today = ladder[TODAY]!;
  if (today.hitRate === null) return undefined;
  let best = -1;
  for (let rung = 0; rung < RUNG_COUNT; rung++) {
    const { hitRate, staleShare } = ladder[rung]!;
    if (hitRate === null || staleShare === null || staleShare > maxStaleShare) continue;
    if (best === -1 || hitRate > ladder[best]!.hitRate! + SAME) best = rung;
  }
  if (best === -1 || best === TODAY) return undefined;
  const { value: gain, error } = sums.gain(best, TODAY, share);
  const gainError = Math.hypot(error, STEP_ERROR);
  const isTooStale = today.staleShare! - today.staleShareError! > maxStaleShare;
  if (best < TODAY && !isTooStale) return undefined;
  if (best > TODAY && gain <= gainError) {
    return gain <= SAME ? undefined : `gain: ${(gain * 100).toFixed(1)} ± ${(gainError * 100).toFixed(1)} points`;
  }
  return { ...(ladder[best] as AdvisedTtl), gain, gainError };
}

const UNITS = [
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
] as const;

/** About how long, with one unit. */
function inWords(ms: number): string {
  for (const [unit, length] of UNITS) if (ms >= length) return `${Number((ms / length).toFixed(1))}${unit}`;
  return `${Math.round(ms)}ms`;
}
