/*
 * Estimates how often a value changes, from checks that only show whether it differs from the value at the check before. Several changes
 * between two checks look like one. So the number of changes found per time is too low, and more so if checks are rare.
 *
 * Source: Cho, Garcia-Molina: Estimating Frequency of Change, ACM TOIT 3(3), 2003. Changes are modelled as a Poisson process. For
 * irregular checks the maximum-likelihood estimate of the rate r solves (section 5)
 *   sum over checks that found a change of t / (exp(r t) - 1) = sum over the others of t.
 */

/** Checks are grouped by the time since the check before: four groups per octave, from 1 ms on. */
const BUCKETS = 160;
const PER_OCTAVE = 4;
const ITERATIONS = 60;
/** The rate is estimated from the checks with the shortest times: this share of all, and at least this number. */
const SOONEST_SHARE = 1 / 8;
const SOONEST_CHECKS = 100;

/** The initial counts. They are shared, because the values of many patterns never change, or always do: then one of them stays 0. */
const NONE = new Float32Array(BUCKETS);

/** Checks of many keys, and their common rate of change. */
export class ChangeRate {
  #changed = NONE;
  #unchanged = NONE;
  #checks = 0;
  /** The number of checks so far, and the number at which the equation is solved again. */
  #seen = 0;
  #solveAt = 1;
  #perMs = 0;
  #changes = 0;

  /** @param afterMs the time since the check before. */
  check(afterMs: number, changed: boolean, weight: number): void {
    const bucket = bucketOf(afterMs);
    if (changed) (this.#changed = own(this.#changed))[bucket]! += weight;
    else (this.#unchanged = own(this.#unchanged))[bucket]! += weight;
    this.#seen++;
    this.#checks += weight;
    if (changed) this.#changes += weight;
  }

  /** Changes per millisecond; 0 without a change. If every check found a change, half a check without one is assumed. */
  get perMs(): number {
    if (this.#seen < this.#solveAt) return this.#perMs;
    this.#solveAt = this.#seen + Math.max(1, this.#seen >> 3);
    return (this.#perMs = this.#solved());
  }

  /**
   * Solves the equation for the checks with the shortest times. Keys change at different rates, and after a long time nearly all have
   * changed, which shows little about the rate.
   */
  #solved(): number {
    if (this.#changes === 0) return 0;
    const end = this.#soonest();
    let unchangedMs = 0;
    let everyMs = 0;
    let checks = 0;
    let changes = 0;
    for (let bucket = 0; bucket < end; bucket++) {
      const count = this.#changed[bucket]! + this.#unchanged[bucket]!;
      unchangedMs += this.#unchanged[bucket]! * middleOf(bucket);
      everyMs += count * middleOf(bucket);
      checks += count;
      changes += this.#changed[bucket]!;
    }
    if (changes === 0) return 0;
    // Without a check that found no change, the likelihood has no maximum.
    if (unchangedMs === 0) unchangedMs = (0.5 * everyMs) / checks;
    let low = 0;
    let high = 1;
    for (let step = 0; step < ITERATIONS; step++) {
      const middle = (low + high) / 2;
      if (this.#explained(middle, end) > unchangedMs) low = middle;
      else high = middle;
    }
    return (low + high) / 2;
  }

  /** Returns the end of the shortest times that contain enough checks. */
  #soonest(): number {
    const enough = Math.max(this.#checks * SOONEST_SHARE, (this.#checks * SOONEST_CHECKS) / this.#seen);
    let sum = 0;
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      sum += this.#changed[bucket]! + this.#unchanged[bucket]!;
      if (sum >= enough) return bucket + 1;
    }
    return BUCKETS;
  }

  /** Halves the counts. */
  halve(): void {
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      this.#changed[bucket]! /= 2;
      this.#unchanged[bucket]! /= 2;
    }
    this.#checks /= 2;
    this.#changes /= 2;
  }

  /** The left side of the equation. */
  #explained(rate: number, end: number): number {
    let sum = 0;
    for (let bucket = 0; bucket < end; bucket++) {
      const count = this.#changed[bucket]!;
      if (count > 0) sum += (count * middleOf(bucket)) / Math.expm1(rate * middleOf(bucket));
    }
    return sum;
  }
}

function own(counts: Float32Array<ArrayBuffer>): Float32Array<ArrayBuffer> {
  return counts === NONE ? new Float32Array(BUCKETS) : counts;
}

function bucketOf(ms: number): number {
  return Math.max(0, Math.min(BUCKETS - 1, Math.round(Math.log2(Math.max(1, ms)) * PER_OCTAVE)));
}

function middleOf(bucket: number): number {
  return 2 ** (bucket / PER_OCTAVE);
}

/**
 * Returns the expected share of a time in which a copy is outdated, if it was correct at the beginning and changes are Poisson.
 * @param changes the expected number of changes in that time.
 */
export function outdatedShare(changes: number): number {
  if (changes < 1e-6) return changes / 2;
  return 1 + Math.expm1(-changes) / changes;
}

/** Returns the probability of at least one change. @param changes the expected number of changes. */
export function changeProbability(changes: number): number {
  return -Math.expm1(-changes);
}
