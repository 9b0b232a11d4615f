import type { FollowedPattern } from './followed-pattern.js';
import { type LadderNotes, LadderNotesWriter, type NotedKey, type NotedPattern } from './ladder-notes.js';

/*
 * TTL ladders in a fleet.
 *
 * Instances that share a layer share their loads: what one has loaded is a hit for all. So a ladder that sees the accesses of one
 * instance alone counts a load for each instance where there would be one, and sums of such ladders are wrong for every TTL but
 * today's.
 *
 * Each instance replays its own accesses against copies of the whole fleet. It notes for the others which copies of followed keys its
 * own accesses would have loaded, and takes over what they noted. Two instances may both have counted a load of the same copy before they
 * learned of each other's: the earlier one stands, and the other instance counts a hit instead (`TtlReplay.learn`). Then the sums of
 * all instances are those of one cache with all accesses, and are added up for a report.
 *
 * For that all follow the same keys: the salt is that of the namespace, each follows a key below the lowest threshold of all, and
 * one that is among the hottest anywhere.
 *
 * Assumes that clocks differ by less than the shortest TTL of a ladder, and that notes arrive within it.
 */

/** Of the instance's own keys: those that changed in the last so many intervals are noted, and older ones in turn where room is left. */
const NEW_INTERVALS = 3;
/** Weight of the last exchange in how late loads of others are known. */
const LATEST = 0.1;
/** TTLs that differ by less are the same. */
const SAME_TTL = 0.01;

/** The followed keys of one instance; `AccessRecorder` fits. */
export interface FollowedKeys {
  readonly patterns: ReadonlyMap<string, FollowedPattern>;
  /** Notes from now on which copies the instance's own accesses load. @param lateMs how late others know of them. */
  exchange(lateMs: number): void;
  learn(pattern: FollowedPattern, key: NotedKey, now: number, isFirst: boolean): void;
}

/** Makes and takes the notes of one instance. */
export class LadderExchange {
  readonly #seen = new Map<string, number>();
  #next = 0;
  #lateMs = 0;

  /** @param everyMs how often notes are exchanged, milliseconds. */
  constructor(
    private readonly keys: FollowedKeys,
    private readonly everyMs: number,
  ) {
    keys.exchange(everyMs);
  }

  /** What this instance would have loaded lately; a pattern at a time. */
  *notes(now: number, mostBytes: number): Generator<void, Uint8Array> {
    const writer = new LadderNotesWriter(mostBytes, now);
    const since = now - NEW_INTERVALS * this.everyMs;
    const patterns = [...this.keys.patterns.values()].filter(({ ladder }) => ladder.ttlMs !== undefined);
    let fits = true;
    for (const pattern of patterns) {
      fits = fits && write(writer, pattern, now, (at) => at >= since, true);
      yield;
    }
    // Too much is exchanged: all instances follow fewer keys.
    if (!fits) for (const { sample } of patterns) sample.lower();
    for (let left = patterns.length; fits && left > 0; left--) {
      const pattern = patterns[this.#next++ % patterns.length]!;
      fits = write(writer, pattern, now, (at) => at < since, false);
      yield;
    }
    return writer.bytes();
  }

  /** Takes over what the other instances noted, by their names; a pattern at a time. @param own the name of this instance */
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

/** @returns false where there is no room. */
function write(
  writer: LadderNotesWriter,
  { name, sample, ladder }: FollowedPattern,
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
    if (!writer.key({ hash: sample.hashOf(slot), isHot: sample.hot[slot] === 1, fills })) return false;
  }
  return true;
}

function isAlike({ ladder }: FollowedPattern, { ttlMs }: NotedPattern): boolean {
  return ladder.ttlMs !== undefined && Math.abs(ladder.ttlMs - ttlMs) <= ttlMs * SAME_TTL;
}
