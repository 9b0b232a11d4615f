import type { LayerStatus } from '../../cache/layers/layer.js';
import type { CircuitState, Operation } from '../../cache/base/observer.js';
import type { HistoryBin, HistoryWindow } from '../windows/history.js';
import type { Track } from '../windows/rotating-track.js';
import type { Figures, WindowSum } from '../windows/window-sum.js';
import { SLOT_MS, type Window } from '../windows/window-lengths.js';

/**
 * The source of statistics: the state of one process, or of several as one. Every sum except that of {@link overallInSteps} is reused, so
 * read it before you request the next.
 */
export interface MetricsReading {
  readonly patterns: Iterable<{ readonly name: string }>;
  readonly endpoints: Iterable<{ readonly name: string }>;
  /** The layers; the local layer comes first. */
  readonly layers: readonly LayerState[];
  readonly inFlight: number;
  /** Returns the totals over all patterns. Reads a few patterns per step. Figures may change between two steps. */
  overallInSteps(window: Window): Generator<void, OverallSum>;
  /** Returns the counters of all patterns together in several windows. Costs less than one call per window. */
  countersIn(windows: readonly Window[]): readonly WindowSum[];
  patternIn(name: string, window: Window, countersOnly?: boolean): WindowSum;
  endpointIn(name: string, window: Window): WindowSum;
  operationIn(operation: Operation, window: Window): WindowSum;
  layerIn(name: string, window: Window): WindowSum;
  /** Returns the seconds of a window that were observed. */
  coverageSeconds(window: Window): number;
  /** When counting began. */
  readonly since: number;
  /** Returns all patterns together in the bins of a window. Reads one pattern per step. */
  historyInSteps(window: HistoryWindow): Generator<void, readonly HistoryBin[]>;
  /** Returns one pattern in the slots of a window. For a pattern without accesses, all slots are empty. */
  patternHistoryIn(name: string, window: HistoryWindow): readonly HistoryBin[];
}

/** The current state of a layer. */
export interface LayerState {
  readonly name: string;
  readonly shared: boolean;
  readonly circuit: CircuitState;
  readonly queueDepth: number;
}

/** The part of a layer's status that is exported. */
export type HeldStatus = Pick<
  LayerStatus,
  | 'entries'
  | 'bytes'
  | 'connected'
  | 'failure'
  | 'sweepsPending'
  | 'invalidationsPending'
  | 'busNotSent'
  | 'busUnreachable'
  | 'evictedWorth'
>;

/** The totals over all patterns in a window. */
export interface OverallSum {
  readonly window: Window;
  readonly sum: WindowSum;
  /** Seconds of the window that were observed. */
  readonly coverageSeconds: number;
}

/**
 * Adds the open slots of patterns to sums that hold their closed slots, each pattern once, over several turns of the event loop. A slot
 * that closes during this time is added when it closes. The sums hold the slots that were closed at the beginning, so nothing is missing
 * and nothing is counted twice.
 */
export class OpenSlots {
  readonly #taken = new Set<Figures>();

  /** @param sumAt returns the sum for a slot that begins at this time, milliseconds since the Unix epoch; undefined before the window. */
  constructor(private readonly sumAt: (start: number) => WindowSum | undefined) {}

  /** Adds the open slot of a pattern without closing it. */
  take(track: Track): void {
    if (this.#taken.has(track)) return;
    this.#taken.add(track);
    const sum = this.sumAt(track.slotStart);
    if (sum === undefined) return;
    track.settle();
    sum.add(track);
  }

  /** Adds a slot that a pattern closes. Its figures are final. */
  closing(slot: number, figures: Figures): void {
    if (this.#taken.has(figures)) return;
    this.#taken.add(figures);
    this.sumAt(slot * SLOT_MS)?.add(figures);
  }
}
