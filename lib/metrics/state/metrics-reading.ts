import type { LayerStatus } from '../../cache/layers/layer.js';
import type { CircuitState, Operation } from '../../cache/base/observer.js';
import type { HistoryBin, HistoryWindow } from '../windows/history.js';
import type { Track } from '../windows/rotating-track.js';
import type { Figures, WindowSum } from '../windows/window-sum.js';
import { SLOT_MS, type Window } from '../windows/window-lengths.js';

/**
 * The source of statistics: the state of one process, or of several together. Every sum except that of {@link overallInSteps} is
 * reused: read it before you request the next.
 */
export interface MetricsReading {
  readonly patterns: Iterable<{ readonly name: string }>;
  readonly endpoints: Iterable<{ readonly name: string }>;
  /** Local layer first. */
  readonly layers: readonly LayerState[];
  readonly inFlight: number;
  /** The totals over all patterns, read a few patterns per step; between two steps figures may change. */
  overallInSteps(window: Window): Generator<void, OverallSum>;
  /** The counters of all patterns together in several windows; costs less than one call per window. */
  countersIn(windows: readonly Window[]): readonly WindowSum[];
  patternIn(name: string, window: Window, countersOnly?: boolean): WindowSum;
  endpointIn(name: string, window: Window): WindowSum;
  operationIn(operation: Operation, window: Window): WindowSum;
  layerIn(name: string, window: Window): WindowSum;
  /** Seconds of a window that were observed. */
  coverageSeconds(window: Window): number;
  /** When counting began. */
  readonly since: number;
  /** All patterns together in a window, bin by bin, one pattern per step. */
  historyInSteps(window: HistoryWindow): Generator<void, readonly HistoryBin[]>;
  /** One pattern in a window, slot by slot; only empty slots for a pattern without accesses. */
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

/** All patterns together in a window. */
export interface OverallSum {
  readonly window: Window;
  readonly sum: WindowSum;
  /** Seconds of the window that were observed. */
  readonly coverageSeconds: number;
}

/**
 * Adds the open slots of patterns to sums that hold their closed slots, each pattern once, over several turns of the event
 * loop. A slot that closes meanwhile is added as it closes: the sums hold the closed slots as they were at the beginning, so
 * nothing is missing and nothing is counted twice.
 */
export class OpenSlots {
  readonly #taken = new Set<Figures>();

  /** @param sumAt returns the sum for the beginning of a slot, milliseconds since the Unix epoch; undefined before the window. */
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

  /** Called when a pattern closes a slot, whose figures are final. */
  closing(slot: number, figures: Figures): void {
    if (this.#taken.has(figures)) return;
    this.#taken.add(figures);
    this.sumAt(slot * SLOT_MS)?.add(figures);
  }
}
