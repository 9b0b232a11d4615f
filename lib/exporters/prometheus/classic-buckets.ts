import { lowerBound, MAX_INDEX, MIN_INDEX } from '../../metrics/windows/buckets.js';
import type { HistogramView } from '../../metrics/family.js';

/** Upper bounds of the classic buckets, seconds. */
export const CLASSIC_BOUNDS = [
  0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
] as const;

/** The exponential bucket in which each bound lies, and the share of that bucket below the bound. */
const CUTS = CLASSIC_BOUNDS.map((seconds) => {
  const ms = seconds * 1000;
  let bucket = MIN_INDEX;
  while (bucket < MAX_INDEX && lowerBound(bucket + 1) < ms) bucket++;
  const low = lowerBound(bucket);
  return { le: String(seconds), bucket, below: (ms - low) / (lowerBound(bucket + 1) - low) };
});

/** One classic bucket: how many values are at or below `le` seconds. */
interface ClassicBucket {
  readonly le: string;
  readonly count: number;
}

/**
 * Writes an exponential histogram as cumulative classic buckets, `+Inf` last, to `into`. If a bound lies in an exponential bucket, which is
 * 4.4 % wide, the bucket's count is divided in proportion and rounded down: counts stay whole numbers and never fall.
 */
export function classicCounts(histogram: HistogramView, into: number[]): void {
  const { counts, offset } = histogram;
  let seen = histogram.zeroCount;
  let at = 0;
  for (let bound = 0; bound < CUTS.length; bound++) {
    const { bucket, below } = CUTS[bound]!;
    const end = Math.min(bucket - offset, counts.length);
    for (; at < end; at++) seen += counts[at]!;
    const cut = at === bucket - offset && at < counts.length ? Math.floor(counts[at]! * below) : 0;
    into[bound] = seen + cut;
  }
  into[CUTS.length] = histogram.count;
}

/** Returns the counts of {@link classicCounts} with their bounds. */
export function classicBuckets(histogram: HistogramView): ClassicBucket[] {
  const counts: number[] = [];
  classicCounts(histogram, counts);
  return counts.map((count, at) => ({ le: CUTS[at]?.le ?? '+Inf', count }));
}
