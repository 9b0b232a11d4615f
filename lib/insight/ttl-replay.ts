import { ChangeRate, changeProbability, outdatedShare } from './change-rate.js';
import { mixed } from '../cache/base/text-hash.js';
import { GROUPS, LadderSums, RUNG_COUNT, RUNGS, Sum, TODAY, Whole } from './ladder-sums.js';
import { columns } from './stream/columns.js';
import { grown } from '../cache/base/grown.js';

/*
 * Simulates other TTLs with the real accesses of a pattern.
 *
 * For each followed key and each of eight TTLs, the replay stores when a cache with this TTL would have loaded the key last. An access
 * within the TTL after that time is a hit; any other access is a load. A deletion, invalidation or eviction removes the key's copies in
 * all eight caches; a write renews them. The simulated caches are empty at first and have no size limit.
 *
 * Outdated copies. Each real load is a check: it shows whether the value has changed since the real load before. If a check finds a
 * change, copies from before the check before it are outdated. The hits between two checks are classified by the second check: without
 * a change, none was outdated; otherwise the outdated share is estimated, as if changes were a Poisson process with the key's own rate. An
 * announced change (deletion, invalidation, write) ends the time in which copies can be outdated.
 *
 * Space: 34 bytes per key. The time of a load takes 16 bits, in steps of a 128th of its TTL. These numbers wrap around; a key without
 * accesses during 64 times today's TTL is dropped before that makes them ambiguous.
 */

const STEPS = 128;
const WRAP = 0xffff;
const NO_FILLS: readonly Fill[] = [];
const ALL_COPIES = 2 ** RUNG_COUNT - 1;
/** The number of steps in one of today's TTLs; times of checks are stored in these steps. */
const CHECK_STEPS = 256;
/** The pattern's share of changes counts like this many checks of the key itself. */
const PRIOR_CHECKS = 2;

/** How many rungs count hits since the last check. The last of these counts also stands for the rungs above it. */
const COUNTED = 5;

/** The real result of an access. */
export interface AccessFacts {
  /** It waited for a load. */
  readonly loads: boolean;
  /** False if the loaded value is not stored. */
  readonly keeps: boolean;
  /** When another process loaded the value, if it came from a shared layer; otherwise 0. */
  readonly loadedAt: number;
}

/** A load that an instance would have made with one of the eight TTLs. */
export interface Fill {
  readonly rung: number;
  /** Milliseconds since the epoch, rounded to the step that the instance stores, so that all instances compare the same numbers. */
  readonly at: number;
  /** Whether its copy is known to be outdated. */
  readonly outdated: boolean;
}

/** A followed key. */
export interface Follower {
  readonly slot: number;
  readonly hash: number;
  readonly weight: number;
  readonly hot: boolean;
}

/** The replay of one pattern's accesses at one base TTL. */
export class TtlReplay {
  readonly sums = new LadderSums();
  readonly changes = new ChangeRate();
  /** Weighted loads and their milliseconds. */
  loads = 0;
  loadMs = 0;
  #fills: Uint16Array;
  /** One bit per rung: set if its cache has a copy. */
  #copies: Uint8Array;
  /** One bit per rung: set if its copy is known to be outdated. */
  #outdated: Uint8Array;
  #checkedAt: Uint32Array;
  /** Hits since the last check on copies that are not known to be outdated, {@link COUNTED} counters per key. */
  #unchecked: Uint16Array;
  #checkCount: Uint8Array;
  #changeCount: Uint8Array;
  /** 1 if it is unknown which copies the caches would have. */
  #unknown: Uint8Array;
  /** In a fleet, one bit per rung: set if an access of this instance loaded its copy. */
  #own: Uint8Array | undefined;
  /** In a fleet: when all copies were last removed, in the steps of checks. */
  #removedAt: Uint32Array | undefined;
  readonly #stepsPerMs: number[];

