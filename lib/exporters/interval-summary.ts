import type { HistogramView } from '../metrics/family.js';
import { mean, quantiles } from '../metrics/windows/histogram.js';

/** The figures of one interval's histogram that receivers without histograms are given, milliseconds. */
export function intervalSummary(histogram: HistogramView): readonly (readonly [name: string, ms: number])[] {
  const [p50, p95, p99] = quantiles(histogram, [0.5, 0.95, 0.99]) as (number | null)[];
  return [
    ['avg', mean(histogram) ?? 0],
    ['p50', p50 ?? 0],
    ['p95', p95 ?? 0],
    ['p99', p99 ?? 0],
    ['max', histogram.maxMs],
  ];
}
