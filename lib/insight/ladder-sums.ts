/** The TTLs of the ladder, times today's. */
export const RUNGS = [1 / 4, 1 / 2, 1, 2, 4, 8, 16, 64] as const;
export const RUNG_COUNT = RUNGS.length;
/** Where today's TTL stands. */
export const TODAY = 2;
/** Groups of the sampled keys, by their hashes: pairs of halves. */
export const GROUPS = 16;
/** Two-sided 95 % of Student's t with 15 degrees of freedom. */
export const T_95 = 2.13;

/** What a rung counts. */
export const Sum = {
  accesses: 0,
  hits: 1,
  /** Outdated hits. */
  stale: 2,
  /** Those of them that no check has shown, but a rate of change makes likely. */
  inferred: 3,
  /** The variance of the outdated hits for want of the moments at which values changed. */
  variance: 4,
} as const;
type Sum = (typeof Sum)[keyof typeof Sum];
const FIELDS = 5;
const PLACES = (GROUPS + 1) * RUNG_COUNT * FIELDS;

export interface Estimate {
  readonly value: number;
  /** Half of the 95 % interval. */
  readonly error: number;
}

/**
 * Sums of a ladder by rung, with the sampled keys in 16 groups beside the keys that are followed for themselves. How far an
 * estimate may be off is read from how much it changes without each of the groups (delete-a-group jackknife, which for 16 groups averages
 * over all balanced ways to split them into halves: McCarthy, Pseudo-Replication: Half Samples, 1969; Wolter, Introduction to Variance
 * Estimation, chapters 3 and 4).
 */
export class LadderSums {
  readonly #sums = new Float64Array(PLACES);

  /** @param group 0–15 of a sampled key, 16 of one that counts for itself. */
  add(group: number, rung: number, field: Sum, by: number): void {
    this.#sums[(group * RUNG_COUNT + rung) * FIELDS + field]! += by;
  }

  /** Of all groups. */
  total(rung: number, field: Sum): number {
    let sum = 0;
    for (let group = 0; group <= GROUPS; group++) sum += this.#at(group, rung, field);
    return sum;
  }

  /** One sum over another, with its error; 0 where there is nothing to divide by. */
  ratio(rung: number, over: Sum, under: Sum, share: number): Estimate {
    return estimated(share, (without) => divided(this.#sum(rung, over, without), this.#sum(rung, under, without)));
  }

  /** By how much the hit rate of one rung is above that of another; both see the same keys, so that it is known better than either. */
  gain(rung: number, over: number, share: number): Estimate {
    return estimated(share, (without) => this.#hitRate(rung, without) - this.#hitRate(over, without));
  }

  #hitRate(rung: number, without: number): number {
    return divided(this.#sum(rung, Sum.hits, without), this.#sum(rung, Sum.accesses, without));
  }

  /** @param without a group that is left out, for which the others count more; -1 for none. */
  #sum(rung: number, field: Sum, without: number): number {
    let sampled = 0;
    for (let group = 0; group < GROUPS; group++) if (group !== without) sampled += this.#at(group, rung, field);
    return this.#at(GROUPS, rung, field) + (without === -1 ? sampled : (sampled * GROUPS) / (GROUPS - 1));
  }

  /** Counts what is old for half. */
  halve(): void {
    for (let at = 0; at < PLACES; at++) this.#sums[at]! /= 2;
  }

  /** Adds the sums of another instance. */
  merge(other: LadderSums): void {
    for (let at = 0; at < PLACES; at++) this.#sums[at]! += other.#sums[at]!;
  }

  clear(): void {
    this.#sums.fill(0);
  }

  #at(group: number, rung: number, field: Sum): number {
    return this.#sums[(group * RUNG_COUNT + rung) * FIELDS + field]!;
  }
}

/**
 * @param share of the keys that is sampled: where that is all of them, there is nothing that the sample could miss (the correction
 *   for finite populations: Cochran, Sampling Techniques, section 2.6).
 * @param of the estimate without a group, or with all for -1.
 */
function estimated(share: number, of: (without: number) => number): Estimate {
  const value = of(-1);
  let squares = 0;
  for (let group = 0; group < GROUPS; group++) squares += (of(group) - value) ** 2;
  return { value, error: T_95 * Math.sqrt((squares * (1 - share) * (GROUPS - 1)) / GROUPS) };
}

function divided(over: number, under: number): number {
  return under === 0 ? 0 : over / under;
}
