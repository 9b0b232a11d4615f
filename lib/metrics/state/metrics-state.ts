import { runAtOnce } from '../../cache/base/slices.js';
import type { Clock } from '../../cache/base/clock.js';
import { BypassReason, CircuitState, type LayerDescription, Operation, Result } from '../../cache/base/observer.js';
import { ACCESS_COUNTERS, ACCESS_HISTOGRAMS, AccessTrack } from '../windows/access-track.js';
import { BoundedRegistry } from './bounded-registry.js';
import { CombinedTrack } from '../windows/combined-track.js';
import { DumpFault, type DumpReader, type DumpWriter } from '../dumps/dump-bytes.js';
import { type HistoryBin, HistoryBins, type HistoryWindow, OverallHistory, slotMsOf } from '../windows/history.js';
import { HitTally } from '../windows/hit-tally.js';
import { layerShape, LayerTrack } from '../windows/layer-track.js';
import { type MetricsReading, OpenSlots, type OverallSum } from './metrics-reading.js';
import { Pauses } from './pauses.js';
import type { Window } from '../windows/window-lengths.js';
import { Track, TrackShape } from '../windows/rotating-track.js';
import { type Figures, WindowSum } from '../windows/window-sum.js';
import { windowStart } from '../windows/window-lengths.js';

/** The most patterns, endpoints or methods in a dump. The memory that a restore takes is proportional to them. */
const MAX_SUBJECTS = 10_000;
const CIRCUIT_STATES = Object.keys(CircuitState).length;
/** The most layers in a dump. */
const MAX_LAYERS = 64;

/** All counts, in bounded memory. The recorder writes them; statistics and exporters read them. */
export class MetricsState implements MetricsReading {
  readonly clock: Clock;
  readonly patterns: BoundedRegistry<AccessTrack>;
  readonly endpoints: BoundedRegistry<AccessTrack>;
  /** Methods with separate counts. */
  readonly subjects: BoundedRegistry<AccessTrack>;
  /**
   * The tracks of operations, by {@link Operation}. The track of `get` stays empty, because its counts are the totals over all patterns.
   */
  readonly operations: readonly Track[];
  readonly layers: LayerTrack[] = [];
  /** Hits in memory that are not yet added to patterns, endpoints and methods. */
  readonly hits = new HitTally();
  /** The counts of bypasses, by {@link BypassReason}. */
  readonly bypasses = new Float64Array(Object.keys(BypassReason).length);
  inFlight = 0;
  readonly #combined = new CombinedTrack(ACCESS_COUNTERS, ACCESS_HISTOGRAMS);
  readonly #history = new OverallHistory(ACCESS_COUNTERS, ACCESS_HISTOGRAMS);
  readonly #accessShape = new TrackShape(ACCESS_COUNTERS, ACCESS_HISTOGRAMS);
  readonly #operationShape = new TrackShape(Object.keys(Result).length, 1);
  readonly #layerShape = layerShape();
  readonly #accessSum = this.#accessShape.newSum();
  readonly #operationSum = this.#operationShape.newSum();
  readonly #layerSum = this.#layerShape.newSum();
  readonly #pauses = new Pauses();
  /** The readings of the totals that run at the moment. */
  readonly #readings = new Set<OpenSlots>();
  /** Tracks that duplicate a part of a pattern's counts. That part may move to another pattern. */
  readonly #apart: AccessTrack[] = [];
  #since: number;
  #closings = 0;
  #beginnings = 0;

