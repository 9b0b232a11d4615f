import type { MetricFamily } from '../../metrics/family.js';
import { classicBuckets } from './classic-buckets.js';

/** One sample of a family in the classic format: what a line of the exposition says, before it is text. */
export interface PrometheusSample {
  /** The family's own name, or that with `_bucket`, `_sum`, `_count`; left out where it is the family's own. */
  readonly metricName?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Every sample of a family under its full name; histograms as cumulative buckets, in seconds. */
export function* samplesOf(family: MetricFamily, name: string): Iterable<PrometheusSample> {
  for (const point of family.points()) {
    const labels = Object.fromEntries(family.labelNames.map((label, index) => [label, point.labels[index] ?? '']));
    if (point.histogram === undefined) {
      yield { labels, value: point.value ?? 0 };
      continue;
    }
    // Read before the first is told: who takes them may rest in between, and the histogram may be counted in meanwhile.
    const { sumMs, count: all } = point.histogram;
    for (const { le, count } of classicBuckets(point.histogram)) {
      yield { metricName: `${name}_bucket`, labels: { ...labels, le }, value: count };
    }
    yield { metricName: `${name}_sum`, labels, value: sumMs / 1000 };
    yield { metricName: `${name}_count`, labels, value: all };
  }
}
