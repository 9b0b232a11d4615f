/** The TTLs of the ladder, times today's. */
export const RUNGS = [1 / 4, 1 / 2, 1, 2, 4, 8, 16, 64] as const;
export const RUNG_COUNT = RUNGS.length;
/** The index of today's TTL. */
export const TODAY = 2;
/** Groups of the sampled keys, by their hashes: pairs of halves. */
export const GROUPS = 16;
/** Two-sided 95 % of Student's t with 15 degrees of freedom. */
export const T_95 = 2.13;

/** The sums of a rung by group. */
export const Sum = {
  hits: 0,
  /** Outdated hits. */
  stale: 1,
} as const;
type Sum = (typeof Sum)[keyof typeof Sum];
/** The sums of a rung over all groups. */
export const Whole = {
  /** Outdated hits that are only inferred from a rate of change. */
  inferred: 0,
  /** The variance of the outdated hits, because the times of changes are unknown. */
  variance: 1,
  /** Hits that were counted as loads until another instance's load of the same copy was known. */
  shared: 2,
} as const;
type Whole = (typeof Whole)[keyof typeof Whole];
/** The layout: accesses of each group, for all rungs; then the sums of each rung by group; then its sums over all groups. */
const BY_GROUP = GROUPS + 1;
const OF_ALL = BY_GROUP + 2 * BY_GROUP * RUNG_COUNT;
export const PLACES = OF_ALL + 3 * RUNG_COUNT;
/** A ladder shows nothing before it has so many accesses. */
const LEAST_ACCESSES = 1_000;
/** Every sum is smaller; sums of variances contain squares. */
const MOST_COUNTED = 1e30;
/** The largest ratio of sums that differ only by the order of addition, or by rounding. */
const ROUNDED = 1.001;

export interface Estimate {
  readonly value: number;
  /** Half of the 95 % interval. */
  readonly error: number;
}

/**
 * Sums of a ladder by rung: in 16 groups for the sampled keys, and separately for keys that count only for themselves. The error of an
 * estimate is computed from its changes without each of the groups (delete-a-group jackknife, which for 16 groups averages
 * over all balanced ways to split them into halves: McCarthy, Pseudo-Replication: Half Samples, 1969; Wolter, Introduction to Variance
 * Estimation, chapters 3 and 4).
 */
export class LadderSums {
  readonly #sums = new Float64Array(PLACES);

  /** Counts accesses, for all rungs. @param group 0–15 of a sampled key, 16 of one that counts only for itself. */
  access(group: number, by: number): void {
    this.#sums[group]! += by;
  }

  add(group: number, rung: number, field: Sum, by: number): void {
    this.#sums[placeOf(group, rung, field)]! += by;
  }

  addWhole(rung: number, field: Whole, by: number): void {
    this.#sums[OF_ALL + field * RUNG_COUNT + rung]! += by;
  }

  /** Of all groups. */
  get accesses(): number {
    return this.#accesses(-1);
  }

  /** Of all groups. */
  total(rung: number, field: Sum): number {
    return this.#sum(rung, field, -1);
  }

  whole(rung: number, field: Whole): number {
    return this.#sums[OF_ALL + field * RUNG_COUNT + rung]!;
  }

  /** Hits of the accesses, with the error. */
  hitRate(rung: number, share: number): Estimate {
    return estimated(share, (without) => this.#hitRate(rung, without));
  }

  /** Outdated hits of all hits, with the error. */
  staleShare(rung: number, share: number): Estimate {
    return estimated(share, (without) =>
      divided(this.#sum(rung, Sum.stale, without), this.#sum(rung, Sum.hits, without)),
    );
  }

  /** By how much the hit rate of one rung is above that of another; both see the same keys, so the error is smaller than that of either. */
  gain(rung: number, over: number, share: number): Estimate {
    return estimated(share, (without) => this.#hitRate(rung, without) - this.#hitRate(over, without));
  }

  #hitRate(rung: number, without: number): number {
    return divided(this.#sum(rung, Sum.hits, without), this.#accesses(without));
  }

  #accesses(without: number): number {
    return weighed((group) => this.#sums[group]!, without);
  }

  #sum(rung: number, field: Sum, without: number): number {
    return weighed((group) => this.#sums[placeOf(group, rung, field)]!, without);
  }

  /** Halves the sums. */
  halve(): void {
    for (let at = 0; at < PLACES; at++) this.#sums[at]! /= 2;
  }

  /** Adds the sums of another time. */
  merge(other: LadderSums): void {
    for (let at = 0; at < PLACES; at++) this.#sums[at]! += other.#sums[at]!;
  }

  /**
   * Adds the sums of another instance at the same time. The unknown time of a change is the same for all instances, so their errors add up,
   * and not their variances.
   */
  mergeOfFleet(other: LadderSums): void {
    const deviations = RUNGS.map(
      (_, rung) => Math.sqrt(this.whole(rung, Whole.variance)) + Math.sqrt(other.whole(rung, Whole.variance)),
    );
    this.merge(other);
    for (const [rung, deviation] of deviations.entries()) {
      this.#sums[OF_ALL + Whole.variance * RUNG_COUNT + rung] = deviation ** 2;
    }
  }

  /** All sums, for {@link sumsOf}. */
  get values(): Float64Array {
    return this.#sums;
  }
}

/** Why a ladder of so many accesses is withheld; undefined if they are enough. */
export function tooFew(accesses: number): string | undefined {
  return accesses < LEAST_ACCESSES ? `accesses: ${accesses} of the ${LEAST_ACCESSES} that it needs` : undefined;
}

/** Restores sums from stored or received values; undefined for impossible values. */
export function sumsOf(values: ArrayLike<number>): LadderSums | undefined {
  if (values.length !== PLACES) return undefined;
  const sums = new LadderSums();
  for (let at = 0; at < PLACES; at++) {
    const value = values[at]!;
    if (!(value >= 0 && value < MOST_COUNTED)) return undefined;
    sums.values[at] = value;
  }
  const isCounted = RUNGS.every((_, rung) => {
    const hits = sums.total(rung, Sum.hits);
    return hits <= sums.accesses * ROUNDED && sums.total(rung, Sum.stale) <= hits * ROUNDED;
  });
  return isCounted ? sums : undefined;
}

function placeOf(group: number, rung: number, field: Sum): number {
  return BY_GROUP + (field * BY_GROUP + group) * RUNG_COUNT + rung;
}

/** @param without a group that is left out; the others get more weight. -1 for none. */
function weighed(of: (group: number) => number, without: number): number {
  let sampled = 0;
  for (let group = 0; group < GROUPS; group++) if (group !== without) sampled += of(group);
  return of(GROUPS) + (without === -1 ? sampled : (sampled * GROUPS) / (GROUPS - 1));
}

/**
 * @param share of the keys that is sampled: if it is all of them, there is no sampling error (the correction
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