  constructor(clock: Clock, maxPatterns: number, maxEndpoints: number) {
    this.clock = clock;
    this.#since = clock.now();
    const track = (name: string): AccessTrack => new AccessTrack(name, this.#accessShape, this.#since, this.hits);
    const closed = (slot: number, figures: Figures): void => {
      this.#closings++;
      for (const reading of this.#readings) reading.closing(slot, figures);
      this.#combined.absorb(slot, figures);
      this.#history.absorb(slot, figures);
    };
    this.patterns = new BoundedRegistry(
      maxPatterns,
      (name) => new AccessTrack(name, this.#accessShape, this.#since, this.hits, closed),
    );
    this.endpoints = new BoundedRegistry(maxEndpoints, track);
    this.subjects = new BoundedRegistry(Math.max(maxEndpoints, maxPatterns), track);
    this.operations = Object.keys(Operation).map(() => new Track(this.#operationShape, this.#since));
  }

  /** When counting began: at the start, or at the last reset. */
  get since(): number {
    return this.#since;
  }

  /**
   * Increases when figures move from a pattern to the totals over all patterns. A dump written during such a move would be inconsistent.
   */
  get closings(): number {
    return this.#closings;
  }

  get series(): number {
    return this.patterns.size + this.endpoints.size + this.subjects.size;
  }

  /** How often a pattern, endpoint or method was counted as `__other__` because of the limit. */
  get overflow(): number {
    return this.patterns.overflowCount + this.endpoints.overflowCount + this.subjects.overflowCount;
  }

  /** Creates a track for counts that are also counted under a pattern, until it is known to which pattern they belong. */
  apart(): AccessTrack {
    const track = new AccessTrack('', this.#accessShape, this.#since, this.hits);
    this.#apart.push(track);
    return track;
  }

  /** Moves the counts of a separate track from one pattern to another. */
  move(apart: AccessTrack, from: AccessTrack, to: AccessTrack): void {
    const now = this.clock.now();
    to.add(apart, now);
    from.subtract(apart, now);
    this.#beginAnew();
  }

  /** Removes a pattern in which no series is counted, which has no counts and which was never exported. */
  dropUnused(pattern: AccessTrack): void {
    if (pattern.users === 0 && !pattern.exported && pattern.isEmpty) {
      this.patterns.remove(pattern.name);
      this.hits.release(pattern.place);
    }
  }

  attach(layers: readonly LayerDescription[]): void {
    for (const layer of layers.slice(this.layers.length)) {
      this.layers.push(new LayerTrack(layer, this.#layerShape, this.#since));
    }
  }

  /** Returns the totals over all patterns in a window. Reads one pattern per step. Starts again after a reset or restore. */
  overallInSteps(window: Window): Generator<void, OverallSum> {
    return this.#withOpenSlots((now) => {
      const sum = this.#accessShape.newSum();
      this.#combined.addTo(sum, window, now);
      const from = window === 'all' ? -Infinity : windowStart(window, now);
      const coverageSeconds = this.coverageSeconds(window);
      return {
        sumAt: (start) => (start < from ? undefined : sum),
        result: () => ({ window, sum, coverageSeconds }),
      };
    });
  }

  /** Returns the same totals as {@link overallInSteps}, in bins. */
  historyInSteps(window: HistoryWindow): Generator<void, readonly HistoryBin[]> {
    return this.#withOpenSlots((now) => {
      const bins = this.#history.binsIn(window, now, this.#combined);
      return { sumAt: (start) => bins.at(start), result: () => bins.list(this.#since, now) };
    });
  }

  patternHistoryIn(name: string, window: HistoryWindow): readonly HistoryBin[] {
    const now = this.clock.now();
    const bins = new HistoryBins(() => this.#accessShape.newSum(), windowStart(window, now), slotMsOf(window));
    this.patterns.find(name)?.track.addEachTo(bins, window, now);
    return bins.list(this.#since, now);
  }

  /**
   * Reads closed and open slots. @param begin reads the closed slots synchronously. The open slots are added after it, one pattern per
   * step.
   */
  *#withOpenSlots<T>(
    begin: (now: number) => { sumAt: (start: number) => WindowSum | undefined; result: () => T },
  ): Generator<void, T> {
    for (;;) {
      const beginning = this.#beginnings;
      const { sumAt, result } = begin(this.clock.now());
      const reading = new OpenSlots(sumAt);
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
      if (beginning === this.#beginnings) return result();
    }
  }

  /** Visits each pattern once. */
  countersIn(windows: readonly Window[]): readonly WindowSum[] {
    const now = this.clock.now();
    const sums = windows.map((window) => ({
      window,
      from: window === 'all' ? -Infinity : windowStart(window, now),
      sum: new WindowSum(ACCESS_COUNTERS, 0),
    }));
    // Nearly every open slot lies in all windows, so add these slots once.
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

  /** Returns one pattern in a window; empty for a pattern without accesses. The sum is reused, so read it before you request the next. */
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

  /** Returns an empty sum with the counters of patterns. It is reused, too. */
  nothing(): WindowSum {
    return this.#sumOf(undefined, this.#accessSum, 'all');
  }

  #sumOf(track: Track | undefined, sum: WindowSum, window: Window, countersOnly = false): WindowSum {
    sum.clear();
    track?.addTo(sum, window, this.clock.now(), countersOnly);
    return sum;
  }

  /** Returns the seconds of a window that were observed after `since`. */
  coverageSeconds(window: Window, since = this.#since): number {
    const now = this.clock.now();
    const from = window === 'all' ? since : Math.max(since, windowStart(window, now));
    return Math.max(0, Math.round(now - from - this.#pauses.within(from, now)) / 1000);
  }

  /** Sets all counts to zero. Names and states stay. */
  reset(): void {
    const now = this.clock.now();
    this.#since = now;
    for (const tracks of [this.patterns, this.endpoints, this.subjects]) for (const track of tracks) track.reset(now);
    for (const track of this.#apart) track.reset(now);
    for (const track of this.operations) track.reset(now);
    for (const { track } of this.layers) track.reset(now);
    this.#beginAnew();
    this.#combined.reset();
    this.#history.clear();
    this.#pauses.clear();
    this.bypasses.fill(0);
  }

  /** Writes all counts in steps. Closes no slots. */
  *save(dump: DumpWriter): IterableIterator<void> {
    dump.number(this.#since);
    this.#pauses.save(dump);
    dump.number(this.inFlight);
    for (const count of this.bypasses) dump.number(count);
    for (const track of this.operations) track.save(dump);
    dump.number(this.layers.length);
    for (const { name, shared, circuit, queueDepth, track } of this.layers) {
      dump.text(name);
      dump.flag(shared);
      dump.number(circuit);
      dump.number(queueDepth);
      track.save(dump);
    }
    for (const tracks of [this.patterns, this.endpoints, this.subjects]) {
      const members = [...tracks];
      if (members.length > MAX_SUBJECTS) {
        throw new DumpFault(`The dump has more than ${MAX_SUBJECTS} patterns or endpoints. Lower metrics.maxPatterns.`);
      }
      dump.number(members.length);
      for (const access of members) {
        dump.text(access.name);
        access.save(dump);
        yield;
      }
    }
    this.#combined.save(dump);
  }

  /**
   * Restores the counts of another `MetricsState`, saved at `savedAt`. They replace the counts of this one. The time from then to now
   * counts as not observed. Patterns beyond the limit and unknown layers are left out.
   * @param states true also restores states, such as open circuits, and layers that are not attached.
   * @throws DumpFault for bytes that are not a dump of metrics. Discard this object then.
   */
  restore(dump: DumpReader, savedAt: number, states: boolean): void {
    runAtOnce(this.restoreInSteps(dump, savedAt, states));
  }

  /** Restores counts as {@link restore} does, one pattern per step. */
  *restoreInSteps(dump: DumpReader, savedAt: number, states: boolean): Generator<void, void> {
    this.#beginAnew();
    this.#since = dump.time();
    this.#pauses.restore(dump);
    if (!states) this.#pauses.add(savedAt, this.clock.now());
    const inFlight = dump.number();
    if (states) this.inFlight = inFlight;
    for (let at = 0; at < this.bypasses.length; at++) this.bypasses[at] = dump.number();
    for (const track of this.operations) track.restore(dump);
    for (let left = dump.count(MAX_LAYERS); left > 0; left--) this.#restoreLayer(dump, states);
    for (const tracks of [this.patterns, this.endpoints, this.subjects]) {
      for (let left = dump.count(MAX_SUBJECTS); left > 0; left--) {
        const name = dump.text();
        const admitted = tracks.admit(name);
        const into = admitted.name === name ? admitted : this.#unlisted(name);
        into.restore(dump);
        yield;
      }
    }
    // The restored patterns do not include the earlier counts of these tracks.
    for (const track of this.#apart) track.reset(this.#since);
    this.#combined.restore(dump);
    this.#history.clear(this.clock.now());
    if (!dump.done) throw new DumpFault('It has bytes after its end.');
  }

  /** Makes running readings and dumps start again. */
  #beginAnew(): void {
    this.#closings++;
    this.#beginnings++;
  }

  #restoreLayer(dump: DumpReader, states: boolean): void {
    const description = { name: dump.text(), shared: dump.flag() };
    let layer = this.layers.find(({ name }) => name === description.name);
    if (layer === undefined) {
      layer = new LayerTrack(description, this.#layerShape, this.#since);
      if (states) this.layers.push(layer);
    }
    const circuit = dump.count(CIRCUIT_STATES - 1) as CircuitState;
    const queueDepth = dump.number();
    if (states) {
      layer.circuit = circuit;
      layer.queueDepth = queueDepth;
    }
    layer.track.restore(dump);
  }

  /** Returns a track whose counts are discarded. */
  #unlisted(name: string): AccessTrack {
    return new AccessTrack(name, this.#accessShape, this.#since, new HitTally());
  }
}
