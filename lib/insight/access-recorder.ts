import type { CallbackErrors } from '../cache/base/callback-errors.js';
import { MissReason, Outcome, type Series } from '../cache/base/observer.js';
import { inSameTurn } from '../cache/base/thenable.js';
import {
  type AccessStream,
  Removal,
  type ReportedInvalidation,
  type ReportedLoad,
} from '../cache/entries/access-stream.js';
import type { Entry } from '../cache/entries/entry.js';
import { JsonText } from '../cache/entries/json-text.js';
import { FollowedPattern } from './followed-pattern.js';
import { InvalidationNotes } from './invalidation-notes.js';
import type { NotedKey } from './ladder-notes.js';
import type { LadderFigures } from './ladder-report.js';
import type { MemorySimulation } from './memory-ladder.js';
import { keyHash } from './stream/key-hash.js';
import { Flag, MOST_PATTERNS } from './pattern-sample.js';
import { TrackMarks } from './track-marks.js';
import { TrackTable } from './track-table.js';
import type { AccessFacts } from './ttl-replay.js';
import { AccessKind, type AccessListener, type TrackedAccess } from './stream/tracked-access.js';
import { valueDigest } from './value-digest.js';

/*
 * Follows a sample of each pattern's keys, and reports their accesses to listeners.
 *
 * Problem. To predict the effect of another TTL, one must know when each key was requested; storing that for every key costs more
 * than the cache itself.
 *
 * Sample. For most keys the hash decides whether a key is followed. This does not depend on its accesses, so the sample is
 * unbiased, and every instance of a fleet follows the same keys (spatial sampling: SHARDS, FAST 2015). A few keys get a large part of
 * all hits; if a sample omits or weights one of them, its figures are far off. So the hottest keys of a pattern, which Space-Saving finds
 * in a random sample of the hits, are always followed and represent only themselves.
 *
 * Cost of a hit. Until a time that is stored with the key, a hit only increments a count: see track.ts.
 * These counts are reported together after that time, or when a report is read.
 */

/**
 * One in this number of hits is ranked, on average. The number is small with little traffic. It grows if hits would be ranked more often
 * than every SAMPLED_EVERY_MS. Gaps follow the geometric distribution, so that periodic traffic does not distort the sample.
 */
const LEAST_SAMPLED_OF = 4;
const MOST_SAMPLED_OF = 16_384;
const SAMPLED_EVERY_MS = 4;
/** How long hits of a key are counted without a report, at most, milliseconds. */
const REPORTED_AFTER_MS = 10_000;

export interface AccessRecorderOptions {
  /** The salt of the namespace: see `saltOf`. */
  readonly salt: number;
  /** By the cache's clock, milliseconds since the epoch. */
  readonly startedAt: number;
  /** Returns the part of a value that is compared with the part of the value before. */
  readonly compare?: ((value: unknown) => unknown) | undefined;
  /** Returns a number from 0 to 1, for the gaps between sampled hits. */
  readonly random: () => number;
  readonly errors: CallbackErrors;
}

type MutableAccess = { -readonly [K in keyof TrackedAccess]: TrackedAccess[K] };

