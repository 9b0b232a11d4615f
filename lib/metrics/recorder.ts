import type { CacheLog } from '../cache/base/cache-log.js';
import type { Clock } from '../cache/base/clock.js';
import {
  type BypassReason,
  type CacheObserver,
  type CircuitState,
  type EvictionReason,
  type LayerDescription,
  LayerOperation,
  LayerResult,
  MissReason,
  type NotKept,
  Operation,
  Outcome,
  Result,
  type Series,
  type SeriesOptions,
} from '../cache/base/observer.js';
import { AccessCount, AccessTime, notKeptAt, operationAt, outcomeAt, reasonAt } from './windows/access-track.js';
import { ASYNC_WRITE, evictionAt, LayerCount, layerOperationAt, transitionAt } from './windows/layer-track.js';
import { MetricsState } from './state/metrics-state.js';
import { bucketOf } from './windows/buckets.js';
import { type HitTally, isKept } from './windows/hit-tally.js';
import { type SeriesHandle, Timing } from './recording/series-handle.js';
import { SeriesRegistry } from './recording/series-registry.js';
import type { Track } from './windows/rotating-track.js';

export interface RecorderOptions {
  readonly clock: Clock;
  /** Share of accesses that are timed, 0–1; every access is counted. @default 1 */
  readonly samplingRate?: number;
  /** The most patterns counted separately. @default 100 */
  readonly maxPatterns?: number;
  /** The most endpoints counted separately. @default 100 */
  readonly maxEndpoints?: number;
  /** Returns the pattern of a key that no handler declared. Undefined: the pattern is detected. */
  readonly patternOf?: (key: string) => string | undefined;
  /** Returns numbers from 0 to 1, for sampling. @default Math.random */
  readonly random?: () => number;
  readonly log?: CacheLog;
}

const DEFAULT_LIMIT = 100;
const NO_OPTIONS: SeriesOptions = {};

/**
 * Counts the events of a cache in bounded memory. A hit changes a few cells of one array and allocates nothing.
 *
 * Every access is counted. Of the hits in memory, the share `samplingRate` is timed, and each timed hit gets the weight 1 / rate. The cache
 * measures all other accesses anyway, so all of them are timed. With a rate of 0, nothing is timed.
 */
export class MetricsRecorder implements CacheObserver {
  readonly state: MetricsState;
  readonly #clock: Clock;
  readonly #hits: HitTally;
  readonly #registry: SeriesRegistry;
  readonly #timesLayers: boolean;
  /** Called when a circuit opens or closes. */
  circuitChanged: (() => void) | undefined;

