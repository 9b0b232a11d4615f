import { CircuitState, type Operation } from '../../cache/base/observer.js';
import type { HeldStatus, LayerState, MetricsReading, OverallSum } from './metrics-reading.js';
import type { Window } from '../windows/window-lengths.js';
import { type HistoryBin, HistoryBins, type HistoryWindow, slotMsOf } from '../windows/history.js';
import { WindowSum } from '../windows/window-sum.js';

/** The states from the best to the worst. */
const SEVERITY = [CircuitState.closed, CircuitState.halfOpen, CircuitState.open];

/** Reads several states as one. Figures are added; of circuit states, the worst counts. */
export class MetricsStateSum implements MetricsReading {
  constructor(private readonly states: readonly [MetricsReading, ...MetricsReading[]]) {}

  get patterns(): { name: string }[] {
    return namesOf(this.states.map(({ patterns }) => patterns));
  }

  get endpoints(): { name: string }[] {
    return namesOf(this.states.map(({ endpoints }) => endpoints));
  }

  get layers(): LayerState[] {
    const together = new Map<string, LayerState>();
    for (const { layers } of this.states) {
      for (const layer of layers) {
        const known = together.get(layer.name);
        together.set(layer.name, {
          name: layer.name,
          shared: layer.shared,
          circuit: worse(known?.circuit ?? CircuitState.closed, layer.circuit),
          queueDepth: (known?.queueDepth ?? 0) + layer.queueDepth,
        });
      }
    }
    return [...together.values()];
  }

  get inFlight(): number {
    return this.states.reduce((all, { inFlight }) => all + inFlight, 0);
  }

  /** Reads one state after the other. The coverage is the longest of all states. */
  *overallInSteps(window: Window): Generator<void, OverallSum> {
    const [first, ...others] = this.states;
    const { sum, ...together } = yield* first.overallInSteps(window);
    let { coverageSeconds } = together;
    for (const state of others) {
      const overall = yield* state.overallInSteps(window);
      sum.add(overall.sum);
      coverageSeconds = Math.max(coverageSeconds, overall.coverageSeconds);
    }
    return { window, sum, coverageSeconds };
  }

  countersIn(windows: readonly Window[]): readonly WindowSum[] {
    const each = this.states.map((state) => state.countersIn(windows));
    return windows.map((_, at) => {
      const sum = new WindowSum(each[0]![at]!.counters.length, 0);
      for (const counted of each) sum.add(counted[at]!, true);
      return sum;
    });
  }

  patternIn(name: string, window: Window, countersOnly?: boolean): WindowSum {
    return this.#added((state) => state.patternIn(name, window, countersOnly));
  }

  endpointIn(name: string, window: Window): WindowSum {
    return this.#added((state) => state.endpointIn(name, window));
  }

  operationIn(operation: Operation, window: Window): WindowSum {
    return this.#added((state) => state.operationIn(operation, window));
  }

  layerIn(name: string, window: Window): WindowSum {
    return this.#added((state) => state.layerIn(name, window));
  }

  /** Returns the longest coverage of all states. */
  coverageSeconds(window: Window): number {
    return this.states.reduce((most, state) => Math.max(most, state.coverageSeconds(window)), 0);
  }

  /** The earliest start of all states. */
  get since(): number {
    return this.states.reduce((earliest, { since }) => Math.min(earliest, since), Infinity);
  }

  /** Returns bins as long as slots, which all states have. Finer bins exist only for the totals of one process. */
  *historyInSteps(window: HistoryWindow): Generator<void, readonly HistoryBin[]> {
    const histories: (readonly HistoryBin[])[] = [];
    for (const state of this.states) histories.push(yield* state.historyInSteps(window));
    return merged(histories, window);
  }

  patternHistoryIn(name: string, window: HistoryWindow): readonly HistoryBin[] {
    return merged(
      this.states.map((state) => state.patternHistoryIn(name, window)),
      window,
    );
  }

  /** Returns a new sum every time, because the sums of the states are reused. */
  #added(read: (state: MetricsReading) => WindowSum): WindowSum {
    const [first, ...others] = this.states;
    const one = read(first);
    const sum = new WindowSum(one.counters.length, one.histograms.length);
    sum.add(one);
    for (const state of others) sum.add(read(state));
    return sum;
  }
}

function merged(histories: readonly (readonly HistoryBin[])[], window: HistoryWindow): readonly HistoryBin[] {
  const { counters, histograms } = histories.flat()[0]!.sum;
  const newSum = () => new WindowSum(counters.length, histograms.length);
  const slotMs = slotMsOf(window);
  const bins = new HistoryBins(newSum, -Infinity, slotMs);
  for (const history of histories) bins.add(history);
  return bins.list(Infinity, 0);
}

function namesOf(all: readonly Iterable<{ readonly name: string }>[]): { name: string }[] {
  return [...new Set(all.flatMap((some) => [...some].map(({ name }) => name)))].map((name) => ({ name }));
}

function worse(one: CircuitState, other: CircuitState): CircuitState {
  return SEVERITY.indexOf(one) >= SEVERITY.indexOf(other) ? one : other;
}

/** The layers of one process and their status, in the same order. */
interface HeldLayers {
  readonly layers: readonly { readonly name: string }[];
  readonly status: readonly HeldStatus[];
}

/**
 * Merges the status of the layers of several processes. Counts of local layers are added; those of shared layers are the same for all
 * processes. A layer is connected if it is in every process. Pending sweeps and invalidations are added, because each process finishes its
 * own.
 */
export function statusTogether(layers: readonly LayerState[], processes: readonly HeldLayers[]): HeldStatus[] {
  return layers.map(({ name, shared }) => {
    const own = processes.flatMap((process) => {
      const at = process.layers.findIndex((layer) => layer.name === name);
      return process.status[at] ?? [];
    });
    const held = (read: (status: HeldStatus) => number | null): number | null => {
      const known = own.map(read).filter((value) => value !== null);
      if (known.length === 0) return null;
      return shared ? Math.max(...known) : known.reduce((sum, value) => sum + value, 0);
    };
    // Only this process has it, because others do not send theirs.
    const failure = own.find((status) => status.failure !== undefined)?.failure;
    return {
      entries: held(({ entries }) => entries),
      bytes: held(({ bytes }) => bytes),
      connected: own.every(({ connected }) => connected),
      ...(failure !== undefined && { failure }),
      sweepsPending: own.reduce((sum, { sweepsPending = 0 }) => sum + sweepsPending, 0),
      invalidationsPending: own.reduce((sum, { invalidationsPending = 0 }) => sum + invalidationsPending, 0),
      busNotSent: own.some(({ busNotSent }) => busNotSent === true),
      busUnreachable: own.some(({ busUnreachable }) => busUnreachable === true),
    };
  });
}
