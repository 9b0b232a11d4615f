import { CircuitState, type Operation } from '../../cache/observer.js';
import type { LayerState, LedgerReading } from '../reading/ledger-reading.js';
import type { OverallSum } from '../reading/overall-reading.js';
import { takenAtOnce } from '../reading/portions.js';
import type { Window } from '../snapshot.js';
import { WindowSum } from '../windows/window-sum.js';

/** From harmless to serious. */
const SEVERITY = [CircuitState.closed, CircuitState.halfOpen, CircuitState.open];

/** Several ledgers read as one: figures are added, of states the worst counts. */
export class LedgerSum implements LedgerReading {
  readonly #ledgers: readonly [LedgerReading, ...LedgerReading[]];

  /** @param ledgers one or more. */
  constructor(ledgers: readonly [LedgerReading, ...LedgerReading[]]) {
    this.#ledgers = ledgers;
  }

  get patterns(): { name: string }[] {
    return namesOf(this.#ledgers.map(({ patterns }) => patterns));
  }

  get endpoints(): { name: string }[] {
    return namesOf(this.#ledgers.map(({ endpoints }) => endpoints));
  }

  get layers(): LayerState[] {
    const together = new Map<string, LayerState>();
    for (const { layers } of this.#ledgers) {
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
    return this.#ledgers.reduce((all, { inFlight }) => all + inFlight, 0);
  }

  overall(window: Window): OverallSum {
    return takenAtOnce(this.overallInSteps(window));
  }

  /** One ledger after the other; covered is what the one that observed most of it did. */
  *overallInSteps(window: Window): Generator<void, OverallSum> {
    const [first, ...others] = this.#ledgers;
    const { sum, ...together } = yield* first.overallInSteps(window);
    let { coverageSeconds } = together;
    for (const ledger of others) {
      const overall = yield* ledger.overallInSteps(window);
      sum.add(overall.sum);
      coverageSeconds = Math.max(coverageSeconds, overall.coverageSeconds);
    }
    return { window, sum, coverageSeconds };
  }

  countersIn(windows: readonly Window[]): readonly WindowSum[] {
    const each = this.#ledgers.map((ledger) => ledger.countersIn(windows));
    return windows.map((_, at) => {
      const sum = new WindowSum(each[0]![at]!.counters.length, 0);
      for (const counted of each) sum.add(counted[at]!, true);
      return sum;
    });
  }

  patternIn(name: string, window: Window, countersOnly?: boolean): WindowSum {
    return this.#added((ledger) => ledger.patternIn(name, window, countersOnly));
  }

  endpointIn(name: string, window: Window): WindowSum {
    return this.#added((ledger) => ledger.endpointIn(name, window));
  }

  operationIn(operation: Operation, window: Window): WindowSum {
    return this.#added((ledger) => ledger.operationIn(operation, window));
  }

  layerIn(name: string, window: Window): WindowSum {
    return this.#added((ledger) => ledger.layerIn(name, window));
  }

  /** Of the ledger that observed most of it. */
  coverageSeconds(window: Window): number {
    return this.#ledgers.reduce((most, ledger) => Math.max(most, ledger.coverageSeconds(window)), 0);
  }

  /** A new sum every time: those of the ledgers are theirs to reuse. */
  #added(read: (ledger: LedgerReading) => WindowSum): WindowSum {
    const [first, ...others] = this.#ledgers;
    const one = read(first);
    const sum = new WindowSum(one.counters.length, one.histograms.length);
    sum.add(one);
    for (const ledger of others) sum.add(read(ledger));
    return sum;
  }
}

function namesOf(all: readonly Iterable<{ readonly name: string }>[]): { name: string }[] {
  return [...new Set(all.flatMap((some) => [...some].map(({ name }) => name)))].map((name) => ({ name }));
}

function worse(one: CircuitState, other: CircuitState): CircuitState {
  return SEVERITY.indexOf(one) >= SEVERITY.indexOf(other) ? one : other;
}
