import type { CircuitState, Operation } from '../../cache/observer.js';
import type { Window } from '../snapshot.js';
import type { OverallSum } from './overall-reading.js';
import type { WindowSum } from '../windows/window-sum.js';

/** What statistics are read from: one process' ledger, or several together. A sum is reused: read it before asking for the next. */
export interface LedgerReading {
  readonly patterns: Iterable<{ readonly name: string }>;
  readonly endpoints: Iterable<{ readonly name: string }>;
  /** Nearest first. */
  readonly layers: readonly LayerState[];
  readonly inFlight: number;
  /** All patterns together. */
  overall(window: Window): OverallSum;
  /** As {@link overall}, a few patterns a step, between which figures may move; its sum is the caller's. */
  overallInSteps(window: Window): Generator<void, OverallSum>;
  /** The counters of all patterns together in several windows; cheaper than one by one. */
  countersIn(windows: readonly Window[]): readonly WindowSum[];
  patternIn(name: string, window: Window, countersOnly?: boolean): WindowSum;
  endpointIn(name: string, window: Window): WindowSum;
  operationIn(operation: Operation, window: Window): WindowSum;
  layerIn(name: string, window: Window): WindowSum;
  /** Seconds of a window that were observed. */
  coverageSeconds(window: Window): number;
}

/** How a layer is at this moment. */
export interface LayerState {
  readonly name: string;
  readonly shared: boolean;
  readonly circuit: CircuitState;
  readonly queueDepth: number;
}
