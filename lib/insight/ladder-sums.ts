/** The TTLs of the ladder, as multiples of today's. */
export const RUNGS = [1 / 4, 1 / 2, 1, 2, 4, 8, 16, 64] as const;
export const RUNG_COUNT = RUNGS.length;
/** The index of today's TTL. */
export const TODAY = 2;
/** The number of groups of sampled keys, by hash. */
export const GROUPS = 16;
/** The two-sided 95 % quantile of Student's t with 15 degrees of freedom. */
export const T_95 = 2.13;

/** The sums of a rung that are kept by group. */
export const Sum = {
  hits: 0,
  /** Outdated hits. */
  stale: 1,
} as const;
type Sum = (typeof Sum)[keyof typeof Sum];
/** The sums of a rung that are kept for all groups together. */
export const Whole = {
  /** Outdated hits that are inferred from a rate of change. */
  inferred: 0,
  /** The variance of the outdated hits because the times of changes are unknown. */
  variance: 1,
  /** Hits that were counted as loads until another instance's earlier load of the copy was known. */
  shared: 2,
} as const;
type Whole = (typeof Whole)[keyof typeof Whole];
/** The layout: accesses of each group, for all rungs; then the sums of each rung by group; then its sums over all groups. */
const BY_GROUP = GROUPS + 1;
const OF_ALL = BY_GROUP + 2 * BY_GROUP * RUNG_COUNT;
export const PLACES = OF_ALL + 3 * RUNG_COUNT;
/** A ladder with fewer accesses shows no figures. */
const LEAST_ACCESSES = 1_000;
/** Larger sums are invalid; sums of variances contain squares. */
const MOST_COUNTED = 1e30;
/** The maximum ratio of two sums that differ only by rounding. */
const ROUNDED = 1.001;

export interface Estimate {
  readonly value: number;
  /** Half of the 95 % interval. */
  readonly error: number;
}

/**
 * The sums of a ladder by rung: in 16 groups for the sampled keys, and separately for keys that represent only themselves. The error
 * of an estimate is computed from the estimates without each of the groups (delete-a-group jackknife, which for 16 groups averages
 * over all balanced ways to split them into halves: McCarthy, Pseudo-Replication: Half Samples, 1969; Wolter, Introduction to Variance
 * Estimation, chapters 3 and 4).
 */
export class LadderSums {
  readonly #sums = new Float64Array(PLACES);

  /** Counts accesses, for all rungs. @param group 0–15 for a sampled key, 16 for a key that represents only itself. */
  access(group: number, by: number): void {
    this.#sums[group]! += by;
  }

  add(group: number, rung: number, field: Sum, by: number): void {
    this.#sums[placeOf(group, rung, field)]! += by;
  }

  addWhole(rung: number, field: Whole, by: number): void {
    this.#sums[OF_ALL + field * RUNG_COUNT + rung]! += by;
  }

  /** The number of accesses in all groups. */
  get accesses(): number {
    return this.#accesses(-1);
  }

  /** Returns a sum over all groups. */
  total(rung: number, field: Sum): number {
    return this.#sum(rung, field, -1);
  }

  whole(rung: number, field: Whole): number {
    return this.#sums[OF_ALL + field * RUNG_COUNT + rung]!;
  }

  /** Returns the share of accesses that are hits, with its error. */
  hitRate(rung: number, share: number): Estimate {
    return estimated(share, (without) => this.#hitRate(rung, without));
  }

  /** Returns the share of hits that are outdated, with its error. */
  staleShare(rung: number, share: number): Estimate {
    return estimated(share, (without) =>
      divided(this.#sum(rung, Sum.stale, without), this.#sum(rung, Sum.hits, without)),
    );
  }

  /** Returns the gain in hit rate of one rung over another. Both have the same keys, so its error is smaller than that of either. */
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

  /** Adds the sums of another period. */
  merge(other: LadderSums): void {
    for (let at = 0; at < PLACES; at++) this.#sums[at]! += other.#sums[at]!;
  }

  /**
   * Adds the sums of another instance for the same period. The unknown time of a change is the same in all instances, so standard
   * deviations are added, not variances.
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

/** Returns why a ladder with this number of accesses is withheld; undefined if there are enough. */
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

/** Sums over all groups. @param without a group to leave out, whose weight the others get; -1 for none. */
function weighed(of: (group: number) => number, without: number): number {
  let sampled = 0;
  for (let group = 0; group < GROUPS; group++) if (group !== without) sampled += of(group);
  return of(GROUPS) + (without === -1 ? sampled : (sampled * GROUPS) / (GROUPS - 1));
}

/**
 * Returns an estimate with its error.
 * @param share of the keys that is sampled: if it is 1, there is no sampling error (the correction
 *   for finite populations: Cochran, Sampling Techniques, section 2.6).
 * @param of the estimate without a group; -1 for all groups.
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
