import { ChangeRate, changeProbability, outdatedShare } from './change-rate.js';
import { mixed } from './stream/key-hash.js';
import { GROUPS, LadderSums, RUNG_COUNT, RUNGS, Sum, TODAY, Whole } from './ladder-sums.js';
import { grown } from './pattern-sample.js';

/*
 * What other TTLs would have done with the accesses of a pattern.
 *
 * For each followed key and each of eight TTLs the replay keeps when a cache with this TTL would have loaded the key last. An access
 * within the TTL of that is a hit, any other a load. Deletions, invalidations and evictions take the copies of all eight away; a write
 * renews them. That is the whole simulation: eight caches without a bound of their own, empty at first.
 *
 * Outdated copies. A real load shows whether the value has changed since the real load before (a check). A copy that was loaded
 * before the last check is known to be outdated from the moment a check finds a change. Hits between two checks are classified by the
 * second: where it finds no change none was outdated, else the part that Poisson changes of the key's own rate would make so. An
 * announced change (deletion, invalidation, write) ends the time in which copies can be outdated.
 *
 * Space: 34 bytes a key. Times of loads are 16 bits in steps of a 128th of their TTL: a key that nobody asks for during 64 times today's
 * TTL is dropped before they would be ambiguous.
 */

const STEPS = 128;
const WRAP = 0xffff;
const NO_FILLS: readonly Fill[] = [];
const ALL_COPIES = 2 ** RUNG_COUNT - 1;
/** Checks come in steps of this part of today's TTL. */
const CHECK_STEPS = 256;
/** Weight of the pattern's share of changes against a key's own checks. */
const PRIOR_CHECKS = 2;

/** Rungs whose hits since the last check are counted each; the last stands for those above it, too. */
const COUNTED = 5;

/** What an access was in reality. */
export interface AccessFacts {
  /** It waited for a load. */
  readonly loads: boolean;
  /** False where what was loaded is not kept. */
  readonly keeps: boolean;
  /** When another process loaded what a shared layer had; else 0. */
  readonly loadedAt: number;
}

/** A load that an instance would have made with one of the eight TTLs, and did not have to with the others. */
export interface Fill {
  readonly rung: number;
  /** Milliseconds since the epoch, on the step in which the instance keeps it: all compare the same numbers. */
  readonly at: number;
}

