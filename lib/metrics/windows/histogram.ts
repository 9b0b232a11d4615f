import { BUCKETS, bucketOf, MIN_INDEX, representative, ZERO_BUCKET } from './buckets.js';

/**
 * A base-2 exponential histogram with 16 buckets per octave: OpenTelemetry's exponential histogram of scale 4, and Prometheus' native
 * schema 4. Bucket `i` counts values in (2^(i/16), 2^((i+1)/16)] **seconds**. Sum, minimum and maximum are milliseconds.
 */
export interface HistogramView {
  readonly scale: 4;
  /** Index of the first bucket in `counts`. */
  readonly offset: number;
  readonly counts: Readonly<Uint32Array | Float64Array>;
  /** The number of values that are zero or below the first bucket. */
  readonly zeroCount: number;
  readonly count: number;
  readonly sumMs: number;
  readonly minMs: number;
  readonly maxMs: number;
}

/** The number of buckets that are added at a time: two octaves. */
const CHUNK = 32;

/** Shared by all empty histograms. */
const NO_COUNTS = new Uint32Array(0);
const NO_SUMS = new Float64Array(0);

/**
 * Counts durations in milliseconds in base-2 exponential buckets, 16 per octave. Its range grows with its values. Recording is integer work
 * and allocates only if the range grows.
 */
export class Histogram implements HistogramView {
  readonly scale = 4;
  offset = 0;
  counts = NO_COUNTS;
  zeroCount = 0;
  count = 0;
  sumMs = 0;
  minMs = Infinity;
  maxMs = 0;

  /** @param weight how many values this one represents, a whole number. */
  record(ms: number, weight: number): void {
    this.recordIn(bucketOf(ms), ms, weight);
  }

  /** Records a value as {@link record} does, with a known bucket. */
  recordIn(bucket: number, ms: number, weight: number): void {
    const at = bucket - this.offset;
    if (at >= 0 && at < this.counts.length) this.counts[at]! += weight;
    else if (bucket === ZERO_BUCKET) this.zeroCount += weight;
    else {
      this.#include(bucket);
      this.counts[bucket - this.offset]! += weight;
    }
    this.count += weight;
    if (ms > 0) this.sumMs += ms * weight;
    if (ms < this.minMs) this.minMs = ms > 0 ? ms : 0;
    if (ms > this.maxMs) this.maxMs = ms;
  }

  /** Adds the values of another histogram. */
  merge(other: Omit<HistogramView, 'scale' | 'count'>): void {
    const { counts, offset } = other;
    this.zeroCount += other.zeroCount;
    this.count += other.zeroCount;
    for (let at = 0; at < counts.length; at++) {
      const count = counts[at]!;
      if (count === 0) continue;
      const bucket = offset + at;
      if (bucket < this.offset || bucket >= this.offset + this.counts.length) this.#include(bucket);
      this.counts[bucket - this.offset]! += count;
      this.count += count;
    }
    this.sumMs += other.sumMs;
    if (other.minMs < this.minMs) this.minMs = other.minMs;
    if (other.maxMs > this.maxMs) this.maxMs = other.maxMs;
  }

  /** Removes all values and keeps the range. */
  clear(): void {
    if (this.count === 0) return;
    this.counts.fill(0);
    this.zeroCount = 0;
    this.count = 0;
    this.sumMs = 0;
    this.minMs = Infinity;
    this.maxMs = 0;
  }

  /** Replaces the values by those of another histogram. */
  restore(other: HistogramView): void {
    this.counts = new Uint32Array(other.counts);
    this.offset = other.offset;
    this.zeroCount = other.zeroCount;
    this.count = other.count;
    this.sumMs = other.sumMs;
    this.minMs = other.minMs;
    this.maxMs = other.maxMs;
  }

  #include(bucket: number): void {
    const range = rangeIncluding(this.offset, this.counts.length, bucket, bucket + 1);
    const grown = new Uint32Array(range.length);
    grown.set(this.counts, this.counts.length === 0 ? 0 : this.offset - range.offset);
    this.counts = grown;
    this.offset = range.offset;
  }
}

/** A sum of histograms, from which windows and totals are computed. Addition is exact and associative. */
export class HistogramTotal implements HistogramView {
  readonly scale = 4;
  offset = 0;
  counts = NO_SUMS;
  zeroCount = 0;
  count = 0;
  sumMs = 0;
  minMs = Infinity;
  maxMs = 0;

  add(other: HistogramView): void {
    if (other.count === 0) return;
    const { counts, offset } = other;
    if (other instanceof Histogram) this.#addOpen(other);
    else this.#addSum(counts, offset);
    this.zeroCount += other.zeroCount;
    this.count += other.count;
    this.sumMs += other.sumMs;
    if (other.minMs < this.minMs) this.minMs = other.minMs;
    if (other.maxMs > this.maxMs) this.maxMs = other.maxMs;
  }