  constructor(options: RecorderOptions) {
    const { clock, samplingRate = 1, maxPatterns = DEFAULT_LIMIT, maxEndpoints = DEFAULT_LIMIT } = options;
    this.#clock = clock;
    this.state = new MetricsState(clock, maxPatterns, maxEndpoints);
    this.#hits = this.state.hits;
    this.#timesLayers = samplingRate > 0;
    const { patternOf, random = Math.random, log } = options;
    this.#registry = new SeriesRegistry(this.state, {
      samplingRate,
      maxPatterns,
      maxEndpoints,
      patternOf,
      random,
      log,
    });
  }

  attach(layers: readonly LayerDescription[]): void {
    this.state.attach(layers);
  }

  series(pattern: string, endpoint?: string, options: SeriesOptions = NO_OPTIONS): Series {
    return this.#registry.series(pattern, endpoint, options);
  }

  /** Counts keys that match a pattern under it, including keys that the application writes or deletes directly. */
  declare(pattern: string): void {
    this.#registry.declare(pattern);
  }

  seriesOf(key: string): Series {
    return this.#registry.seriesOf(key);
  }

  /** Returns the pattern under which a key is counted, unless its handler names another. Counts nothing. */
  patternOf(key: string): string {
    return this.#registry.patternOf(key);
  }

  hit(series: Series, layer: number, startedAt: number): void {
    const handle = series as SeriesHandle;
    const { place, sidePlace, timing } = handle;
    if (place === -1) return;
    if (layer !== 0) return this.#hitBehind(series, layer, startedAt);
    const hits = this.#hits;
    if (!hits.count(place, startedAt)) handle.byPattern!.firstHit(startedAt);
    if (sidePlace !== -1 && !hits.count(sidePlace, startedAt)) handle.bySide!.firstHit(startedAt);
    if (timing === Timing.never) return;
    const weight = timing === Timing.always ? 1 : handle.sampledWeight();
    if (weight === 0) return;
    const ms = this.#clock.now() - startedAt;
    const bucket = bucketOf(ms);
    if (!isKept(bucket)) return handle.timeLong(bucket, ms, weight);
    hits.time(place, bucket, ms, weight);
    if (sidePlace !== -1) hits.time(sidePlace, bucket, ms, weight);
  }

  access(
    series: Series,
    outcome: Outcome,
    layer: number,
    responseMs: number,
    totalMs: number,
    reason: MissReason,
    at = this.#clock.now(),
  ): void {
    const handle = series as SeriesHandle;
    if (handle.track === undefined) return;
    const timed = handle.timing !== Timing.never;
    countAccess(handle.track, at, outcome, reason);
    if (timed) handle.track.histograms[AccessTime.other]!.record(responseMs, 1);
    const side = handle.sideTrack;
    if (side === undefined) return;
    countAccess(side, at, outcome, reason);
    if (!timed) return;
    side.histograms[AccessTime.other]!.record(responseMs, 1);
    side.histograms[AccessTime.waited]!.record(totalMs, 1);
  }

  bypass(series: Series, reason: BypassReason): void {
    if ((series as SeriesHandle).track === undefined) return;
    this.state.bypasses[reason]! += 1;
    this.#count(series, AccessCount.bypass, 1);
  }

  load(series: Series, operation: Operation, result: Result, durationMs: number, at = this.#clock.now()): void {
    const handle = series as SeriesHandle;
    if (handle.track === undefined) return;
    if (result === Result.ok && handle.timing !== Timing.never) {
      handle.byPattern!.loaded(durationMs, at);
      handle.bySide?.loaded(durationMs, at);
    }
    this.operation(series, operation, result, durationMs, 0, at);
  }

  inFlight(change: 1 | -1): void {
    this.state.inFlight += change;
  }

  waitTimeout(series: Series): void {
    this.#count(series, AccessCount.waitTimeout, 1);
  }

  operation(
    series: Series,
    operation: Operation,
    result: Result,
    durationMs: number,
    bytes: number,
    at = this.#clock.now(),
  ): void {
    const handle = series as SeriesHandle;
    const { track, sideTrack } = handle;
    if (track === undefined) return;
    const kept = result === Result.ok && (operation === Operation.set || operation === Operation.warm) ? bytes : 0;
    countOperation(track, at, operation, result, kept);
    if (sideTrack !== undefined) countOperation(sideTrack, at, operation, result, kept);
    this.#operate(operation, result, durationMs, handle.timing !== Timing.never, at);
  }

  invalidation(result: Result, durationMs: number, _removed: number): void {
    this.#operate(Operation.invalidate, result, durationMs, this.#timesLayers, this.#clock.now());
  }

  sizeRejected(series: Series, _bytes: number): void {
    this.#count(series, AccessCount.sizeRejected, 1);
  }

  notKept(series: Series, reason: NotKept): void {
    this.#count(series, notKeptAt(reason), 1);
  }

  layer(
    layer: number,
    operation: LayerOperation,
    result: LayerResult,
    durationMs: number,
    keys: number,
    hits: number,
    at = this.#clock.now(),
  ): void {
    const track = this.#layer(layer, at);
    if (track === undefined) return;
    if (operation === LayerOperation.get && (result === LayerResult.hit || result === LayerResult.miss)) {
      track.counters[layerOperationAt(operation, LayerResult.hit)]! += hits;
      track.counters[layerOperationAt(operation, LayerResult.miss)]! += keys - hits;
    } else track.counters[layerOperationAt(operation, result)]! += result === LayerResult.ok ? keys : 1;
    if (this.#timesLayers && result !== LayerResult.refused) track.histograms[operation]!.record(durationMs, 1);
  }

  evicted(layer: number, reason: EvictionReason, count: number, at = this.#clock.now()): void {
    const track = this.#layer(layer, at);
    if (track !== undefined) track.counters[evictionAt(reason)]! += count;
  }

  circuit(layer: number, state: CircuitState): void {
    const known = this.state.layers[layer];
    if (known === undefined || known.circuit === state) return;
    known.circuit = state;
    this.#layer(layer)!.counters[transitionAt(state)]! += 1;
    this.circuitChanged?.();
  }

  queueDepth(layer: number, depth: number): void {
    const known = this.state.layers[layer];
    if (known !== undefined) known.queueDepth = depth;
  }

  writeDropped(layer: number, count: number): void {
    const track = this.#layer(layer);
    if (track !== undefined) track.counters[LayerCount.writesDropped]! += count;
  }

  asyncWrite(layer: number, result: Result, durationMs: number, keys: number): void {
    const track = this.#layer(layer);
    if (track === undefined) return;
    if (result !== Result.ok) track.counters[LayerCount.writesFailed]! += keys;
    if (this.#timesLayers) track.histograms[ASYNC_WRITE]!.record(durationMs, 1);
  }

  /** Counts a hit of another layer in the same turn like any other access. */
  #hitBehind(series: Series, layer: number, startedAt: number): void {
    const ms = this.#clock.now() - startedAt;
    this.access(series, Outcome.hit, layer, ms, ms, MissReason.none);
    this.layer(layer, LayerOperation.get, LayerResult.hit, ms, 1, 1);
  }

  #count(series: Series, counter: number, by: number): void {
    const { track, sideTrack } = series as SeriesHandle;
    if (track === undefined) return;
    const now = this.#clock.now();
    track.advance(now);
    track.counters[counter]! += by;
    if (sideTrack === undefined) return;
    sideTrack.advance(now);
    sideTrack.counters[counter]! += by;
  }

  #operate(operation: Operation, result: Result, durationMs: number, timed: boolean, at: number): void {
    const track = this.state.operations[operation]!;
    track.advance(at);
    track.counters[result]! += 1;
    if (timed) track.histograms[0]!.record(durationMs, 1);
  }

  #layer(layer: number, at = this.#clock.now()): Track | undefined {
    const known = this.state.layers[layer];
    known?.track.advance(at);
    return known?.track;
  }
}

/** @param bytes the size of a stored value, or 0 if unknown. */
function countOperation(track: Track, at: number, operation: Operation, result: Result, bytes: number): void {
  track.advance(at);
  const { counters } = track;
  counters[operationAt(operation, result)]! += 1;
  if (bytes <= 0) return;
  counters[AccessCount.sized]! += 1;
  counters[AccessCount.bytes]! += Math.round(bytes);
}

function countAccess(track: Track, at: number, outcome: Outcome, reason: MissReason): void {
  track.advance(at);
  track.counters[outcomeAt(outcome)]! += 1;
  if (reason !== MissReason.none) track.counters[reasonAt(reason)]! += 1;
}
