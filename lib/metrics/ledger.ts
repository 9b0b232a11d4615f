import type { Clock } from '../cache/clock.js';
import { BypassReason, CircuitState, type LayerDescription, Operation, Result } from '../cache/observer.js';
import { ACCESS_COUNTERS, ACCESS_HISTOGRAMS, AccessTrack } from './windows/access-track.js';
import { Admission } from './recording/admission.js';
import { CombinedTrack } from './windows/combined-track.js';
import { ImageFault, type ImageReader, type ImageWriter } from './images/image-bytes.js';
import { HitTally } from './windows/hit-tally.js';
import { layerShape, LayerTrack } from './windows/layer-track.js';
import type { LedgerReading } from './reading/ledger-reading.js';
import { OverallReading, type OverallSum } from './reading/overall-reading.js';
import { Pauses } from './windows/pauses.js';
import type { Window } from './snapshot.js';
import { Track } from './windows/track.js';
import { TrackShape } from './windows/track-shape.js';
import { WindowSum } from './windows/window-sum.js';
import { windowStart } from './windows/windows.js';

/** More patterns or endpoints than anybody keeps apart. */
const MAX_SUBJECTS = 100_000;
const CIRCUIT_STATES = Object.keys(CircuitState).length;
/** More layers than anybody chains. */
const MAX_LAYERS = 64;

/** Everything that is counted, bounded: written by the recorder, read by whoever shows it. */
export class Ledger implements LedgerReading {
  readonly clock: Clock;
  readonly patterns: Admission<AccessTrack>;
  readonly endpoints: Admission<AccessTrack>;
  /** Methods counted on their own. */
  readonly subjects: Admission<AccessTrack>;
  /** By {@link Operation}; that of `get` stays empty: it is all patterns together. */
  readonly operations: readonly Track[];
  readonly layers: LayerTrack[] = [];
  /** Hits in memory on their way to patterns, endpoints and methods. */
  readonly hits = new HitTally();
  /** By {@link BypassReason}. */
  readonly bypasses = new Float64Array(Object.keys(BypassReason).length);
  inFlight = 0;
  readonly #combined = new CombinedTrack(ACCESS_COUNTERS, ACCESS_HISTOGRAMS);
  readonly #accessShape = new TrackShape(ACCESS_COUNTERS, ACCESS_HISTOGRAMS);
  readonly #operationShape = new TrackShape(Object.keys(Result).length, 1);
  readonly #layerShape = layerShape();
  readonly #accessSum = this.#accessShape.newSum();
  readonly #operationSum = this.#operationShape.newSum();
  readonly #layerSum = this.#layerShape.newSum();
  readonly #pauses = new Pauses();
  /** Of all patterns together, those that are under way. */
  readonly #readings = new Set<OverallReading>();
  #since: number;
  #closings = 0;
  #beginnings = 0;