  /** Subtracts values that were added before. Minimum and maximum stay. */
  subtract(other: HistogramView): void {
    if (other.count === 0) return;
    this.zeroCount = Math.max(0, this.zeroCount - other.zeroCount);
    this.count = this.zeroCount;
    for (let at = 0; at < this.counts.length; at++) {
      const left = this.counts[at]! - (other.counts[at + this.offset - other.offset] ?? 0);
      this.counts[at] = left > 0 ? left : 0;
      this.count += this.counts[at]!;
    }
    this.sumMs = Math.max(0, this.sumMs - other.sumMs);
    if (this.count > 0) return;
    this.sumMs = 0;
    this.minMs = Infinity;
    this.maxMs = 0;
  }

  /**
   * Reads only the buckets between the extremes, in a separate loop. With a thousand open slots to add, reading empty buckets would take
   * most of the time. The extremes may be rounded to the nanosecond.
   */
  #addOpen({ counts, offset, minMs, maxMs }: Histogram): void {
    const first = Math.max(0, bucketOf(minMs) - 1 - offset);
    const end = Math.min(counts.length, bucketOf(maxMs) + 2 - offset);
    if (end <= first) return;
    this.include(offset + first, offset + end);
    const into = this.counts;
    const shift = offset - this.offset;
    for (let at = first; at < end; at++) {
      const count = counts[at]!;
      if (count !== 0) into[at + shift]! += count;
    }
  }

  #addSum(counts: HistogramView['counts'], offset: number): void {
    let first = 0;
    let end = counts.length;
    while (first < end && counts[first] === 0) first++;
    while (end > first && counts[end - 1] === 0) end--;
    if (end === first) return;
    this.include(offset + first, offset + end);
    const into = this.counts;
    const shift = offset - this.offset;
    for (let at = first; at < end; at++) into[at + shift]! += counts[at]!;
  }

  /** Makes room for the buckets from `first` to `end`, exclusive. */
  include(first: number, end: number): void {
    if (this.counts.length > 0 && first >= this.offset && end <= this.offset + this.counts.length) return;
    const range = rangeIncluding(this.offset, this.counts.length, first, end);
    const grown = new Float64Array(range.length);
    grown.set(this.counts, this.counts.length === 0 ? 0 : this.offset - range.offset);
    this.counts = grown;
    this.offset = range.offset;
  }

  clear(): void {
    if (this.count === 0) return;
    this.counts.fill(0);
    this.zeroCount = 0;
    this.count = 0;
    this.sumMs = 0;
    this.minMs = Infinity;
    this.maxMs = 0;
  }
}

/** The exported statistics of durations, milliseconds; null without values. */
export interface Times {
  readonly avg: number | null;
  readonly p50: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
  readonly max: number | null;
}

/** Returns the mean, median, 95th and 99th percentile and maximum of all values of these histograms together. */
export function timesOf(histograms: readonly HistogramView[]): Times {
  const [p50, p95, p99] = quantilesTogether(histograms, [0.5, 0.95, 0.99]) as (number | null)[];
  const maxMs = histograms.reduce((most, histogram) => Math.max(most, histogram.maxMs), 0);
  return { avg: meanTogether(histograms), p50: p50!, p95: p95!, p99: p99!, max: p50 === null ? null : maxMs };
}

/**
 * Returns the value at each of `ranks` (0–1, ascending) among all values of these histograms together, by the nearest-rank rule. Each is
 * within 2.17 % of the exact value; null without values. Walks over the buckets once.
 */
export function quantilesTogether(histograms: readonly HistogramView[], ranks: readonly number[]): (number | null)[] {
  const filled = histograms.filter(({ count }) => count > 0);
  if (filled.length === 0) return ranks.map(() => null);
  let count = 0;
  let seen = 0;
  let maxMs = 0;
  let first = Infinity;
  let end = -Infinity;
  for (const histogram of filled) {
    count += histogram.count;
    seen += histogram.zeroCount;
    maxMs = Math.max(maxMs, histogram.maxMs);
    first = Math.min(first, histogram.offset);
    end = Math.max(end, histogram.offset + histogram.counts.length);
  }
  const values: number[] = [];
  let bucket = first - 1;
  for (const rank of ranks) {
    const wanted = Math.max(1, Math.ceil(rank * count));
    while (seen < wanted && bucket < end - 1) {
      bucket++;
      for (let which = 0; which < filled.length; which++) {
        const { counts, offset } = filled[which]!;
        const at = bucket - offset;
        if (at >= 0 && at < counts.length) seen += counts[at]!;
      }
    }
    values.push(bucket < first ? 0 : Math.min(representative(bucket), maxMs));
  }
  return values;
}

/** Returns the mean of all values of these histograms together; null without values. */
export function meanTogether(histograms: readonly HistogramView[]): number | null {
  let count = 0;
  let sumMs = 0;
  for (const histogram of histograms) {
    count += histogram.count;
    sumMs += histogram.sumMs;
  }
  return count === 0 ? null : sumMs / count;
}

function rangeIncluding(
  offset: number,
  length: number,
  first: number,
  end: number,
): { offset: number; length: number } {
  const from = Math.min(first, length === 0 ? first : offset);
  const to = Math.max(end, length === 0 ? end : offset + length);
  const start = Math.floor((from - MIN_INDEX) / CHUNK) * CHUNK + MIN_INDEX;
  const stop = Math.min(Math.ceil((to - MIN_INDEX) / CHUNK) * CHUNK + MIN_INDEX, MIN_INDEX + BUCKETS);
  return { offset: start, length: stop - start };
}
