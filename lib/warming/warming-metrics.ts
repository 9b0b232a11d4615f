import { counter, duration, type FamilySource, gauge, type MetricFamily, type MetricPoint } from '../metrics/family.js';
import { Histogram } from '../metrics/windows/histogram.js';
import type { StrategyReport, WarmingResult } from './warming-report.js';

/** The number of strategies that are counted separately; later ones are counted together. */
const MAX_STRATEGIES = 100;
const OVERFLOW = '__other__';

interface StrategyFigures {
  readonly runs: Map<WarmingResult, number>;
  readonly durations: Histogram;
  entries: number;
}

/** Counts the runs and entries of warming since the start, as metric families. */
export class WarmingMetrics implements FamilySource {
  readonly #strategies = new Map<string, StrategyFigures>();

  /** @param efficiencyOf returns the share of a strategy's warmed entries that were hit; null if unknown. */
  constructor(private readonly efficiencyOf: (strategy: string) => number | null) {}

  /** Counts a pass that ended. */
  ran({ strategy, result, keysWarmed, durationMs }: StrategyReport): void {
    if (result === 'running') return;
    const figures = this.#of(strategy);
    figures.runs.set(result, (figures.runs.get(result) ?? 0) + 1);
    figures.durations.record(durationMs, 1);
    figures.entries += keysWarmed;
  }

  /** Counts entries that were warmed without a run. */
  warmed(strategy: string, entries: number): void {
    this.#of(strategy).entries += entries;
  }

  families(): Iterable<MetricFamily> {
    return [
      counter('cache_warming_runs_total', 'Runs of warming strategies, by how they ended', ['strategy', 'result'], () =>
        this.#runs(),
      ),
      counter('cache_warmed_entries_total', 'Entries brought into the cache by warming', ['strategy'], () =>
        this.#points(({ entries }) => ({ value: entries })),
      ),
      duration('cache_warming_duration_seconds', 'How long runs of warming strategies took', ['strategy'], () =>
        this.#points(({ durations }) => (durations.count === 0 ? undefined : { histogram: durations })),
      ),
      gauge(
        'cache_warming_efficiency_ratio',
        'Share of warmed entries that were hit before they expired',
        ['strategy'],
        () =>
          this.#points((_, strategy) => {
            const value = this.efficiencyOf(strategy);
            return value === null ? undefined : { value };
          }),
        { unit: 'ratio' },
      ),
    ];
  }

  *#runs(): Iterable<MetricPoint> {
    for (const [strategy, { runs }] of this.#strategies) {
      for (const [result, value] of runs) yield { labels: [strategy, result], value };
    }
  }

  *#points(
    pointOf: (figures: StrategyFigures, strategy: string) => Omit<MetricPoint, 'labels'> | undefined,
  ): Iterable<MetricPoint> {
    for (const [strategy, figures] of this.#strategies) {
      const point = pointOf(figures, strategy);
      if (point !== undefined) yield { labels: [strategy], ...point };
    }
  }

  #of(strategy: string): StrategyFigures {
    const name = this.#strategies.has(strategy) || this.#strategies.size < MAX_STRATEGIES ? strategy : OVERFLOW;
    let figures = this.#strategies.get(name);
    if (figures === undefined) {
      figures = { runs: new Map(), durations: new Histogram(), entries: 0 };
      this.#strategies.set(name, figures);
    }
    return figures;
  }
}
