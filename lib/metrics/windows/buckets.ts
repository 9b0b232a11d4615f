/**
 * The bucket indices of a base-2 exponential histogram with 16 buckets per octave. Bucket `i` holds values in (2^(i/16), 2^((i+1)/16)]
 * **seconds**. For a metric in seconds, this is OpenTelemetry's exponential histogram of scale 4 and Prometheus' native schema 4.
 * Parameters and results are milliseconds.
 */

const PER_OCTAVE = 16;

/** The bucket of the smallest values that are distinguished, above 2^-22 s, a quarter of a microsecond. */
export const MIN_INDEX = -22 * PER_OCTAVE;
/** The bucket of the largest values, up to 2^17 s, 36 hours. It also counts larger values. */
export const MAX_INDEX = 17 * PER_OCTAVE - 1;
/** The number of buckets. */
export const BUCKETS = MAX_INDEX - MIN_INDEX + 1;

/** 1,000 is almost 2^10. Bucket -160 begins at 0.977 ms, where an octave begins. */
const SHIFT = 10 * PER_OCTAVE;

/** The lower bounds of the buckets for about 1 to 2 ms, and the end of the last. */
const BOUNDS = Float64Array.from(
  { length: PER_OCTAVE + 1 },
  (_, i) => (1000 / 1024) * 2 ** ((i % PER_OCTAVE) / PER_OCTAVE) * (i < PER_OCTAVE ? 1 : 2),
);

/** The lower bounds of all buckets, and the end of the last. */
const LOWER_BOUNDS = Float64Array.from({ length: BUCKETS + 1 }, (_, at) => lowerBound(MIN_INDEX + at));
const SMALLEST = LOWER_BOUNDS[0]!;
const LARGEST = LOWER_BOUNDS[BUCKETS]!;

/**
 * For the first five bits of a mantissa, the bucket in which these values begin. A 32nd is narrower than any bucket, so a value is in this
 * bucket or in the next.
 */
const BY_MANTISSA = Uint8Array.from({ length: 32 }, (_, bits) => {
  const mantissa = 1 + bits / 32;
  let bucket = 0;
  while (bucket < PER_OCTAVE && BOUNDS[bucket + 1]! <= mantissa) bucket++;
  return bucket;
});

/** Reinterprets the bits of a double. It is written and read within one call. */
const double = new Float64Array(1);
const words = new Uint32Array(double.buffer);
const HIGH = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1 ? 1 : 0;

/** Returned by {@link bucketOf} for values that count as zero. */
export const ZERO_BUCKET = MIN_INDEX - 1;

/** Returns the bucket of a number of milliseconds; {@link ZERO_BUCKET} for 2^-22 s and less, and for NaN. */
export function bucketOf(ms: number): number {
  if (!(ms > SMALLEST)) return ZERO_BUCKET;
  if (ms > LARGEST) return MAX_INDEX;
  double[0] = ms;
  const high = words[HIGH]!;
  const bucket = ((high >>> 20) - 1023) * PER_OCTAVE - SHIFT + BY_MANTISSA[(high >>> 15) & 31]!;
  // Upper bounds are inclusive.
  return ms > LOWER_BOUNDS[bucket + 1 - MIN_INDEX]! ? bucket + 1 : bucket;
}

/** Returns the exclusive lower bound of bucket `index`, milliseconds. */
export function lowerBound(index: number): number {
  const octave = Math.floor((index + SHIFT) / PER_OCTAVE);
  return 2 ** octave * BOUNDS[(index + SHIFT) & (PER_OCTAVE - 1)]!;
}

const REPRESENTATIVES = Float64Array.from({ length: BUCKETS }, (_, at) => {
  const low = LOWER_BOUNDS[at]!;
  const high = LOWER_BOUNDS[at + 1]!;
  return (2 * low * high) / (low + high);
});

/**
 * Returns the value that represents a bucket: 2ab / (a + b) for its bounds a and b. It differs from every value in the bucket by at most (b
 * − a) / (b + a) = 2.17 % (the estimate of DDSketch, Masson et al., VLDB 2019).
 */
export function representative(index: number): number {
  return REPRESENTATIVES[index - MIN_INDEX]!;
}
