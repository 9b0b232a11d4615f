import { MissReason, NotKept, Operation, Outcome, Result } from '../../cache/base/observer.js';
import type { DumpReader, DumpWriter } from '../dumps/dump-bytes.js';
import type { HitTally } from './hit-tally.js';
import { type SlotListener, Track } from './rotating-track.js';
import type { TrackShape } from './rotating-track.js';
import type { Figures } from './window-sum.js';

const RESULTS = Object.keys(Result).length;
const FIRST_OUTCOME = 1;
const FIRST_REASON = FIRST_OUTCOME + Object.keys(Outcome).length;
const FIRST_OPERATION = FIRST_REASON + Object.keys(MissReason).length;
const FIRST_NOT_KEPT = FIRST_OPERATION + Object.keys(Operation).length * RESULTS;
const FIRST_OTHER = FIRST_NOT_KEPT + Object.keys(NotKept).length;

/** Indices of the counters of a pattern, an endpoint or a method. */
export const AccessCount = {
  /** Hits that the first layer answered in the same turn. All other hits are counted as an outcome. */
  localHit: 0,
  bypass: FIRST_OTHER,
  waitTimeout: FIRST_OTHER + 1,
  sizeRejected: FIRST_OTHER + 2,
  /** The number of stored values whose size is known. The next counter is the sum of their bytes. */
  sized: FIRST_OTHER + 3,
  bytes: FIRST_OTHER + 4,
  /** The time that hits saved, microseconds. */
  savedUs: FIRST_OTHER + 5,
} as const;

export const ACCESS_COUNTERS = FIRST_OTHER + 6;

/** Indices of the histograms. */
export const AccessTime = {
  /** Times of hits that the first layer answered in the same turn. Their response time and total time are the same. */
  local: 0,
  /** Response times of all other accesses. */
  other: 1,
  /** Total times of all other accesses, only for endpoints and methods. */
  waited: 2,
  /** Times of successful loads. */
  load: 3,
} as const;

export const ACCESS_HISTOGRAMS = 4;

/** The histograms that patterns have. */
const OF_PATTERNS: readonly number[] = [AccessTime.local, AccessTime.other, AccessTime.load];

export function outcomeAt(outcome: Outcome): number {
  return FIRST_OUTCOME + outcome;
}

export function reasonAt(reason: MissReason): number {
  return FIRST_REASON + reason;
}

export function operationAt(operation: Operation, result: Result): number {
  return FIRST_OPERATION + operation * RESULTS + result;
}

export function notKeptAt(reason: NotKept): number {
  return FIRST_NOT_KEPT + reason;
}

/** The counts of one pattern, endpoint or method. */
export class AccessTrack implements SlotListener {
  readonly name: string;
  readonly track: Track;
  /** The index in the tally, which counts hits in memory first. */
  readonly place: number;
  readonly #tally: HitTally;
  readonly #closed: SlotListener['closed'] | undefined;
  #loads = 0;
  #loadMs = 0;
  /** Hits whose saved time is unknown, because no load has ended yet. */
  #unsaved = 0;
  #savedHits = 0;
  /** The number of series that are counted in this track. */
  users = 0;
  /** True if the counters were exported. Then they must not disappear. */
  exported = false;
  #movedAway: Float64Array | undefined;

  constructor(name: string, shape: TrackShape, since: number, tally: HitTally, closed?: SlotListener['closed']) {
    this.name = name;
    this.place = tally.place();
    this.#tally = tally;
    this.#closed = closed;
    this.track = new Track(shape, since, this);
  }

  /** True if nothing was counted since the start or the last reset. */
  get isEmpty(): boolean {
    this.track.settle();
    return this.track.isEmpty;
  }

  /** Returns a counter for export. It never decreases, even after counts were moved to another pattern. */
  exportedTotalOf(counter: number): number {
    this.exported = true;
    return this.track.totalOf(counter) + (this.#movedAway?.[counter] ?? 0);
  }

  /** Adds the counts of another track. */
  add(other: AccessTrack, now: number): void {
    this.track.add(other.track, now, OF_PATTERNS);
    this.#loads += other.#loads;
    this.#loadMs += other.#loadMs;
    this.#unsaved += other.#unsaved;
    this.#savedHits += other.#savedHits;
  }

  /** Subtracts the counts of another track that counted the same accesses. */
  subtract(other: AccessTrack, now: number): void {
    if (this.exported) {
      const moved = (this.#movedAway ??= new Float64Array(ACCESS_COUNTERS));
      for (let counter = 0; counter < ACCESS_COUNTERS; counter++) moved[counter]! += other.track.totalOf(counter);
    }
    this.track.subtract(other.track, now, OF_PATTERNS);
    this.#loads = Math.max(0, this.#loads - other.#loads);
    this.#loadMs = Math.max(0, this.#loadMs - other.#loadMs);
    this.#unsaved = Math.max(0, this.#unsaved - other.#unsaved);
    this.#savedHits = Math.max(0, this.#savedHits - other.#savedHits);
  }

  /** Counts the first hit in memory of a slot. The tally counts the others. */
  firstHit(startedAt: number): void {
    this.track.advance(startedAt);
    this.#tally.open(this.place, this.track.slotEnd);
    this.#tally.count(this.place, startedAt);
  }

  /** Records a successful load. Later hits save its time. */
  loaded(durationMs: number, at: number): void {
    this.track.advance(at);
    this.track.histograms[AccessTime.load]!.record(durationMs, 1);
    this.settle();
    this.#loads++;
    this.#loadMs += durationMs;
  }

  reset(now: number): void {
    this.track.reset(now);
    this.#tally.empty(this.place);
    this.#loads = this.#loadMs = this.#unsaved = this.#savedHits = 0;
    this.#movedAway = undefined;
  }

  save(dump: DumpWriter): void {
    this.track.save(dump);
    dump.number(this.#loads);
    dump.duration(this.#loadMs);
    dump.number(this.#unsaved);
    dump.number(this.#savedHits);
  }

  restore(dump: DumpReader): void {
    this.track.restore(dump);
    this.#tally.empty(this.place);
    this.#loads = dump.number();
    this.#loadMs = dump.finiteDuration();
    this.#unsaved = dump.number();
    this.#savedHits = dump.number();
  }

  /**
   * Moves the hits of the tally into the open slot and adds the time that they saved. Each hit saves the current mean load time. The sum is
   * not corrected later, so it never decreases.
   */
  settle(): void {
    this.track.counters[AccessCount.localHit]! += this.#tally.take(
      this.place,
      this.track.histograms[AccessTime.local]!,
    );
    const hits = this.#openHits() + this.#unsaved - this.#savedHits;
    if (hits <= 0 || this.#loads === 0) return;
    this.track.counters[AccessCount.savedUs]! += Math.round(((hits * this.#loadMs) / this.#loads) * 1000);
    this.#savedHits += hits;
  }

  closed(slot: number, figures: Figures): void {
    this.#unsaved = this.#openHits() + this.#unsaved - this.#savedHits;
    this.#savedHits = 0;
    this.#closed?.(slot, figures);
  }

  #openHits(): number {
    const { counters } = this.track;
    return (
      counters[AccessCount.localHit]! +
      counters[FIRST_OUTCOME + Outcome.hit]! +
      counters[FIRST_OUTCOME + Outcome.stale]!
    );
  }
}