  constructor(
    readonly ttlMs: number,
    readonly startedAt: number,
    capacity: number,
  ) {
    [
      this.#checkedAt, this.#fills, this.#unchecked, this.#copies, this.#outdated, this.#checkCount, this.#changeCount, this.#unknown,
    ] = columnsOf(capacity); // prettier-ignore
    this.#stepsPerMs = RUNGS.map((times) => STEPS / (ttlMs * times));
  }

  grow(capacity: number): void {
    const [checkedAt, fills, unchecked, copies, outdated, checkCount, changeCount, unknown] = columnsOf(capacity);
    this.#checkedAt = grown(this.#checkedAt, checkedAt);
    this.#fills = grown(this.#fills, fills);
    this.#unchecked = grown(this.#unchecked, unchecked);
    this.#copies = grown(this.#copies, copies);
    this.#outdated = grown(this.#outdated, outdated);
    this.#checkCount = grown(this.#checkCount, checkCount);
    this.#changeCount = grown(this.#changeCount, changeCount);
    this.#unknown = grown(this.#unknown, unknown);
    if (this.#own !== undefined) this.#own = grown(this.#own, new Uint8Array(capacity));
    if (this.#removedAt !== undefined) this.#removedAt = grown(this.#removedAt, new Uint32Array(capacity));
  }

  /** Starts to record which copies this instance loads. */
  exchange(): void {
    this.#own ??= new Uint8Array(this.#copies.length);
    this.#removedAt ??= new Uint32Array(this.#copies.length);
  }

  /**
   * Starts to follow a key.
   * @param isFirst whether the key had no access before. If it had one, the caches may have copies: its next access is not counted.
   */
  begin(slot: number, isFirst: boolean): void {
    this.#copies[slot] = 0;
    this.#outdated[slot] = 0;
    this.#clearUnchecked(slot);
    this.#checkedAt[slot] = 0;
    this.#checkCount[slot] = 0;
    this.#changeCount[slot] = 0;
    this.#unknown[slot] = isFirst ? 0 : 1;
    if (this.#own !== undefined) this.#own[slot] = 0;
    if (this.#removedAt !== undefined) this.#removedAt[slot] = 0;
  }

  /** Records when the value of a key was loaded. */
  known(slot: number, loadedAt: number): void {
    if (loadedAt > this.startedAt) this.#checkedAt[slot] = this.#checkStep(loadedAt);
  }

  /** Counts hits while all eight caches have their copies. */
  hits({ slot, hash, weight, hot }: Follower, count: number): void {
    const group = groupOf(hash, hot);
    const outdated = this.#outdated[slot]!;
    const by = count * weight;
    this.sums.access(group, by);
    for (let rung = 0; rung < RUNG_COUNT; rung++) {
      this.sums.add(group, rung, Sum.hits, by);
      if ((outdated & (1 << rung)) !== 0) this.sums.add(group, rung, Sum.stale, by);
      else this.#countUnchecked(slot, rung, count);
    }
  }

  /** Counts one access, after the check of its load if there was one. */
  access(follower: Follower, at: number, { loads, keeps, loadedAt }: AccessFacts): void {
    const { slot, hash, weight, hot } = follower;
    const group = groupOf(hash, hot);
    const counts = this.#unknown[slot] === 0;
    const copies = this.#copies[slot]!;
    const outdated = this.#outdated[slot]!;
    let now = 0;
    if (counts) this.sums.access(group, weight);
    for (let rung = 0; rung < RUNG_COUNT; rung++) {
      const bit = 1 << rung;
      const step = this.#stepOf(at, rung);
      if ((copies & bit) !== 0 && this.#age(slot, rung, step) < STEPS) {
        now |= bit;
        const isOutdated = (outdated & bit) !== 0;
        if (!loads && !isOutdated) this.#countUnchecked(slot, rung, 1);
        if (!counts) continue;
        this.sums.add(group, rung, Sum.hits, weight);
        if (isOutdated) this.sums.add(group, rung, Sum.stale, weight);
      } else if (loadedAt > 0 && this.#wouldHave(slot, rung, loadedAt, at)) {
        // A shared cache with this TTL would have the copy from another process.
        now |= bit;
        this.#fill(slot, rung, this.#stepOf(loadedAt, rung));
        if (counts) this.sums.add(group, rung, Sum.hits, weight);
      } else if (keeps) {
        now |= bit;
        this.#fill(slot, rung, step);
        if (counts && this.#own !== undefined) this.#own[slot]! |= bit;
      }
    }
    this.#copies[slot] = now;
    if (this.#checkedAt[slot] === 0) this.#checkedAt[slot] = this.#checkStep(at);
    this.#unknown[slot] = 0;
  }

  /** Returns until when all eight caches have a copy; 0 if one of them has none. */
  until(slot: number, at: number): number {
    if (this.#copies[slot] !== ALL_COPIES) return 0;
    let soonest = Infinity;
    for (let rung = 0; rung < RUNG_COUNT; rung++) {
      const left = STEPS - 1 - this.#age(slot, rung, this.#stepOf(at, rung));
      soonest = Math.min(soonest, left / this.#stepsPerMs[rung]!);
    }
    return at + soonest;
  }

  /**
   * Applies a real load or write.
   * @param changed whether the value has changed since the check before; undefined if that is unknown.
   * @param announced whether there was a deletion, invalidation or write in between.
   */
  check({ slot, hash, weight, hot }: Follower, at: number, changed: boolean | undefined, announced: boolean): void {
    const step = this.#checkStep(at);
    const before = this.#checkedAt[slot]!;
    const afterMs = ((step - before) * this.ttlMs) / CHECK_STEPS;
    if (before !== 0 && afterMs > 0) {
      const known = announced ? undefined : changed;
      if (known !== undefined) this.#count(slot, afterMs, known, weight);
      const group = groupOf(hash, hot);
      if (known === true) this.#outdate(slot, hash, at, afterMs, group, weight);
      if (known !== false) this.#classify(slot, group, weight, at, afterMs, known === true);
    }
    this.#checkedAt[slot] = step;
    this.#clearUnchecked(slot);
  }

  /** Applies a load by another instance, as a check at its time. Loads before the last check are ignored. */
  seen(follower: Follower, at: number, changed: boolean | undefined, announced: boolean): void {
    if (this.isNews(follower.slot, at)) this.check(follower, at, changed, announced);
  }

  /** Whether a value from that time is newer than the last check. */
  isNews(slot: number, at: number): boolean {
    return at > this.startedAt && this.#checkStep(at) > this.#checkedAt[slot]!;
  }

  /** Stops following the key. */
  drop(follower: Follower, at: number): void {
    const { slot, hash, weight, hot } = follower;
    const before = this.#checkedAt[slot]!;
    const afterMs = ((this.#checkStep(at) - before) * this.ttlMs) / CHECK_STEPS;
    if (before !== 0 && afterMs > 0) this.#classify(slot, groupOf(hash, hot), weight, at, afterMs, false);
  }

  /** Removes all copies: the key was deleted, invalidated or evicted. */
  remove(slot: number, at: number): void {
    this.#copies[slot] = 0;
    this.#outdated[slot] = 0;
    if (this.#own !== undefined) this.#own[slot] = 0;
    if (this.#removedAt !== undefined) this.#removedAt[slot] = this.#checkStep(at);
  }

  /** A write renews every copy. */
  renew(slot: number, at: number): void {
    for (let rung = 0; rung < RUNG_COUNT; rung++) this.#fill(slot, rung, this.#stepOf(at, rung));
    this.#copies[slot] = ALL_COPIES;
    this.#outdated[slot] = 0;
    this.#unknown[slot] = 0;
    if (this.#own !== undefined) this.#own[slot] = ALL_COPIES;
  }

  /** When the value was checked last, milliseconds since the epoch; 0: never. */
  checkedAt(slot: number): number {
    const step = this.#checkedAt[slot]!;
    return step === 0 ? 0 : Math.round(this.startedAt + ((step - 1) * this.ttlMs) / CHECK_STEPS);
  }

  /** Returns the loads of this instance whose copies still exist, for the other instances. */
  fills(slot: number, now: number): readonly Fill[] {
    const own = this.#own === undefined ? 0 : this.#own[slot]! & this.#copies[slot]!;
    if (own === 0) return NO_FILLS;
    const fills: Fill[] = [];
    for (let rung = 0; rung < RUNG_COUNT; rung++) {
      if ((own & (1 << rung)) === 0) continue;
      const at = this.#filledAt(slot, rung, now);
      const outdated = (this.#outdated[slot]! & (1 << rung)) !== 0;
      if (now - at < this.ttlMs * RUNGS[rung]!) fills.push({ rung, at, outdated });
    }
    return fills;
  }

  /**
   * Applies a load of another instance. Of two loads within one TTL, only the first would have been made. If the other instance's was
   * first, the load that this instance counted becomes a hit.
   * @param isFirst whether the other instance's load counts as first if both have the same time.
   */
  learn(follower: Follower, fill: Fill, now: number, isFirst: boolean): void {
    this.#learnLoad(follower, fill, now, isFirst);
    const { slot } = follower;
    const { rung, at, outdated } = fill;
    if (!outdated || (this.#copies[slot]! & (1 << rung)) === 0) return;
    // A check by the other instance has shown the change; this instance may never have had the value before it.
    const isNewer = this.#filledAt(slot, rung, now) > at + 1 / this.#stepsPerMs[rung]!;
    if (!isNewer) this.#outdated[slot]! |= 1 << rung;
  }

  #learnLoad({ slot, hash, weight, hot }: Follower, { rung, at }: Fill, now: number, isFirst: boolean): void {
    const bit = 1 << rung;
    const ttlMs = this.ttlMs * RUNGS[rung]!;
    if (at < this.startedAt || at > now) return;
    if (this.#removedAt !== undefined && this.#checkStep(at) <= this.#removedAt[slot]!) return;
    const isThere = (this.#copies[slot]! & bit) !== 0 && this.#age(slot, rung, this.#stepOf(now, rung)) < WRAP - STEPS;
    const filledAt = isThere ? this.#filledAt(slot, rung, now) : -Infinity;
    const isOwn = isThere && this.#own !== undefined && (this.#own[slot]! & bit) !== 0;
    if (at < filledAt || (at === filledAt && isOwn && isFirst)) {
      if (at + ttlMs <= filledAt) return;
      if (isOwn) {
        this.sums.add(groupOf(hash, hot), rung, Sum.hits, weight);
        this.sums.addWhole(rung, Whole.shared, weight);
        this.#own![slot]! &= ~bit;
      }
      this.#fills[slot * RUNG_COUNT + rung] = this.#stepOf(at, rung);
      return;
    }
    if (filledAt + ttlMs > at || at + ttlMs <= now) return;
    this.#fill(slot, rung, this.#stepOf(at, rung));
    this.#copies[slot]! |= bit;
  }

  /** Returns the expected number of outdated hits among those that no check has classified yet, by the rates of change of their keys. */
  unchecked(followers: Iterable<Follower>, at: number): Float64Array {
    const stale = new Float64Array(RUNG_COUNT);
    for (const { slot, weight } of followers) {
      const before = this.#checkedAt[slot]!;
      const afterMs = ((this.#checkStep(at) - before) * this.ttlMs) / CHECK_STEPS;
      if (before === 0 || afterMs <= 0) continue;
      const changes = this.#expectedChanges(slot, afterMs);
      for (let rung = 0; rung < RUNG_COUNT; rung++) {
        const part = this.#exposed(slot, rung, at, afterMs);
        stale[rung]! += this.#uncheckedOf(slot, rung) * weight * outdatedShare(changes * part);
      }
    }
    return stale;
  }

  /** True if no cache has a copy of the key any more: then it need not be followed. */
  isOver(slot: number, at: number): boolean {
    const last = RUNG_COUNT - 1;
    const bit = 1 << last;
    return (this.#copies[slot]! & bit) === 0 || this.#age(slot, last, this.#stepOf(at, last)) >= STEPS;
  }

  #count(slot: number, afterMs: number, changed: boolean, weight: number): void {
    this.changes.check(afterMs, changed, weight);
    if (this.#checkCount[slot] === 0xff) {
      this.#checkCount[slot] = 0x7f;
      this.#changeCount[slot] = this.#changeCount[slot]! >> 1;
    }
    this.#checkCount[slot]! += 1;
    if (changed) this.#changeCount[slot]! += 1;
  }

  /** Counts the outdated hits since the last check, by their expected share. @param changed whether a change is known. */
  #classify(slot: number, group: number, weight: number, at: number, afterMs: number, changed: boolean): void {
    const changes = this.#expectedChanges(slot, afterMs);
    if (changes <= 0) return;
    const probability = changed ? changeProbability(changes) : 1;
    for (let rung = 0; rung < RUNG_COUNT; rung++) {
      const part = this.#exposed(slot, rung, at, afterMs);
      const hits = this.#uncheckedOf(slot, rung) * weight;
      if (hits === 0) continue;
      const stale = hits * Math.min(1, outdatedShare(changes * part) / probability);
      this.sums.add(group, rung, Sum.stale, stale);
      this.sums.addWhole(rung, Whole.inferred, stale);
      // The time of the change is uniformly distributed between the two checks.
      this.sums.addWhole(rung, Whole.variance, stale ** 2 / 3);
    }
  }

  /**
   * Returns the expected number of changes of the key in a time, from its own checks and, with the weight of two more checks, from the
   * rate of its pattern. For equal intervals the estimate is minus the logarithm of the share of checks without a change: Cho and
   * Garcia-Molina, section 4.2.
   */
  #expectedChanges(slot: number, afterMs: number): number {
    const prior = PRIOR_CHECKS * changeProbability(this.changes.perMs * afterMs);
    const checks = this.#checkCount[slot]! + PRIOR_CHECKS;
    const unchanged = checks - this.#changeCount[slot]! - prior;
    return -Math.log(Math.max(unchanged, 1e-9) / checks);
  }

  /** Applies a change that a check has found: copies from before the last check are outdated, later ones with a probability. */
  #outdate(slot: number, hash: number, at: number, checkMs: number, group: number, weight: number): void {
    let outdated = this.#outdated[slot]!;
    // The expected time until the next check that finds a change: then the state of the copy is known again.
    const untilNextMs = (this.ttlMs * (this.#checkCount[slot]! + 1)) / (this.#changeCount[slot]! + 1);
    for (let rung = 0; rung < RUNG_COUNT; rung++) {
      const bit = 1 << rung;
      const age = this.#age(slot, rung, this.#stepOf(at, rung));
      const ageMs = age / this.#stepsPerMs[rung]!;
      const leftMs = this.ttlMs * RUNGS[rung]! - ageMs;
      if ((this.#copies[slot]! & ~outdated & bit) === 0 || leftMs <= 0) continue;
      const probability = Math.min(1, ageMs / checkMs);
      const drawn = (mixed(hash ^ Math.imul(this.#checkedAt[slot]! + rung, 0x9e3779b1)) >>> 0) / 2 ** 32;
      if (drawn < probability) outdated |= bit;
      // The drawn result differs from the real one with a probability of 2p(1 − p).
      const doubtMs = Math.min(leftMs, untilNextMs);
      const hits = (weight * this.#uncheckedOf(slot, TODAY) * doubtMs) / Math.min(checkMs, this.ttlMs);
      this.sums.addWhole(rung, Whole.variance, 2 * probability * (1 - probability) * hits ** 2);
    }
    this.#outdated[slot] = outdated;
  }

  /**
   * Returns in which share of the time since the last check a change could have made the hits of a copy outdated. Hits come within
   * today's TTL after a check. If the copy was loaded in between, only changes after that load concern the hits after it.
   */
  #exposed(slot: number, rung: number, at: number, afterMs: number): number {
    const spanMs = Math.min(afterMs, this.ttlMs, this.ttlMs * RUNGS[rung]!);
    const ageMs = this.#age(slot, rung, this.#stepOf(at, rung)) / this.#stepsPerMs[rung]!;
    const filledMs = afterMs - ageMs;
    if (RUNGS[rung]! < 1 || filledMs <= 0 || filledMs >= spanMs) return spanMs / afterMs;
    const earlier = filledMs / spanMs;
    return ((earlier ** 2 + (1 - earlier) ** 2) * spanMs) / afterMs;
  }

  #countUnchecked(slot: number, rung: number, count: number): void {
    if (rung >= COUNTED) return;
    const at = slot * COUNTED + rung;
    this.#unchecked[at] = Math.min(WRAP, this.#unchecked[at]! + count);
  }

  #clearUnchecked(slot: number): void {
    this.#unchecked.fill(0, slot * COUNTED, (slot + 1) * COUNTED);
  }

  #uncheckedOf(slot: number, rung: number): number {
    return this.#unchecked[slot * COUNTED + Math.min(rung, COUNTED - 1)]!;
  }

  /**
   * Whether this rung's cache would have a copy from a real load by another process. If instances exchange their loads, it has none from
   * a load during the life of an earlier copy: with this TTL, that load would not have been made.
   */
  #wouldHave(slot: number, rung: number, loadedAt: number, at: number): boolean {
    const ttlMs = this.ttlMs * RUNGS[rung]!;
    if (loadedAt <= at - ttlMs) return false;
    const knowsAll = this.#own !== undefined && (this.#copies[slot]! & (1 << rung)) !== 0;
    return !knowsAll || this.#filledAt(slot, rung, at) + ttlMs <= loadedAt;
  }

  #fill(slot: number, rung: number, step: number): void {
    this.#fills[slot * RUNG_COUNT + rung] = step;
    this.#outdated[slot] = this.#outdated[slot]! & ~(1 << rung);
    if (this.#own !== undefined) this.#own[slot]! &= ~(1 << rung);
  }

  #filledAt(slot: number, rung: number, now: number): number {
    const step = Math.round((now - this.startedAt) * this.#stepsPerMs[rung]!);
    return Math.round(this.startedAt + (step - this.#age(slot, rung, step)) / this.#stepsPerMs[rung]!);
  }

  /** The number of steps since a copy was loaded. */
  #age(slot: number, rung: number, step: number): number {
    return (step - this.#fills[slot * RUNG_COUNT + rung]!) & WRAP;
  }

  #stepOf(at: number, rung: number): number {
    return Math.round((at - this.startedAt) * this.#stepsPerMs[rung]!) & WRAP;
  }

  /** The step of a check, 1 or more; 0 stands for no check. */
  #checkStep(at: number): number {
    return 1 + Math.round(((at - this.startedAt) / this.ttlMs) * CHECK_STEPS);
  }
}

function groupOf(hash: number, hot: boolean): number {
  return hot ? GROUPS : hash & (GROUPS - 1);
}

/** Creates the arrays for a number of slots. Some have several places per slot. */
function columnsOf(capacity: number) {
  return columns(
    [Uint32Array, capacity],
    [Uint16Array, capacity * RUNG_COUNT],
    [Uint16Array, capacity * COUNTED],
    [Uint8Array, capacity],
    [Uint8Array, capacity],
    [Uint8Array, capacity],
    [Uint8Array, capacity],
    [Uint8Array, capacity],
  );
}
