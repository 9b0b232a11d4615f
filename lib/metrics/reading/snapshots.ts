import type { HeldStatus } from '../images/layer-status-sum.js';
import { Operation } from '../../cache/observer.js';
import { AccessCount, AccessTime } from '../windows/access-track.js';
import type { LedgerReading } from './ledger-reading.js';
import type { OverallSum } from './overall-reading.js';
import type { PatternCounts } from './ranking.js';
import {
  type CacheStats,
  type EndpointStats,
  type HitRates,
  type LayerStats,
  type OperationStats,
  type PatternStats,
  type Window,
  WINDOWS,
} from '../snapshot.js';
import {
  cacheStats,
  circuitStateNamed,
  endpointStats,
  evictionsIn,
  getStats,
  hitRateOf,
  hitsIn,
  layerStats,
  missesIn,
  operationStats,
  patternStats,
  succeededRateOf,
  type Surroundings,
} from './statistics.js';

/** Takes snapshots of a ledger. */
export class Snapshots {
  readonly #ledger: LedgerReading;
  readonly #status: () => readonly HeldStatus[];

  constructor(ledger: LedgerReading, status: () => readonly HeldStatus[]) {
    this.#ledger = ledger;
    this.#status = status;
  }

  overall({ window, sum, coverageSeconds }: OverallSum): CacheStats {
    const ledger = this.#ledger;
    const status = this.#status();
    return cacheStats(sum, {
      window,
      coverageSeconds,
      operationsInFlight: ledger.inFlight,
      evictions: ledger.layers.reduce(
        (all, layer) => all + evictionsIn(ledger.layerIn(layer.name, window).counters),
        0,
      ),
      invalidations: ledger.operationIn(Operation.invalidate, window).counters.reduce((all, count) => all + count, 0),
      entryCount: status.find(({ entries }) => entries !== null)?.entries ?? null,
      totalSizeBytes: status.find(({ bytes }) => bytes !== null)?.bytes ?? null,
    });
  }

  pattern(pattern: string, window: Window): PatternStats {
    return patternStats(pattern, this.#ledger.patternIn(pattern, window), this.#around(window));
  }

  *patterns(window: Window): IterableIterator<PatternStats> {
    for (const { name } of this.#ledger.patterns) yield this.pattern(name, window);
  }

  /** What patterns are ranked by; cheaper than their statistics. */
  *patternCounts(window: Window): IterableIterator<PatternCounts> {
    for (const { name } of this.#ledger.patterns) {
      const sum = this.#ledger.patternIn(name, window, true);
      yield {
        pattern: name,
        requests: hitsIn(sum.counters) + missesIn(sum.counters),
        hitRate: hitRateOf(sum),
      };
    }
  }

  /** The statistics of some patterns, in the order of their names. */
  *named(patterns: readonly string[], window: Window): IterableIterator<PatternStats> {
    for (const pattern of patterns) yield this.pattern(pattern, window);
  }

  *patternHitRates(): IterableIterator<HitRates['patterns'][number]> {
    for (const { name } of this.#ledger.patterns) {
      const hitRates = rates((window) => hitRateOf(this.#ledger.patternIn(name, window, true)));
      yield Object.freeze({ pattern: name, hitRates });
    }
  }

  hitRates(patterns: HitRates['patterns']): HitRates {
    const counted = this.#ledger.countersIn(WINDOWS);
    const overall = rates((window) => hitRateOf(counted[WINDOWS.indexOf(window)]!));
    const names = Object.keys(Operation) as (keyof typeof Operation)[];
    return Object.freeze({
      overall,
      patterns: Object.freeze(patterns),
      operations: Object.freeze(
        names.map((operation) =>
          Object.freeze({
            operation,
            hitRates:
              operation === 'get'
                ? overall
                : rates((window) => succeededRateOf(this.#ledger.operationIn(Operation[operation], window))),
          }),
        ),
      ),
    });
  }

  *endpoints(window: Window): IterableIterator<EndpointStats> {
    for (const { name } of this.#ledger.endpoints) {
      yield endpointStats(name, this.#ledger.endpointIn(name, window), this.#around(window));
    }
  }

  layers({ window, sum, coverageSeconds }: OverallSum): readonly LayerStats[] {
    const ledger = this.#ledger;
    const status = this.#status();
    const near = { hits: sum.counters[AccessCount.nearHit]!, times: sum.histograms[AccessTime.near]! };
    return Object.freeze(
      ledger.layers.map((layer, at) =>
        layerStats(
          {
            layer: layer.name,
            entryCount: status[at]?.entries ?? null,
            totalSizeBytes: status[at]?.bytes ?? null,
            connected: status[at]?.connected ?? true,
            circuitState: circuitStateNamed(layer.circuit),
            queueDepth: layer.queueDepth,
            window,
            coverageSeconds,
          },
          ledger.layerIn(layer.name, window),
          at === 0 ? near : undefined,
        ),
      ),
    );
  }

  operations({ window, sum, coverageSeconds }: OverallSum): readonly OperationStats[] {
    const names = Object.keys(Operation) as (keyof typeof Operation)[];
    return Object.freeze(
      names.map((name) =>
        name === 'get'
          ? getStats(sum, window, coverageSeconds)
          : operationStats(name, this.#ledger.operationIn(Operation[name], window), window, coverageSeconds),
      ),
    );
  }

  #around(window: Window): Surroundings {
    return {
      window,
      coverageSeconds: this.#ledger.coverageSeconds(window),
      operationsInFlight: 0,
      evictions: 0,
      invalidations: 0,
      entryCount: null,
      totalSizeBytes: null,
    };
  }
}

function rates(of: (window: Window) => number | null): Readonly<Record<Window, number | null>> {
  return Object.freeze(
    Object.fromEntries(WINDOWS.map((window) => [window, of(window)])) as Record<Window, number | null>,
  );
}