  constructor(clock: Clock, maxPatterns: number, maxEndpoints: number) {
    this.clock = clock;
    this.#since = clock.now();
    const track = (name: string): AccessTrack => new AccessTrack(name, this.#accessShape, this.#since, this.hits);
    this.patterns = new Admission(
      maxPatterns,
      (name) =>
        new AccessTrack(name, this.#accessShape, this.#since, this.hits, (slot, figures) => {
          this.#closings++;
          for (const reading of this.#readings) reading.closing(slot, figures);
          this.#combined.absorb(slot, figures);
        }),
    );
    this.endpoints = new Admission(maxEndpoints, track);
    this.subjects = new Admission(Math.max(maxEndpoints, maxPatterns), track);
    this.operations = Object.keys(Operation).map(() => new Track(this.#operationShape, this.#since));
  }

  /** Since when everything is counted: start, or the last reset. */
  get since(): number {
    return this.#since;
  }

  /** Grows when figures move from a pattern to all patterns together: an image taken across that would not add up. */
  get closings(): number {
    return this.#closings;
  }

  get series(): number {
    return this.patterns.size + this.endpoints.size + this.subjects.size;
  }

  /** How often a pattern, endpoint or method was counted as `__other__` for want of room. */
  get overflow(): number {
    return this.patterns.turnedAway + this.endpoints.turnedAway + this.subjects.turnedAway;
  }

  attach(layers: readonly LayerDescription[]): void {
    for (const layer of layers.slice(this.layers.length)) {
      this.layers.push(new LayerTrack(layer, this.#layerShape, this.#since));
    }
  }

  /** All patterns together in a window. The sum is reused: read it before asking for the next. */
  overall(window: Window): OverallSum {
    const { reading, overall } = this.#begin(window, this.nothing());
    for (const { track } of this.patterns) reading.add(track);
    return overall;
  }

  /** As {@link overall}, a pattern a step, and of a sum of its own. It begins anew when everything is reset or restored. */
  *overallInSteps(window: Window): Generator<void, OverallSum> {
    for (;;) {
      const beginning = this.#beginnings;
      const { reading, overall } = this.#begin(window, this.#accessShape.newSum());
      this.#readings.add(reading);
      try {
        for (const { track } of this.patterns) {
          if (beginning !== this.#beginnings) break;
          reading.take(track);
          yield;
        }
      } finally {
        this.#readings.delete(reading);
      }
      if (beginning === this.#beginnings) return overall;
    }
  }

  #begin(window: Window, sum: WindowSum): { readonly reading: OverallReading; readonly overall: OverallSum } {
    const now = this.clock.now();
    this.#combined.addTo(sum, window, now);
    const from = window === 'all' ? -Infinity : windowStart(window, now);
    const overall = { window, sum, coverageSeconds: this.coverageSeconds(window) };
    return { reading: new OverallReading(sum, from), overall };
  }

  /** Looks at each pattern once. */
  countersIn(windows: readonly Window[]): readonly WindowSum[] {
    const now = this.clock.now();
    const sums = windows.map((window) => ({
      window,
      from: window === 'all' ? -Infinity : windowStart(window, now),
      sum: new WindowSum(ACCESS_COUNTERS, 0),
    }));
    // Nearly every open slot lies in all of the windows.
    const inAll = new WindowSum(ACCESS_COUNTERS, 0);
    const latest = Math.max(...sums.map(({ from }) => from));
    for (const { track } of this.patterns) {
      track.settle();
      if (track.slotStart >= latest) inAll.add(track, true);
      else for (const { from, sum } of sums) if (track.slotStart >= from) sum.add(track, true);
    }
    for (const { sum, window } of sums) {
      sum.add(inAll);
      this.#combined.addTo(sum, window, now, true);
    }
    return sums.map(({ sum }) => sum);
  }

  /** One pattern in a window, nothing where it was never asked. The sum is reused: read it before asking for the next. */
  patternIn(name: string, window: Window, countersOnly = false): WindowSum {
    return this.#sumOf(this.patterns.find(name)?.track, this.#accessSum, window, countersOnly);
  }

  endpointIn(name: string, window: Window): WindowSum {
    return this.#sumOf(this.endpoints.find(name)?.track, this.#accessSum, window);
  }

  operationIn(operation: Operation, window: Window): WindowSum {
    return this.#sumOf(this.operations[operation], this.#operationSum, window);
  }

  layerIn(name: string, window: Window): WindowSum {
    return this.#sumOf(this.layers.find((layer) => layer.name === name)?.track, this.#layerSum, window);
  }

  /** An empty sum of the shape of patterns, reused as the others. */
  nothing(): WindowSum {
    return this.#sumOf(undefined, this.#accessSum, 'all');
  }

  #sumOf(track: Track | undefined, sum: WindowSum, window: Window, countersOnly = false): WindowSum {
    sum.clear();
    track?.addTo(sum, window, this.clock.now(), countersOnly);
    return sum;
  }

  /** Seconds of a window that were observed by what counts since `since`. */
  coverageSeconds(window: Window, since = this.#since): number {
    const now = this.clock.now();
    const from = window === 'all' ? since : Math.max(since, windowStart(window, now));
    return Math.max(0, Math.round(now - from - this.#pauses.within(from, now)) / 1000);
  }

  /** Everything to zero; what was admitted keeps its place, what is a state stays. */
  reset(): void {
    const now = this.clock.now();
    this.#since = now;
    for (const tracks of [this.patterns, this.endpoints, this.subjects]) for (const track of tracks) track.reset(now);
    for (const track of this.operations) track.reset(now);
    for (const { track } of this.layers) track.reset(now);
    this.#beginAnew();
    this.#combined.reset();
    this.#pauses.clear();
    this.bypasses.fill(0);
  }

  /** Writes everything that is counted, step by step; rotates nothing. */
  *save(image: ImageWriter): IterableIterator<void> {
    image.number(this.#since);
    this.#pauses.save(image);
    image.number(this.inFlight);
    for (const count of this.bypasses) image.number(count);
    for (const track of this.operations) track.save(image);
    image.number(this.layers.length);
    for (const { name, shared, circuit, queueDepth, track } of this.layers) {
      image.text(name);
      image.flag(shared);
      image.number(circuit);
      image.number(queueDepth);
      track.save(image);
    }
    for (const tracks of [this.patterns, this.endpoints, this.subjects]) {
      const members = [...tracks];
      image.number(members.length);
      for (const access of members) {
        image.text(access.name);
        access.save(image);
        yield;
      }
    }
    this.#combined.save(image);
  }

  /**
   * Takes what another ledger had counted when it was saved, at `savedAt`, in place of its own; between then and now nothing
   * was observed. What it has no room or no layer for is left out.
   * @param states takes states too, such as open circuits, and layers that are not attached.
   * @throws ImageFault where it is no image of a ledger; this one is then to be thrown away.
   */
  restore(image: ImageReader, savedAt: number, states: boolean): void {
    this.#beginAnew();
    this.#since = image.number();
    this.#pauses.restore(image);
    if (!states) this.#pauses.add(savedAt, this.clock.now());
    const inFlight = image.number();
    if (states) this.inFlight = inFlight;
    for (let at = 0; at < this.bypasses.length; at++) this.bypasses[at] = image.number();
    for (const track of this.operations) track.restore(image);
    for (let left = image.count(MAX_LAYERS); left > 0; left--) this.#restoreLayer(image, states);
    for (const tracks of [this.patterns, this.endpoints, this.subjects]) {
      for (let left = image.count(MAX_SUBJECTS); left > 0; left--) {
        const name = image.text();
        const admitted = tracks.admit(name);
        const into = admitted.name === name ? admitted : this.#unlisted(name);
        into.restore(image);
      }
    }
    this.#combined.restore(image);
    if (!image.done) throw new ImageFault('It goes on behind its end.');
  }

  /** Whoever reads or writes an image step by step starts over. */
  #beginAnew(): void {
    this.#closings++;
    this.#beginnings++;
  }

  #restoreLayer(image: ImageReader, states: boolean): void {
    const description = { name: image.text(), shared: image.flag() };
    let layer = this.layers.find(({ name }) => name === description.name);
    if (layer === undefined) {
      layer = new LayerTrack(description, this.#layerShape, this.#since);
      if (states) this.layers.push(layer);
    }
    const circuit = image.count(CIRCUIT_STATES - 1) as CircuitState;
    const queueDepth = image.number();
    if (states) {
      layer.circuit = circuit;
      layer.queueDepth = queueDepth;
    }
    layer.track.restore(image);
  }

  /** Takes figures that go nowhere. */
  #unlisted(name: string): AccessTrack {
    return new AccessTrack(name, this.#accessShape, this.#since, new HitTally());
  }
}
