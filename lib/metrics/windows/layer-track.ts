import {
  CircuitState,
  EvictionReason,
  type LayerDescription,
  LayerOperation,
  LayerResult,
} from '../../cache/base/observer.js';
import { Track, TrackShape } from './rotating-track.js';

const RESULTS = Object.keys(LayerResult).length;
const FIRST_EVICTION = Object.keys(LayerOperation).length * RESULTS;
const FIRST_TRANSITION = FIRST_EVICTION + Object.keys(EvictionReason).length;
const FIRST_OTHER = FIRST_TRANSITION + Object.keys(CircuitState).length;

/** Indices of the counters of a layer that belong to no operation. */
export const LayerCount = {
  writesDropped: FIRST_OTHER,
  writesFailed: FIRST_OTHER + 1,
} as const;

const LAYER_COUNTERS = FIRST_OTHER + 2;

/** Index of the histogram of asynchronous writes. It follows the histograms of the operations. */
export const ASYNC_WRITE = Object.keys(LayerOperation).length;
const LAYER_HISTOGRAMS = ASYNC_WRITE + 1;

export function layerOperationAt(operation: LayerOperation, result: LayerResult): number {
  return operation * RESULTS + result;
}

export function evictionAt(reason: EvictionReason): number {
  return FIRST_EVICTION + reason;
}

export function transitionAt(to: CircuitState): number {
  return FIRST_TRANSITION + to;
}

export function layerShape(): TrackShape {
  return new TrackShape(LAYER_COUNTERS, LAYER_HISTOGRAMS);
}

/** The counts and the state of one layer. */
export class LayerTrack {
  readonly name: string;
  /** True if other processes also use the layer. */
  readonly shared: boolean;
  readonly track: Track;
  circuit: CircuitState = CircuitState.closed;
  queueDepth = 0;

  constructor({ name, shared }: LayerDescription, shape: TrackShape, since: number) {
    this.name = name;
    this.shared = shared;
    this.track = new Track(shape, since);
  }
}
