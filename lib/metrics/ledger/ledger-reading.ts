import type { LayerStatus } from '../../cache/layers/layer.js';
import type { CircuitState, Operation } from '../../cache/base/observer.js';
import type { HistoryBin, HistoryWindow } from '../windows/history.js';
import type { Track } from '../windows/track.js';
import type { Figures, WindowSum } from '../windows/window-sum.js';
import { SLOT_MS, type Window } from '../windows/windows.js';

/**
 * What statistics are read from: the ledger of one process, or of several together. Except that of {@link overallInSteps}, a sum is
 * reused: read it before you ask for the next.
 */
export interface LedgerReading {
  readonly patterns: Iterable<{ readonly name: string }>;
  readonly endpoints: Iterable<{ readonly name: string }>;
  /** Nearest first. */
  readonly layers: readonly LayerState[];
  readonly inFlight: number;
  /** All patterns together, a few a step; between two steps figures may change. */
  overallInSteps(window: Window): Generator<void, OverallSum>;
  /** The counters of all patterns together in several windows; costs less than one window after the other. */
  countersIn(windows: readonly Window[]): readonly WindowSum[];
  patternIn(name: string, window: Window, countersOnly?: boolean): WindowSum;
  endpointIn(name: string, window: Window): WindowSum;
  operationIn(operation: Operation, window: Window): WindowSum;
  layerIn(name: string, window: Window): WindowSum;
  /** Seconds of a window that were observed. */
  coverageSeconds(window: Window): number;
  /** Since when everything is counted. */
  readonly since: number;
  /** All patterns together in a window, bin by bin, a pattern a step. */
  historyInSteps(window: HistoryWindow): Generator<void, readonly HistoryBin[]>;
  /** One pattern in a window, slot by slot; nothing but empty slots where it was never asked. */
  patternHistoryIn(name: string, window: HistoryWindow): readonly HistoryBin[];
}

/** How a layer is at this moment. */
export interface LayerState {
  readonly name: string;
  readonly shared: boolean;
  readonly circuit: CircuitState;
  readonly queueDepth: number;
}

/** The part of a layer's status that is shown. */
export type HeldStatus = Pick<
  LayerStatus,
  | 'entries'
  | 'bytes'
  | 'connected'
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
 * Adds the open slots of patterns to sums that hold their closed ones, each pattern once, in as many turns of the event loop as
 * it takes. A slot that closes meanwhile is added as it closes: the sums hold the closed slots as they were at the beginning, so
 * nothing is missing and nothing is counted twice.
 */
export class OpenSlots {
  readonly #taken = new Set<Figures>();

  /** @param sumAt the sum that a slot belongs to by its beginning, milliseconds since the Unix epoch; undefined before the window. */
  constructor(private readonly sumAt: (start: number) => WindowSum | undefined) {}

  /** Adds the open slot of a pattern, however old: reading rotates nothing. */
  take(track: Track): void {
    if (this.#taken.has(track)) return;
    this.#taken.add(track);
    const sum = this.sumAt(track.slotStart);
    if (sum === undefined) return;
    track.settle();
    sum.add(track);
  }

  /** Called when a pattern closes a slot, whose figures are settled. */
  closing(slot: number, figures: Figures): void {
    if (this.#taken.has(figures)) return;
    this.#taken.add(figures);
    this.sumAt(slot * SLOT_MS)?.add(figures);
  }
}