/** Reports the sampled accesses to its listeners. */
export class AccessRecorder implements AccessStream {
  readonly #options: AccessRecorderOptions;
  readonly #patterns = new Map<string, FollowedPattern>();
  /** The patterns by their numbers. */
  readonly #followed: FollowedPattern[] = [];
  readonly #marks: TrackMarks;
  readonly #table: TrackTable;
  readonly #listeners: AccessListener[] = [];
  readonly #notes = new InvalidationNotes();
  readonly #restored = new Map<string, LadderFigures>();
  /** The simulation of the memory layer, if there is one. */
  #memory: MemorySimulation | undefined;
  #hashedKey = '';
  #hashed = 0;
  #sampledOf = LEAST_SAMPLED_OF;
  #sampledAt = 0;
  /** The delay until loads of other instances are known, milliseconds; 0 if loads are not exchanged. */
  #lateMs = 0;
  /** Whether another layer still has the entries that memory evicted. */
  #isShared = false;
  readonly #access: MutableAccess = {
    kind: AccessKind.hit, pattern: '', key: undefined, hash: 0, weight: 1, at: 0, count: 1, reason: MissReason.none, layer: -1,
    durationMs: 0, bytes: 0, ttlMs: 0, changed: undefined, afterInvalidation: false, empty: false, reads: 0,
  }; // prettier-ignore

  constructor(options: AccessRecorderOptions) {
    this.#options = options;
    this.#marks = new TrackMarks(options.startedAt);
    this.#table = new TrackTable((track) => this.#marks.hashOf(track));
  }

  /** Adds a listener. @returns a function that removes it. */
  listen(listener: AccessListener): () => void {
    this.#listeners.push(listener);
    return () => {
      const at = this.#listeners.indexOf(listener);
      if (at !== -1) this.#listeners.splice(at, 1);
    };
  }

  /** Call it if a layer after memory is shared with other instances. */
  shared(): void {
    this.#isShared = true;
  }

  /** Starts to simulate other sizes of the memory layer. */
  simulate(memory: MemorySimulation): void {
    this.#memory = memory;
  }

  /** Starts to exchange loads of followed keys with other instances: see ladder-exchange.ts. */
  exchange(lateMs: number): void {
    this.#lateMs = lateMs;
    for (const { ladder } of this.#followed) ladder.exchange(lateMs);
  }

  /** Continues the counts of an earlier run, for each pattern at its first access. */
  restore(figures: ReadonlyMap<string, LadderFigures>): void {
    for (const [name, one] of figures) this.#restored.set(name, one);
  }

  /** The counts of an earlier run, of patterns that have had no access in this one. */
  get restored(): ReadonlyMap<string, LadderFigures> {
    return this.#restored;
  }

  /** Applies another instance's note of a key. If the sample includes the key, it is followed from now on. */
  learn(pattern: FollowedPattern, noted: NotedKey, now: number, isFirst: boolean): void {
    const { hash, isHot, digest, checkedAt, fills } = noted;
    if (isHot) pattern.noteHot(hash, now);
    const known = this.#table.find(hash);
    if (known !== 0 && this.#of(known) !== pattern) return;
    let track = this.#promoted(pattern, hash, known);
    if (track === 0 && pattern.sample.samples(hash)) track = this.#follow(pattern, hash, false);
    if (track === 0) return;
    const slot = this.#marks.slotOf(track);
    this.#settle(pattern, slot, undefined, now);
    if (digest !== 0 && checkedAt <= now) this.#seen(pattern, slot, digest, checkedAt);
    this.#countUntil(pattern, slot, pattern.ladder.learn(slot, fills, now, isFirst), now);
  }

  /** The followed patterns. */
  get patterns(): ReadonlyMap<string, FollowedPattern> {
    return this.#patterns;
  }

  /** Reports the hits that are counted but not reported yet. Call it before reading a listener's sums. @param only this pattern */
  flush(now: number, only?: FollowedPattern): void {
    for (const pattern of only === undefined ? this.#patterns.values() : [only]) {
      for (let slot = 0; slot < pattern.sample.used; slot++) this.#settle(pattern, slot, undefined, now);
    }
  }

  hit(entry: Entry, key: string, now: number): number {
    const marks = this.#marks;
    if (now >= marks.sweepAt) marks.sweep(now);
    if (!marks.count(entry)) {
      const pattern = this.#of(entry.track!);
      const slot = marks.slotOf(entry.track!);
      this.#settle(pattern, slot, key, now, 1);
      this.#replay(pattern, slot, now, FRESH_IN_MEMORY);
    }
    return marks.sweepAt;
  }

  sampled(key: string, series: Series, entry: Entry, now: number): number {
    const pattern = this.#patternOf(series, now);
    if (pattern !== undefined) {
      if (pattern.hottest.add(key, this.#sampledOf)) this.#rank(pattern, now);
      const hash = this.#hash(key);
      const known = this.#table.find(hash);
      if (known === 0 || this.#of(known) === pattern) {
        const track = this.#promoted(pattern, hash, known);
        if (track !== 0) this.#marks.hold(track - 1, entry);
        if (known === 0 && track !== 0) this.#learn(pattern, this.#marks.slotOf(track), entry);
      }
    }
    return this.#gap(now);
  }

  access(
    key: string,
    series: Series,
    outcome: Outcome,
    reason: MissReason,
    layer: number,
    now: number,
    entry?: Entry,
  ): void {
    const track = this.#trackOf(key, series, now);
    if (track === 0) return;
    const pattern = this.#of(track);
    const slot = this.#marks.slotOf(track);
    this.#settle(pattern, slot, key, now);
    const access = this.#begin(KIND_OF[outcome]!, pattern, slot, key, now);
    access.layer = layer;
    access.reason = outcome === Outcome.hit || outcome === Outcome.stale ? MissReason.none : reason;
    this.#report(access);
    if (outcome === Outcome.hit) pattern.sample.read(slot, 1);
    if (layer > 0 && entry !== undefined) this.#seen(pattern, slot, this.#digest(entry.value), entry.createdAt);
    const loadedAt = outcome === Outcome.hit && layer > 0 && entry !== undefined ? entry.createdAt : 0;
    this.#remember(pattern, slot, 1, now, outcome === Outcome.hit && layer === 0);
    const loads = outcome !== Outcome.hit && outcome !== Outcome.stale;
    this.#replay(pattern, slot, now, { loads, keeps: !pattern.sample.is(slot, Flag.notKept), loadedAt });
    pattern.sample.mark(slot, Flag.notKept, false);
  }

  loaded(key: string, series: Series, load: ReportedLoad): number {
    const { value, entry, ttlMs, durationMs, at } = load;
    const hash = this.#hash(key);
    for (const listener of this.#listeners) {
      try {
        listener.loaded?.(key, hash, series.pattern, load, this.#digest);
      } catch (error) {
        this.#failed(error);
      }
    }
    const track = this.#trackOf(key, series, at);
    if (track === 0) return 0;
    const pattern = this.#of(track);
    const slot = this.#marks.slotOf(track);
    this.#settle(pattern, slot, key, at);
    const access = this.#begin(AccessKind.load, pattern, slot, key, at);
    const changed = pattern.changedTo(slot, this.#digest(value));
    const announced = pattern.sample.is(slot, Flag.invalidated);
    access.durationMs = durationMs;
    access.changed = changed;
    pattern.sample.mark(slot, Flag.notKept, entry === undefined);
    const keptMs = entry === undefined ? 0 : nominal(entry.freshUntil - at, ttlMs);
    this.#stored(access, pattern, slot, value, entry, keptMs);
    if (entry !== undefined && this.#inMemory(pattern, slot)) {
      this.#memory!.loaded(pattern.sample.hashOf(slot), { bytes: entry.size, costMs: durationMs, ttlMs: keptMs });
    }
    pattern.ladder.loaded(slot, at, { durationMs, ttlMs: keptMs, changed, announced });
    return track;
  }

  loadFailed(key: string, series: Series, durationMs: number, at: number): void {
    const track = this.#trackOf(key, series, at);
    if (track === 0) return;
    const pattern = this.#of(track);
    const slot = this.#marks.slotOf(track);
    pattern.sample.mark(slot, Flag.notKept, true);
    const access = this.#begin(AccessKind.loadError, pattern, slot, key, at);
    access.durationMs = durationMs;
    this.#report(access);
  }

  stored(key: string, series: Series, entry: Entry, ttlMs: number, at: number): number {
    const track = this.#trackOf(key, series, at);
    if (track === 0) return 0;
    const pattern = this.#of(track);
    const slot = this.#marks.slotOf(track);
    this.#settle(pattern, slot, key, at);
    const access = this.#begin(AccessKind.set, pattern, slot, key, at);
    access.changed = pattern.changedTo(slot, this.#digest(entry.value));
    this.#stored(access, pattern, slot, entry.value, entry, ttlMs);
    pattern.ladder.written(slot, at, ttlMs);
    if (this.#inMemory(pattern, slot)) {
      this.#memory!.written(pattern.sample.hashOf(slot), at, { bytes: entry.size, costMs: 0, ttlMs });
    }
    return track;
  }

  backfilled(key: string, series: Series, at: number): number {
    return this.#trackOf(key, series, at);
  }

  invalidated(what: ReportedInvalidation, at: number): void {
    for (const key of what.keys ?? []) {
      const track = this.#table.find(this.#hash(key));
      if (track === 0) continue;
      const pattern = this.#of(track);
      const slot = this.#marks.slotOf(track);
      this.#settle(pattern, slot, key, at);
      this.#report(this.#begin(AccessKind.invalidated, pattern, slot, key, at));
      pattern.sample.mark(slot, Flag.invalidated, true);
      pattern.ladder.removed(slot, at, true);
      this.#memory?.removed(pattern.sample.hashOf(slot));
    }
    for (const glob of what.patterns ?? []) this.#notes.glob(glob, at);
    if (what.tags !== undefined) this.#notes.tags(what.tags, at);
    if (what.all === true) this.#notes.all(at);
    for (const listener of this.#listeners) {
      try {
        listener.invalidated?.(what, at);
      } catch (error) {
        this.#failed(error);
      }
    }
  }

  held(key: string, entry: Entry): void {
    const track = entry.track!;
    // An entry in another layer may exist longer than its key is followed.
    if (this.#marks.hashOf(track) === this.#hash(key)) this.#marks.hold(track - 1, entry);
    else entry.track = 0;
  }

  released(entry: Entry): void {
    this.#marks.release(entry);
  }

  removed(track: number, why: Removal, at: number): void {
    if (this.#marks.hashOf(track) === 0) return;
    const pattern = this.#of(track);
    const slot = this.#marks.slotOf(track);
    this.#settle(pattern, slot, undefined, at);
    const kind = why === Removal.expired ? AccessKind.expired : AccessKind.evicted;
    this.#report(this.#begin(kind, pattern, slot, undefined, at));
    // A shared layer still has the entry.
    if (why === Removal.evicted && !this.#isShared) pattern.ladder.removed(slot, at, false);
  }

  /** Returns the pattern of a track. */
  #of(track: number): FollowedPattern {
    return this.#followed[this.#marks.patternOf(track)]!;
  }

  #inMemory({ sample }: FollowedPattern, slot: number): boolean {
    return this.#memory?.follows(sample.hashOf(slot), sample.is(slot, Flag.hot), sample.share) === true;
  }

  /** Reports accesses of a key to the simulated memory layers. */
  #remember(pattern: FollowedPattern, slot: number, count: number, at: number, hit: boolean): void {
    if (!this.#inMemory(pattern, slot)) return;
    this.#memory!.access({ hash: pattern.sample.hashOf(slot), count, at, hit });
  }

  /** Returns the number of hits until the next ranked one. */
  #gap(now: number): number {
    const tookMs = now - this.#sampledAt;
    this.#sampledAt = now;
    if (tookMs < SAMPLED_EVERY_MS) this.#sampledOf = Math.min(MOST_SAMPLED_OF, this.#sampledOf * 2);
    else if (tookMs > 4 * SAMPLED_EVERY_MS) this.#sampledOf = Math.max(LEAST_SAMPLED_OF, this.#sampledOf / 2);
    return (1 + Math.log(1 - this.#options.random()) / Math.log1p(-1 / this.#sampledOf)) | 0;
  }

  /** Replays accesses, and lets hits only be counted until a copy of the ladder changes. */
  #replay(pattern: FollowedPattern, slot: number, now: number, facts: AccessFacts): void {
    this.#countUntil(pattern, slot, pattern.ladder.access(slot, now, facts), now);
  }

  #countUntil(pattern: FollowedPattern, slot: number, until: number, now: number): void {
    const countedMs = this.#inMemory(pattern, slot) ? this.#memory!.countedMs : Infinity;
    pattern.sample.countUntil(slot, Math.min(until === 0 ? now + REPORTED_AFTER_MS : until, now + countedMs));
  }

  /**
   * Reports the hits of a key that are counted but not reported yet.
   * @param more hits now, which the caller replays in the ladder.
   */
  #settle(pattern: FollowedPattern, slot: number, key: string | undefined, now: number, more = 0): void {
    const { sample } = pattern;
    const counted = sample.takeCounted(slot);
    const hits = counted + more;
    if (counted > 0) pattern.ladder.hits(slot, counted);
    if (hits > 0) {
      sample.read(slot, hits);
      this.#remember(pattern, slot, hits, now, true);
      const access = this.#begin(AccessKind.hit, pattern, slot, key, now);
      access.count = hits;
      access.layer = 0;
      this.#report(access);
    }
    if (key === undefined) return;
    const invalidatedAt = pattern.invalidatedAt(slot, key, this.#notes);
    if (invalidatedAt === 0) return;
    pattern.sample.mark(slot, Flag.invalidated, true);
    pattern.ladder.removed(slot, invalidatedAt, true);
    this.#memory?.removed(sample.hashOf(slot));
  }

  #stored(
    access: MutableAccess,
    pattern: FollowedPattern,
    slot: number,
    value: unknown,
    entry: Entry | undefined,
    ttlMs: number,
  ): void {
    access.afterInvalidation = pattern.sample.is(slot, Flag.invalidated);
    access.empty = value === undefined || value === null;
    if (entry !== undefined) {
      pattern.tagged(slot, entry.tags);
      access.bytes = entry.size;
      access.ttlMs = ttlMs;
    }
    pattern.sample.mark(slot, Flag.invalidated, false);
    this.#report(access);
    pattern.sample.reads[slot] = 0;
  }

  /** Returns the track of a key; 0 if the key is not followed. If the sample includes the key, it is followed from now on. */
  #trackOf(key: string, series: Series, at: number): number {
    const hash = this.#hash(key);
    const pattern = this.#patternOf(series, at);
    const known = this.#table.find(hash);
    if (known !== 0) {
      const follows = this.#of(known);
      if (follows === pattern) return this.#promoted(pattern, hash, known);
      // The pattern of the key has changed to a more precise one.
      follows.sample.drop(this.#marks.slotOf(known));
    }
    if (pattern === undefined) return 0;
    const hot = this.#promoted(pattern, hash, 0);
    return hot !== 0 || !pattern.sample.samples(hash) ? hot : this.#follow(pattern, hash, false);
  }

  /** Applies the load of another instance as a check of the value, if it is newer than the last load of this one. */
  #seen(pattern: FollowedPattern, slot: number, digest: number, loadedAt: number): void {
    if (!pattern.ladder.isNews(slot, loadedAt)) return;
    const changed = pattern.changedTo(slot, digest);
    pattern.ladder.seen(slot, loadedAt, changed, pattern.sample.is(slot, Flag.invalidated));
    pattern.sample.mark(slot, Flag.invalidated, false);
  }

  #follow(pattern: FollowedPattern, hash: number, isHot: boolean): number {
    const slot = pattern.sample.take(hash, isHot);
    if (slot === -1) return 0;
    const track = pattern.sample.trackOf(slot);
    pattern.begin(slot, this.#notes, !isHot);
    this.#table.add(hash, track);
    return track;
  }

  /**
   * Updates the hottest keys, and stops following keys that no longer are. A key that has become hot represents only itself from its
   * next examined access on; until then, its accesses count like those of any other key.
   */
  #rank(pattern: FollowedPattern, now: number): void {
    const { sample, hottest } = pattern;
    pattern.rank(
      hottest.ranked().map((key) => this.#hash(key)),
      now,
    );
    for (let slot = 0; slot < sample.used; slot++) {
      if (sample.is(slot, Flag.hot) && sample.follows(slot) && !pattern.staysHot(sample.hashOf(slot)))
        sample.demote(slot);
    }
  }

  /** Returns the track of a key, and moves a hot key to the hottest. */
  #promoted(pattern: FollowedPattern, hash: number, track: number): number {
    if (!pattern.isHot(hash)) return track;
    if (track === 0) return this.#follow(pattern, hash, true);
    pattern.sample.promote(this.#marks.slotOf(track));
    return track;
  }

  /** Initialises the facts about a followed key from its entry. */
  #learn(pattern: FollowedPattern, slot: number, entry: Entry): void {
    pattern.digests[slot] = this.#digest(entry.value);
    pattern.tagged(slot, entry.tags);
    pattern.ladder.known(slot, entry.createdAt);
  }

  #patternOf({ pattern: name }: Series, at: number): FollowedPattern | undefined {
    const known = this.#patterns.get(name);
    known?.ladder.maintain(at);
    if (known !== undefined || this.#patterns.size >= MOST_PATTERNS || name === '' || name === OTHER) return known;
    const pattern: FollowedPattern = new FollowedPattern(name, this.#followed.length, this.#marks, {
      grown: () => undefined,
      dropping: (sample, slot) => {
        this.#settle(pattern, slot, undefined, this.#access.at);
        pattern.ladder.drop(slot, this.#access.at);
        this.#table.remove(sample.hashOf(slot), sample.trackOf(slot));
      },
    });
    if (this.#lateMs > 0) pattern.ladder.exchange(this.#lateMs);
    const restored = this.#restored.get(name);
    if (restored !== undefined) pattern.ladder.restore(restored, at);
    this.#restored.delete(name);
    this.#patterns.set(name, pattern);
    this.#followed.push(pattern);
    return pattern;
  }

  /** Hashes a key. Keeps the last result, because a load and the miss before it have the same key. */
  #hash(key: string): number {
    if (key === this.#hashedKey) return this.#hashed;
    this.#hashedKey = key;
    return (this.#hashed = keyHash(key, this.#options.salt));
  }

  readonly #digest = (stored: unknown): number => {
    const { compare, errors } = this.#options;
    try {
      const value = stored instanceof JsonText ? stored.copy() : stored;
      return valueDigest(compare === undefined ? value : inSameTurn(compare(value), 'insight.compare'));
    } catch (error) {
      errors.failed('listener', 'insight.compare', error);
      return 0;
    }
  };

  #begin(
    kind: AccessKind,
    { name, sample }: FollowedPattern,
    slot: number,
    key: string | undefined,
    at: number,
  ): MutableAccess {
    const access = this.#access;
    access.kind = kind;
    access.pattern = name;
    access.key = key;
    access.hash = sample.hashOf(slot);
    access.weight = sample.weightOf(slot);
    access.at = at;
    access.count = 1;
    access.reason = MissReason.none;
    access.layer = -1;
    access.durationMs = access.bytes = access.ttlMs = 0;
    access.changed = undefined;
    access.afterInvalidation = access.empty = false;
    access.reads = sample.reads[slot]!;
    return access;
  }

  #report(access: TrackedAccess): void {
    for (const listener of this.#listeners) {
      try {
        listener.accessed(access);
      } catch (error) {
        this.#failed(error);
      }
    }
  }

  #failed(error: unknown): void {
    this.#options.errors.failed('listener', 'A listener of accesses', error);
  }
}

/** Returns the TTL of the policy if the entry's own TTL differs only by jitter, otherwise the own TTL. */
function nominal(ownMs: number, ttlMs: number): number {
  return ownMs <= ttlMs && ownMs >= ttlMs / 2 ? ttlMs : ownMs;
}

const FRESH_IN_MEMORY: AccessFacts = { loads: false, keeps: true, loadedAt: 0 };
const OTHER = '__other__';

const KIND_OF: readonly AccessKind[] = [
  AccessKind.hit,
  AccessKind.stale,
  AccessKind.miss,
  AccessKind.coalesced,
  AccessKind.error,
];
