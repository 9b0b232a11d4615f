import { responseTimes } from '../reading/statistics.js';
import { AccessTime } from '../windows/access-track.js';
import { HistogramTotal } from '../windows/histogram.js';
import type { OverallSum } from '../reading/overall-reading.js';

/** What is told of all patterns together. */
export interface Overall {
  readonly counters: Float64Array;
  readonly responseTimes: HistogramTotal;
  /** Of hits in memory alone. */
  readonly nearTimes: HistogramTotal;
}

/** A copy: the sum it is read from is reused. */
export function overallOf({ sum }: OverallSum): Overall {
  const nearTimes = new HistogramTotal();
  nearTimes.add(sum.histograms[AccessTime.near]!);
  const all = new HistogramTotal();
  for (const times of responseTimes(sum)) all.add(times);
  return { counters: sum.counters.slice(), responseTimes: all, nearTimes };
}