/** A followed key as one of the groups sees it. */
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
  /** A bit for each rung whose cache has a copy. */
  #copies: Uint8Array;
  /** A bit for each rung whose copy is known to be outdated. */
  #outdated: Uint8Array;
  #checkedAt: Uint32Array;
  /** Hits since the last check of copies that are not known to be outdated, {@link COUNTED} places a key. */
  #unchecked: Uint16Array;
  #checkCount: Uint8Array;
  #changeCount: Uint8Array;
  /** 1: nothing is known of the copies that a cache would have. */
  #unknown: Uint8Array;
  /** In a fleet: a bit for each rung whose copy an access of this instance loaded. */
  #own: Uint8Array | undefined;
  /** In a fleet: when all copies were taken away last, as checks are timed. */
  #removedAt: Uint32Array | undefined;
  readonly #stepsPerMs: number[];

  constructor(
    readonly ttlMs: number,
    readonly startedAt: number,
    capacity: number,
  ) {
    this.#fills = new Uint16Array(capacity * RUNG_COUNT);
    this.#copies = new Uint8Array(capacity);
    this.#outdated = new Uint8Array(capacity);
    this.#checkedAt = new Uint32Array(capacity);
    this.#unchecked = new Uint16Array(capacity * COUNTED);
    this.#checkCount = new Uint8Array(capacity);
    this.#changeCount = new Uint8Array(capacity);
    this.#unknown = new Uint8Array(capacity);
    this.#stepsPerMs = RUNGS.map((times) => STEPS / (ttlMs * times));
  }

  grow(capacity: number): void {
    this.#fills = grown(this.#fills, new Uint16Array(capacity * RUNG_COUNT));
    this.#copies = grown(this.#copies, new Uint8Array(capacity));
    this.#outdated = grown(this.#outdated, new Uint8Array(capacity));
    this.#checkedAt = grown(this.#checkedAt, new Uint32Array(capacity));
    this.#unchecked = grown(this.#unchecked, new Uint16Array(capacity * COUNTED));
    this.#checkCount = grown(this.#checkCount, new Uint8Array(capacity));
    this.#changeCount = grown(this.#changeCount, new Uint8Array(capacity));
    this.#unknown = grown(this.#unknown, new Uint8Array(capacity));
    if (this.#own !== undefined) this.#own = grown(this.#own, new Uint8Array(capacity));
    if (this.#removedAt !== undefined) this.#removedAt = grown(this.#removedAt, new Uint32Array(capacity));
  }

  /** Notes from now on which copies this instance loaded. */
  exchange(): void {
    this.#own ??= new Uint8Array(this.#copies.length);
    this.#removedAt ??= new Uint32Array(this.#copies.length);
  }

  /** Begins with a key. @param isFirst whether no access came before; else its first one only shows when it was loaded. */
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

  /** The value of a key is from that time. */
  known(slot: number, loadedAt: number): void {
    if (loadedAt > this.startedAt) this.#checkedAt[slot] = this.#checkStep(loadedAt);
  }

  /** Hits while every one of the eight has its copy. */
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

  /** One access, after the check of its load where there was one. */
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
        // A shared cache with this TTL has it from another process.
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

  /** Until when every one of the eight has its copy; 0 where one has none. */
  until(slot: number, at: number): number {
    if (this.#copies[slot] !== ALL_COPIES) return 0;
    let soonest = Infinity;
    for (let rung = 0; rung < RUNG_COUNT; rung++) {
      const left = STEPS - 1 - this.#age(slot, rung, this.#stepOf(at, rung));
      soonest = Math.min(soonest, left / this.#stepsPerMs[rung]!);
    }
    return at + soonest;
  }

  /** A real load or write. @param changed undefined: not known. @param announced whether the change, if any, was made known. */
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

  /** The value that another instance loaded then; older ones than that of the last check say nothing. */
  seen(follower: Follower, at: number, changed: boolean | undefined, announced: boolean): void {
    if (at <= this.startedAt || this.#checkStep(at) <= this.#checkedAt[follower.slot]!) return;
    this.check(follower, at, changed, announced);
  }

  /** The key is followed no longer. */
  drop(follower: Follower, at: number): void {
    const { slot, hash, weight, hot } = follower;
    const before = this.#checkedAt[slot]!;
    const afterMs = ((this.#checkStep(at) - before) * this.ttlMs) / CHECK_STEPS;
    if (before !== 0 && afterMs > 0) this.#classify(slot, groupOf(hash, hot), weight, at, afterMs, false);
  }

  /** The key was deleted, invalidated or evicted: nobody has a copy. */
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

  /** The copies that accesses of this instance loaded and that are there still, for the others. */
  fills(slot: number, now: number): readonly Fill[] {
    const own = this.#own === undefined ? 0 : this.#own[slot]! & this.#copies[slot]!;
    if (own === 0) return NO_FILLS;
    const fills: Fill[] = [];
    for (let rung = 0; rung < RUNG_COUNT; rung++) {
      if ((own & (1 << rung)) === 0) continue;
      const at = this.#filledAt(slot, rung, now);
      if (now - at < this.ttlMs * RUNGS[rung]!) fills.push({ rung, at });
    }
    return fills;
  }

  /**
   * What another instance would have loaded. Of two loads within one TTL only the first would have been: where that is the other
   * one, what this instance counted as a load was a hit.
   * @param isFirst of two at the same time, whether the other instance's counts.
   */
  learn({ slot, hash, weight, hot }: Follower, { rung, at }: Fill, now: number, isFirst: boolean): void {
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

  /** Hits that no check has classified yet, as their keys' rates of change expect: to be added to the outdated ones. */
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

  /** True where no copy of a key is left, and it need not be followed. */
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

  /** Counts the hits since the last check that were outdated: the part that is expected, given whether there was a change. */
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
      // A moment that may be any between two checks: uniform.
      this.sums.addWhole(rung, Whole.variance, stale ** 2 / 3);
    }
  }

  /**
   * Changes of the key within a time: by its own checks, and by the rate of its pattern as if that had been seen in two more. What many
   * checks at one distance show of a rate is the logarithm of how often there was no change: Cho and Garcia-Molina, section 4.2.
   */
  #expectedChanges(slot: number, afterMs: number): number {
    const prior = PRIOR_CHECKS * changeProbability(this.changes.perMs * afterMs);
    const checks = this.#checkCount[slot]! + PRIOR_CHECKS;
    const unchanged = checks - this.#changeCount[slot]! - prior;
    return -Math.log(Math.max(unchanged, 1e-9) / checks);
  }

  /** A check found a change: copies from before the last check are outdated, later ones by chance. */
  #outdate(slot: number, hash: number, at: number, checkMs: number, group: number, weight: number): void {
    let outdated = this.#outdated[slot]!;
    // Until the next check that finds a change: then there is no doubt any more.
    const untilNextMs = (this.ttlMs * (this.#checkCount[slot]! + 1)) / (this.#changeCount[slot]! + 1);
    for (let rung = 0; rung < RUNG_COUNT; rung++) {
      const bit = 1 << rung;
      const ageMs = this.#age(slot, rung, this.#stepOf(at, rung)) / this.#stepsPerMs[rung]!;
      const leftMs = this.ttlMs * RUNGS[rung]! - ageMs;
      if ((this.#copies[slot]! & ~outdated & bit) === 0 || leftMs <= 0) continue;
      const probability = Math.min(1, ageMs / checkMs);
      const drawn = (mixed(hash ^ Math.imul(this.#checkedAt[slot]! + rung, 0x9e3779b1)) >>> 0) / 2 ** 32;
      if (drawn < probability) outdated |= bit;
      // What was drawn and what happened may both be the other.
      const doubtMs = Math.min(leftMs, untilNextMs);
      const hits = (weight * this.#uncheckedOf(slot, TODAY) * doubtMs) / Math.min(checkMs, this.ttlMs);
      this.sums.addWhole(rung, Whole.variance, 2 * probability * (1 - probability) * hits ** 2);
    }
    this.#outdated[slot] = outdated;
  }

  /**
   * For what part of the time since the last check a copy had been there when it was hit last: hits come within today's TTL of a
   * check, and of copies that were loaded in between less long after that.
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
   * Whether a copy of this rung from a real load of another process would be there. Where loads are exchanged, one that came while an
   * earlier copy was there would not have been made.
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

  /** Steps since a copy was loaded. */
  #age(slot: number, rung: number, step: number): number {
    return (step - this.#fills[slot * RUNG_COUNT + rung]!) & WRAP;
  }

  #stepOf(at: number, rung: number): number {
    return Math.round((at - this.startedAt) * this.#stepsPerMs[rung]!) & WRAP;
  }

  /** 1 or more: 0 is never. */
  #checkStep(at: number): number {
    return 1 + Math.round(((at - this.startedAt) / this.ttlMs) * CHECK_STEPS);
  }
}

function groupOf(hash: number, hot: boolean): number {
  return hot ? GROUPS : hash & (GROUPS - 1);
}
