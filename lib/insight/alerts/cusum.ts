/*
 * Small and slow changes: the cumulative sum.
 *
 * Problem: a hit rate that falls by one point per hour never has an unusual minute. With twenty accesses per minute, even a fall
 * of fifteen points rarely has one.
 *
 * Method (E. S. Page, Continuous inspection schemes, Biometrika 41, 1954): compare two hypotheses, a change of a certain size and no
 * change. For each value, add the logarithm of their likelihood ratio; set a negative sum to zero; report a change if the sum exceeds a
 * limit. For a normal value at z standard deviations and a change of one, this is the sum of z − k with k = 0.5 and the limit h = 12.
 * The mean time between two false alarms is at least e^h values; the measured one is about a million. A change of two
 * standard deviations is detected after nine values, a change of one after 23. With h = 5, as in textbooks, there was a false alarm
 * every 923 values.
 *
 * Several concurrent sums have several chances of a false alarm, so the limit grows with the logarithm of their number.
 *
 * Assumption: values are independent, given the expected value. Daily waves are not independent: the caller removes them beforehand.

/** The limit for a single series. */
const LIMIT = 12;
/** The maximum evidence of one value, so that a change needs at least three. */
const MOST = LIMIT / 3;

/** One cumulative sum. */
export class Cusum {
  #sum = 0;

  /** Returns the sum as a share of the limit; 1 means a change. */
  progress(series = 1): number {
    return this.#sum / (LIMIT + Math.log(Math.max(1, series)));
  }

  /**
   * Adds the evidence of one value.
   * @param series the number of series that are watched at the same time.
   * @returns whether the series has changed.
   */
  add(evidence: number, series = 1): boolean {
    this.#sum = Math.max(0, this.#sum + Math.min(MOST, evidence));
    return this.progress(series) >= 1;
  }

  reset(): void {
    this.#sum = 0;
  }
}

/** The evidence of a value `z` standard deviations on the bad side for a change by one standard deviation: k = 0.5. */
export function normalEvidence(z: number): number {
  return z - 0.5;
}

/** The evidence for a change by `shift`, of a value at this distance on the bad side, if values have this variance. */
export function shiftEvidence(distance: number, shift: number, variance: number): number {
  return (shift * (distance - shift / 2)) / variance;
}

/** The evidence of `hits` among `count` accesses for a fall of the hit rate from `from` to `to`; both within 0–1, exclusive. */
export function binomialEvidence(hits: number, count: number, from: number, to: number): number {
  return hits * Math.log(to / from) + (count - hits) * Math.log((1 - to) / (1 - from));
}
