import { type LadderFigures, ladderReport, type TtlAdviceOptions, type TtlLadder } from './ladder-report.js';
import { Flag, type PatternSample } from './pattern-sample.js';
import { type AccessFacts, type Fill, type Follower, TtlReplay } from './ttl-replay.js';

/** Another TTL becomes today's once it leads by this number of loads. */
const VOTES = 16;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** How long accesses count without being halved, as a multiple of today's TTL. */
const REMEMBERED = 128;
/** The interval between two searches for unused keys, as a multiple of today's TTL. */
const SWEPT_EVERY = 8;
/** The ladder begins again after this time without an access, as a multiple of today's TTL. */
const FORGOTTEN = 16_384;

/** The ladder of one pattern: replays its accesses with today's TTL as base, and begins again when that changes. */
export class PatternLadder {
  #replay: TtlReplay | undefined;
  #ttlMs: number | undefined;
  /** A majority vote (Boyer and Moore) over the TTLs of stored entries. */
  #candidate = 0;
  #votes = 0;
  #observedFrom = 0;
  #lastAt = 0;
  #lateMs = 0;
  /** Until this time, copies from the earlier run may be missing. */
  #emptyUntil = 0;
  #sweepAt = 0;
  readonly #follower = { slot: 0, hash: 0, weight: 1, hot: false };

  constructor(private readonly sample: PatternSample) {}

  grown(): void {
    this.#replay?.grow(this.sample.capacity);
  }

  /** Starts to follow a key. @param isFirst whether it had no access before. */
  begin(slot: number, isFirst: boolean): void {
    this.#replay?.begin(slot, isFirst && this.#lastAt >= this.#emptyUntil);
  }

  /** Continues the counts of an earlier run. */
  restore({ ttlMs, observedMs, loads, loadMs, sums }: LadderFigures, at: number): void {
    this.#candidate = ttlMs;
    this.#votes = VOTES;
    this.#restart(ttlMs, at);
    const replay = this.#replay!;
    replay.sums.merge(sums);
    replay.loads = loads;
    replay.loadMs = loadMs;
    this.#observedFrom = at - observedMs;
    // The process lost its copies. That says nothing about the TTL.
    this.#emptyUntil = at + ttlMs;
  }

  /** Records when the current value of a key was loaded. */
  known(slot: number, loadedAt: number): void {
    this.#replay?.known(slot, loadedAt);
  }

  /** Stops following a key. */
  drop(slot: number, at: number): void {
    this.#replay?.drop(this.#of(slot), at);
  }

  hits(slot: number, count: number): void {
    this.#replay?.hits(this.#of(slot), count);
  }

  /** @returns until when hits in memory are only counted; 0: the next one is reported. */
  access(slot: number, at: number, facts: AccessFacts): number {
    const replay = this.#replay;
    if (replay === undefined) return 0;
    this.#lastAt = at;
    replay.access(this.#of(slot), at, facts);
    return replay.until(slot, at);
  }

  /** Records a load. @param ttlMs 0 if its value was not stored. */
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

  /** Applies a deletion, invalidation or eviction of a key. @param announced whether its value may have changed. */
  removed(slot: number, at: number, announced: boolean): void {
    if (announced) this.#replay?.check(this.#of(slot), at, undefined, true);
    this.#replay?.remove(slot, at);
  }

  /**
   * Applies a value from a shared layer that another instance loaded.
   * @param changed whether the value has changed; undefined if unknown. @param announced whether the change, if any, was announced.
   */
  seen(slot: number, loadedAt: number, changed: boolean | undefined, announced: boolean): void {
    this.#replay?.seen(this.#of(slot), loadedAt, changed, announced);
  }

  /** Today's TTL; undefined if no entry has one. */
  get ttlMs(): number | undefined {
    return this.#replay?.ttlMs;
  }

  /** Starts to exchange loads with other instances. @param lateMs the delay until the loads of others are known */
  exchange(lateMs: number): void {
    this.#lateMs = lateMs;
    this.#replay?.exchange();
  }

  /** Takes the TTL of other instances if this one has not loaded yet. */
  adopt(ttlMs: number, at: number): void {
    if (this.#ttlMs === undefined) this.#vote(ttlMs, at);
  }

  /** See {@link TtlReplay.checkedAt}. */
  checkedAt(slot: number): number {
    return this.#replay?.checkedAt(slot) ?? 0;
  }

  /** See {@link TtlReplay.isNews}. */
  isNews(slot: number, at: number): boolean {
    return this.#replay?.isNews(slot, at) === true;
  }

  /** See {@link TtlReplay.fills}. */
  fills(slot: number, now: number): readonly Fill[] {
    return this.#replay?.fills(slot, now) ?? [];
  }

  /** Applies the loads of another instance. @returns until when hits in memory are only counted. */
  learn(slot: number, fills: Iterable<Fill>, now: number, isFirst: boolean): number {
    const replay = this.#replay;
    if (replay === undefined) return 0;
    const follower = this.#of(slot);
    for (const fill of fills) replay.learn(follower, fill, now, isFirst);
    return replay.until(slot, now);
  }

  /** Drops unused keys and halves old counts. Call it at any time; it does nothing if called too soon. */
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

  report(at: number, options?: TtlAdviceOptions): TtlLadder {
    const pattern = this.sample.name;
    const figures = this.figures(at);
    if (figures !== undefined) return ladderReport(pattern, figures, options);
    const ttlMs = this.#ttlMs ?? null;
    const withheld = ttlMs === null ? 'ttl: no entry has been stored yet' : 'ttl: entries do not expire';
    return { pattern, ttlMs, accesses: 0, observedMs: 0, withheld, ladder: [] };
  }

  /** Returns the counts so far; undefined without a TTL. */
  figures(at: number): LadderFigures | undefined {
    const replay = this.#replay;
    if (replay === undefined) return undefined;
    const { ttlMs, sums, loads, loadMs } = replay;
    const observedMs = Math.max(0, at - this.#observedFrom);
    const accessesPerHour = observedMs === 0 ? 0 : (sums.accesses / observedMs) * HOUR_MS;
    const unchecked = replay.unchecked(this.#followers(), at);
    const { share } = this.sample;
    const lateMs = this.#lateMs;
    return { ttlMs, observedMs, share, accessesPerHour, loads, loadMs, lateMs, sums, unchecked };
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
    follower.hot = sample.is(slot, Flag.hot);
    return follower;
  }

  /** Sets today's TTL. With a longer TTL there are few loads, so the vote would take long. */
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
    // Begin slightly earlier, so that no time is before the beginning.
    this.#replay = new TtlReplay(ttlMs, at - ttlMs, sample.capacity);
    if (this.#lateMs > 0) this.#replay.exchange();
    for (let slot = 0; slot < sample.used; slot++) {
      sample.countUntil(slot, 0);
      this.#replay.begin(slot, true);
    }
  }
}

function isAbout(ttlMs: number, other: number): boolean {
  return ttlMs === other || Math.abs(ttlMs - other) <= other / 100;
}
