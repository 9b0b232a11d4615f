import type { FollowedPattern } from './followed-pattern.js';
import { Flag } from './pattern-sample.js';
import { type LadderNotes, LadderNotesWriter, type NotedKey, type NotedPattern } from './ladder-notes.js';

/*
 * TTL ladders in a fleet.
 *
 * Instances that share a layer share their loads: a value that one has loaded is a hit for all. A ladder that sees only the accesses of
 * one instance counts a load in each instance instead of one load in all. So sums of such ladders are correct only for today's TTL.
 *
 * Each instance therefore replays its own accesses against copies of the whole fleet. For the others it notes which copies of followed
 * keys its own accesses would have loaded, and it applies their notes. Two instances may both count a load of the same copy before they
 * get each other's note. Then the earlier load counts, and the other instance counts a hit instead (`TtlReplay.learn`). So the sums of
 * all instances are those of one cache with all accesses, and a report adds them up.
 *
 * For this, all instances must follow the same keys. Their salt is that of the namespace. Each instance follows the keys below the lowest
 * threshold of all instances, and the keys that are among the hottest in any instance.
 *
 * Assumption: the difference between clocks and the delay of notes are smaller than the shortest TTL of a ladder.
 */

/** Keys that changed within this number of intervals are noted first; older keys follow in turn if there is room. */
const NEW_INTERVALS = 3;
/** Weight of the last exchange in the mean delay of other instances' loads. */
const LATEST = 0.1;
/** TTLs are equal if they differ by less than this share. */
const SAME_TTL = 0.01;

/** The followed keys of one instance; `AccessRecorder` implements it. */
export interface FollowedKeys {
  readonly patterns: ReadonlyMap<string, FollowedPattern>;
  /** Starts to note which copies the instance's own accesses load. @param lateMs the delay until others know them. */
  exchange(lateMs: number): void;
  learn(pattern: FollowedPattern, key: NotedKey, now: number, isFirst: boolean): void;
}

/** Writes and applies the notes of one instance. */
export class LadderExchange {
  readonly #seen = new Map<string, number>();
  #next = 0;
  #lateMs = 0;

  /** @param everyMs the interval between exchanges, milliseconds. */
  constructor(
    private readonly keys: FollowedKeys,
    private readonly everyMs: number,
  ) {
    keys.exchange(everyMs);
  }

  /** Writes the recent loads of this instance, one pattern per step. */
  *notes(now: number, mostBytes: number): Generator<void, Uint8Array> {
    const writer = new LadderNotesWriter(mostBytes, now);
    const since = now - NEW_INTERVALS * this.everyMs;
    const patterns = [...this.keys.patterns.values()].filter(({ ladder }) => ladder.ttlMs !== undefined);
    let fits = true;
    for (const pattern of patterns) {
      fits = fits && write(writer, pattern, now, (at) => at >= since, true);
      yield;
    }
    // The notes are too long, so all instances must follow fewer keys.
    if (!fits) for (const { sample } of patterns) sample.lower();
    for (let left = patterns.length; fits && left > 0; left--) {
      const pattern = patterns[this.#next++ % patterns.length]!;
      fits = write(writer, pattern, now, (at) => at < since, false);
      yield;
    }
    return writer.bytes();
  }

  /** Applies the notes of the other instances (by their names), one pattern per step. @param own the name of this instance */
  *learn(others: ReadonlyMap<string, LadderNotes>, own: string, now: number): Generator<void, void> {
    for (const name of this.#seen.keys()) if (!others.has(name)) this.#seen.delete(name);
    const rooms = new Map<FollowedPattern, number>();
    let lateMs = 0;
    for (const [name, { at, patterns }] of others) {
      const isNew = this.#seen.get(name) !== at;
      this.#seen.set(name, at);
      if (isNew) lateMs = Math.max(lateMs, now - at);
      for (const noted of patterns) {
        const pattern = this.keys.patterns.get(noted.name);
        if (pattern === undefined) continue;
        pattern.ladder.adopt(noted.ttlMs, now);
        if (!isAlike(pattern, noted)) continue;
        rooms.set(pattern, Math.min(rooms.get(pattern) ?? Infinity, noted.room));
        if (!isNew) continue;
        for (const key of noted.keys) this.keys.learn(pattern, key, now, name < own);
        yield;
      }
    }
    this.#lateMs += LATEST * (lateMs - this.#lateMs);
    this.keys.exchange(this.everyMs + this.#lateMs);
    for (const pattern of this.keys.patterns.values()) pattern.sample.limit(rooms.get(pattern) ?? Infinity);
  }
}

/** @returns false if there is no room. */
function write(
  writer: LadderNotesWriter,
  { name, sample, ladder, digests }: FollowedPattern,
  now: number,
  isWanted: (at: number) => boolean,
  evenWithoutKeys: boolean,
): boolean {
  const begin = () => writer.pattern(name, ladder.ttlMs!, sample.room);
  let begun = evenWithoutKeys;
  if (begun && !begin()) return false;
  for (let slot = 0; slot < sample.used; slot++) {
    if (!sample.follows(slot)) continue;
    const fills = ladder.fills(slot, now).filter(({ at }) => isWanted(at));
    if (fills.length === 0) continue;
    if (!begun && !begin()) return false;
    begun = true;
    const isHot = sample.is(slot, Flag.hot);
    const [digest, checkedAt] = [digests[slot]!, ladder.checkedAt(slot)];
    if (!writer.key({ hash: sample.hashOf(slot), isHot, digest, checkedAt, fills })) return false;
  }
  return true;
}

function isAlike({ ladder }: FollowedPattern, { ttlMs }: NotedPattern): boolean {
  return ladder.ttlMs !== undefined && Math.abs(ladder.ttlMs - ttlMs) <= ttlMs * SAME_TTL;
}
