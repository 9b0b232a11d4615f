import type { Clock } from '../cache/clock.js';
import { BypassReason, type LayerDescription, Operation, Result } from '../cache/observer.js';
import { ACCESS_COUNTERS, ACCESS_HISTOGRAMS, AccessTrack } from './access-track.js';
import { Admission } from './admission.js';
import { CombinedTrack } from './combined-track.js';
import { layerShape, LayerTrack } from './layer-track.js';
import type { Window } from './snapshot.js';
import { Track, TrackShape } from './track.js';
import { WindowSum } from './window-sum.js';
import { windowStart } from './windows.js';

/** Everything that is counted, bounded: written by the recorder, read by whoever shows it. */
export class Ledger {
  readonly clock: Clock;
  readonly patterns: Admission<AccessTrack>;
  readonly endpoints: Admission<AccessTrack>;
  /** Methods counted on their own. */
  readonly subjects: Admission<AccessTrack>;
  /** By {@link Operation}; that of `get` stays empty: it is all patterns together. */
  readonly operations: readonly Track[];
  readonly layers: LayerTrack[] = [];
  /** By {@link BypassReason}. */
  readonly bypasses = new Float64Array(Object.keys(BypassReason).length);
  inFlight = 0;
  readonly #combined = new CombinedTrack(ACCESS_COUNTERS, ACCESS_HISTOGRAMS);
  readonly #accessShape = new TrackShape(ACCESS_COUNTERS, ACCESS_HISTOGRAMS);
  readonly #operationShape = new TrackShape(Object.keys(Result).length, 1);
  readonly #layerShape = layerShape();
  readonly #accessSum = new WindowSum(ACCESS_COUNTERS, ACCESS_HISTOGRAMS);
  #since: number;

  constructor(clock: Clock, maxPatterns: number, maxEndpoints: number) {
    this.clock = clock;
    this.#since = clock.now();
    const track = (name: string): AccessTrack => new AccessTrack(name, this.#accessShape, clock.now(), this.#since);
    this.patterns = new Admission(
      maxPatterns,
      (name) =>
        new AccessTrack(name, this.#accessShape, clock.now(), this.#since, (slot, figures) =>
          this.#combined.absorb(slot, figures),
        ),
    );
    this.endpoints = new Admission(maxEndpoints, track);
    this.subjects = new Admission(Math.max(maxEndpoints, maxPatterns), track);
    this.operations = Object.keys(Operation).map(() => new Track(this.#operationShape, this.#since, this.#since));
  }

  /** Since when everything is counted: start, or the last reset. */
  get since(): number {
    return this.#since;
  }

  get series(): number {
    return this.patterns.size + this.endpoints.size + this.subjects.size;
  }

  /** How often a pattern, endpoint or method was counted as `__other__` for want of room. */
  get overflow(): number {
    return this.patterns.turnedAway + this.endpoints.turnedAway + this.subjects.turnedAway;
  }

  attach(layers: readonly LayerDescription[]): void {
    for (const { name } of layers.slice(this.layers.length)) {
      this.layers.push(new LayerTrack(name, this.#layerShape, this.clock.now(), this.#since));
    }
  }

  /** All patterns together in a window. The sum is reused: read it before asking for the next. */
  overall(window: Window, countersOnly = false): WindowSum {
    const now = this.clock.now();
    const sum = this.#accessSum;
    sum.clear();
    const from = window === 'all' ? -Infinity : windowStart(window, now);
    // A slot that is due stays open until its pattern is touched: reading rotates nothing.
    for (const { track } of this.patterns) {
      if (track.slotStart < from) continue;
      track.settle();
      sum.add(track, countersOnly);
    }
    this.#combined.addTo(sum, window, now, countersOnly);
    return sum;
  }

  /** One pattern, endpoint or method in a window. The sum is reused: read it before asking for the next. */
  sumOf({ track }: AccessTrack, window: Window, countersOnly = false): WindowSum {
    const sum = this.#accessSum;
    sum.clear();
    track.addTo(sum, window, this.clock.now(), countersOnly);
    return sum;
  }

  /** An empty sum of the same shape, reused as the others. */
  nothing(): WindowSum {
    this.#accessSum.clear();
    return this.#accessSum;
  }

  operationIn(operation: Operation, window: Window): WindowSum {
    const { sum } = this.#operationShape;
    const now = this.clock.now();
    // Rotating uses the same sum: it comes first.
    this.operations[operation]!.advance(now);
    sum.clear();
    this.operations[operation]!.addTo(sum, window, now);
    return sum;
  }

  layerIn({ track }: LayerTrack, window: Window): WindowSum {
    const { sum } = this.#layerShape;
    const now = this.clock.now();
    track.advance(now);
    sum.clear();
    track.addTo(sum, window, now);
    return sum;
  }

  /** Seconds of a window that were observed by what counts since `since`. */
  coverageSeconds(window: Window, since = this.#since): number {
    const now = this.clock.now();
    const from = window === 'all' ? since : Math.max(since, windowStart(window, now));
    return Math.max(0, Math.round(now - from) / 1000);
  }

  /** Everything to zero; what was admitted keeps its place, what is a state stays. */
  reset(): void {
    const now = this.clock.now();
    this.#since = now;
    for (const tracks of [this.patterns, this.endpoints, this.subjects]) for (const track of tracks) track.reset(now);
    for (const track of this.operations) track.reset(now);
    for (const { track } of this.layers) track.reset(now);
    this.#combined.reset();
    this.bypasses.fill(0);
  }
}
