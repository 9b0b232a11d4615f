import { grown } from '../cache/base/grown.js';
import { HottestKeys } from './hottest-keys.js';
import { type InvalidationNotes, tagHash } from './invalidation-notes.js';
import { PatternLadder } from './ttl-ladder.js';
import { Flag, MOST_HOT, PatternSample, type SampleOwner } from './pattern-sample.js';
import type { TrackMarks } from './track-marks.js';

/** The maximum number of tags that are stored for an entry. */
const MOST_TAGS = 4;
/** The number of places that are reserved for the hottest keys of this instance. */
const OWN_HOT = 64;
/** A key of another instance's hottest is dropped after this time without a note, milliseconds. */
const HOT_ELSEWHERE_MS = 120_000;

/** A pattern with its sampled keys, and the facts about their values. */
export class FollowedPattern implements SampleOwner {
  readonly sample: PatternSample;
  readonly hottest = new HottestKeys();
  /** Hashes of the hottest keys, in ascending order. */
  #hot = new Int32Array(0);
  /** Hashes of this instance's hottest keys, hottest first. */
  #ranked: readonly number[] = [];
  /** In a fleet: hashes of the hottest keys of other instances, with the time of the last note. */
  #hotElsewhere: Map<number, number> | undefined;
  readonly ladder: PatternLadder;
  /** Digests of the last values; 0 if unknown. */
  digests: Int32Array;
  /** For each key the order of the last invalidation by tag or glob that it was compared with; allocated with the first. */
  #seen: Uint32Array | undefined;
  /** Hashes of the tags of the last value; allocated for the first value with tags. */
  #tags: Uint16Array | undefined;

  constructor(
    readonly name: string,
    index: number,
    marks: TrackMarks,
    private readonly owner: SampleOwner,
  ) {
    this.sample = new PatternSample(name, index, marks, this);
    this.digests = new Int32Array(this.sample.capacity);
    this.ladder = new PatternLadder(this.sample);
  }

  /** Whether a key is one of the hottest. */
  isHot(hash: number): boolean {
    const hot = this.#hot;
    let from = 0;
    let to = hot.length;
    while (from < to) {
      const middle = (from + to) >> 1;
      if (hot[middle]! < hash) from = middle + 1;
      else to = middle;
    }
    return hot[from] === hash;
  }

  /** Whether a key that is followed as one of the hottest still is one. */
  staysHot(hash: number): boolean {
    return this.#ranked.includes(hash) || this.#hotElsewhere?.has(hash) === true;
  }

  /** @param ranked hashes of the keys with the most requests, the hottest first. */
  rank(ranked: readonly number[], now: number): void {
    this.#ranked = ranked;
    for (const [hash, at] of this.#hotElsewhere ?? []) {
      if (now - at > HOT_ELSEWHERE_MS) this.#hotElsewhere!.delete(hash);
    }
    this.#choose();
  }

  /** Follows a key as one of the hottest, because it is one in another instance. */
  noteHot(hash: number, now: number): void {
    const elsewhere = (this.#hotElsewhere ??= new Map<number, number>());
    const isNew = !elsewhere.has(hash);
    if (isNew && elsewhere.size >= MOST_HOT) return;
    elsewhere.set(hash, now);
    if (isNew) this.#choose();
  }

  /** In a fleet, a third of the places is for keys of other instances. */
  #choose(): void {
    const elsewhere = this.#hotElsewhere;
    const own = this.#ranked.slice(0, elsewhere === undefined ? MOST_HOT : OWN_HOT);
    const all = elsewhere === undefined ? own : [...new Set([...own, ...elsewhere.keys()])].slice(0, MOST_HOT);
    this.#hot = Int32Array.from(all).sort();
  }

  grown(sample: PatternSample): void {
    this.digests = grown(this.digests, new Int32Array(sample.capacity));
    this.ladder.grown();
    if (this.#seen !== undefined) this.#seen = grown(this.#seen, new Uint32Array(sample.capacity));
    if (this.#tags !== undefined) this.#tags = grown(this.#tags, new Uint16Array(sample.capacity * MOST_TAGS));
  }

  dropping(sample: PatternSample, slot: number): void {
    this.owner.dropping(sample, slot);
    this.digests[slot] = 0;
    sample.mark(slot, Flag.invalidated, false);
  }

  /** Returns when a key was last invalidated by a tag, a glob or everything after the last comparison; 0 if it was not. */
  invalidatedAt(slot: number, key: string, notes: InvalidationNotes): number {
    if (notes.order === 0) return 0;
    const seen = (this.#seen ??= new Uint32Array(this.sample.capacity));
    const since = seen[slot]!;
    if (since === notes.order) return 0;
    seen[slot] = notes.order;
    return notes.last(since, key, this.#tags, slot * MOST_TAGS, MOST_TAGS);
  }

  /** Starts to follow a key: earlier invalidations do not concern it. */
  begin(slot: number, notes: InvalidationNotes, isFirst: boolean): void {
    this.sample.mark(slot, Flag.notKept, false);
    this.ladder.begin(slot, isFirst);
    if (notes.order > 0) (this.#seen ??= new Uint32Array(this.sample.capacity))[slot] = notes.order;
  }

  /** Stores the tags of a value. */
  tagged(slot: number, tags: readonly string[]): void {
    if (this.#tags === undefined) {
      if (tags.length === 0) return;
      this.#tags = new Uint16Array(this.sample.capacity * MOST_TAGS);
    }
    for (let at = 0; at < MOST_TAGS; at++) {
      const tag = tags[at];
      this.#tags[slot * MOST_TAGS + at] = tag === undefined ? 0 : tagHash(tag);
    }
  }

  /** Whether a loaded value differs from the one before; undefined if that is unknown. */
  changedTo(slot: number, digest: number): boolean | undefined {
    const before = this.digests[slot]!;
    this.digests[slot] = digest;
    return before === 0 || digest === 0 ? undefined : before !== digest;
  }
}
