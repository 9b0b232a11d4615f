import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  bucketOf,
  lowerBound,
  MAX_INDEX,
  MIN_INDEX,
  representative,
  ZERO_BUCKET,
} from '../../lib/metrics/windows/buckets.js';
import { Histogram, HistogramTotal, meanTogether, quantilesTogether } from '../../lib/metrics/windows/histogram.js';

const BOUND = 0.0217;
const durations = fc.double({ min: 0.001, max: 3_600_000 * 8, noNaN: true });

/** The nearest-rank quantile. */
function exact(values: readonly number[], rank: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(1, Math.ceil(rank * sorted.length)) - 1]!;
}

function histogramOf(values: readonly number[]): Histogram {
  const histogram = new Histogram();
  for (const value of values) histogram.record(value, 1);
  return histogram;
}

function contents({ count, zeroCount, maxMs, minMs, counts, offset }: Histogram | HistogramTotal) {
  const buckets = [...counts].flatMap((each, at) => (each === 0 ? [] : [[at + offset, each]]));
  return { count, zeroCount, maxMs, minMs, buckets };
}

describe('a histogram', () => {
  it('a histogram puts every value into the bucket with lower bound < value <= upper bound', () => {
    fc.assert(
      fc.property(durations, (ms) => {
        const bucket = bucketOf(ms);
        expect(ms).toBeGreaterThan(lowerBound(bucket));
        expect(ms).toBeLessThanOrEqual(lowerBound(bucket + 1));
      }),
      { numRuns: 2000 },
    );
  });

  it('a histogram counts a value on a boundary in the bucket below it, as OpenTelemetry does', () => {
    for (let index = MIN_INDEX + 1; index <= MAX_INDEX; index++) {
      const boundary = lowerBound(index);
      expect(bucketOf(boundary)).toBe(index - 1);
      expect(bucketOf(boundary * (1 + 2 ** -40))).toBe(index);
    }
    for (let power = -21; power <= 16; power++) expect(bucketOf(1000 * 2 ** power)).toBe(power * 16 - 1);
  });

  it('a histogram agrees with the logarithm of seconds that defines scale 4', () => {
    fc.assert(
      fc.property(durations, (ms) => {
        const position = Math.log2(ms / 1000) * 16;
        fc.pre(Math.abs(position - Math.round(position)) > 1e-9);
        expect(bucketOf(ms)).toBe(Math.ceil(position) - 1);
      }),
      { numRuns: 2000 },
    );
  });

  it('a histogram represents every value of a bucket with at most 2.17 % error', () => {
    fc.assert(
      fc.property(durations, (ms) => {
        expect(Math.abs(representative(bucketOf(ms)) - ms) / ms).toBeLessThanOrEqual(BOUND);
      }),
      { numRuns: 5000 },
    );
  });

  it('a histogram returns quantiles within 2.17 % of the exact ones', () => {
    fc.assert(
      fc.property(fc.array(durations, { minLength: 1, maxLength: 400 }), (values) => {
        const ranks = [0, 0.5, 0.9, 0.95, 0.99, 1];
        quantilesTogether([histogramOf(values)], ranks).forEach((answer, at) => {
          const right = exact(values, ranks[at]!);
          expect(Math.abs(answer! - right) / right).toBeLessThanOrEqual(BOUND);
        });
      }),
    );
  });

  it('a histogram returns nothing without values, and zero for values too short to measure', () => {
    const histogram = new Histogram();
    expect(quantilesTogether([histogram], [0.5])).toEqual([null]);
    expect(meanTogether([histogram])).toBeNull();
    histogram.record(0, 3);
    expect(bucketOf(0)).toBe(ZERO_BUCKET);
    expect(bucketOf(NaN)).toBe(ZERO_BUCKET);
    expect(quantilesTogether([histogram], [0.5])).toEqual([0]);
    expect(histogram.zeroCount).toBe(3);
  });

  it('a histogram counts values above its range in its last bucket and keeps the maximum', () => {
    const histogram = histogramOf([1e12]);
    expect(histogram.count).toBe(1);
    expect(histogram.maxMs).toBe(1e12);
    expect(histogram.counts.at(-1)).toBe(1);
  });

  it('histograms of parts merge, in any order and grouping, to the histogram of all values', () => {
    const some = fc.array(durations, { maxLength: 100 });
    fc.assert(
      fc.property(some, some, some, (a, b, c) => {
        const left = new HistogramTotal();
        for (const part of [a, b, c]) left.add(histogramOf(part));
        const tail = new HistogramTotal();
        for (const part of [c, b]) tail.add(histogramOf(part));
        const right = new HistogramTotal();
        right.add(tail);
        right.add(histogramOf(a));
        expect(contents(left)).toEqual(contents(right));
        expect(contents(left)).toEqual(contents(histogramOf([...a, ...b, ...c])));
      }),
    );
  });

  it('a histogram counts a weight as that many values', () => {
    fc.assert(
      fc.property(durations, fc.integer({ min: 1, max: 1000 }), (ms, weight) => {
        const histogram = new Histogram();
        histogram.record(ms, weight);
        expect(histogram.count).toBe(weight);
        expect(histogram.sumMs).toBeCloseTo(ms * weight, 3);
      }),
    );
  });
});
