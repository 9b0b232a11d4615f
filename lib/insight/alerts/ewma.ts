/*
 * Sudden changes: the exponentially weighted moving average.
 *
 * Problem: hit rates, load times and numbers of requests differ from minute to minute, and the usual value differs by
 * application, by pattern and by hour. A fixed threshold is either too high or too low.
 *
 * Method (S. W. Roberts, Control chart tests based on geometric moving averages, Technometrics 1, 1959): each minute moves the level
 * by a fiftieth (α = 0.02) towards the observed value, so that the level is the weighted mean of about the last 50 minutes. The
 * variance is averaged in the same way. A minute is unusual if it is more than four standard deviations on the bad side of
 * the level; three unusual minutes in a row are a change.
 *
 * The average alone finds too many unusual minutes: with 20 accesses and a hit rate of 90 %, one minute in eight shows 80 % by
 * chance. So the variance of counting, which follows from the number of accesses, is added. Without it, three standard
 * deviations raised 3.5 to 23 false alarms per day and series; with it and four standard deviations there was none in 30 days.
 *
 * Assumption: the usual value changes slowly. An unusual minute moves the level only after it has turned out not to be part of a
 * change, and the detector learns nothing during an alarm. The CUSUM detects changes that are slower than the level.
 */

import type { Numbers } from './baselines.js';

/** Weight of one minute. */
const ALPHA = 0.02;
/** A minute is unusual from this number of standard deviations on. */
const LIMIT = 4;
/** This number of unusual minutes in a row is a change. */
const RUN = 3;

/** One value of a series. */
export interface Observation {
  readonly value: number;
  /** The variance of the value that follows from the number of accesses alone. */
  readonly noise: number;
  /** The number of minutes that the value covers. */
  readonly minutes: number;
  /** The weight of the value, 0–1: lower with few accesses. */
  readonly weight: number;
}

/** The level of a series, and the distance of a value from it. */
export class Ewma {
  /** The expected value. */
  level = NaN;
  /** Mean square distance from the level. */
  variance = 0;
  #learned = 0;
  #run = 0;

  /** @param bad 1 if a larger value is worse, -1 if a smaller one is. */
  constructor(readonly bad: 1 | -1) {}

  /** The number of minutes from which the level was learned; minutes with few accesses count less. */
  get learned(): number {
    return this.#learned;
  }

  /** Writes the state for {@link load}. */
  save(to: number[]): void {
    to.push(this.level, this.variance, this.#learned);
  }

  /** @param isRecent whether the state was saved a short time ago; otherwise the level is outdated and ignored. */
  load(from: Numbers, isRecent: boolean): void {
    const [level, variance, learned] = [from.next(), from.count(), from.count()];
    if (!isRecent || Number.isNaN(level)) return;
    this.level = level;
    this.variance = variance;
    this.#learned = learned;
  }

  /** Returns how far the value is on the bad side, in standard deviations; negative on the good side. */
  distance({ value, noise }: Pick<Observation, 'value' | 'noise'>): number {
    return (this.bad * (value - this.level)) / Math.sqrt(this.variance + noise);
  }

  /** Judges the value, then learns from it. @returns whether it completes a run of unusual minutes that is a change. */
  observe(observation: Observation): boolean {
    if (this.#learned === 0) {
      this.level = observation.value;
      this.#learned = observation.minutes * observation.weight;
      return false;
    }
    const distance = this.distance(observation);
    this.#run = distance > LIMIT ? this.#run + 1 : 0;
    if (this.#run === 0 || this.#run > RUN) this.learn(observation);
    return this.#run >= RUN;
  }

  /** Moves the expected value with the time of day. */
  shift(by: number): void {
    this.level += by;
  }

  /** Ends a run of unusual minutes. */
  interrupt(): void {
    this.#run = 0;
  }

  /** Moves the level without judging the value. */
  learn({ value, noise, minutes, weight }: Observation): void {
    const distance = this.distance({ value, noise });
    this.#learned += minutes * weight;
    const share = shareOf(minutes, weight, this.#learned);
    const reach = LIMIT * Math.sqrt(this.variance + noise);
    // An outlier counts as a value at the limit.
    const residual = Math.abs(distance) > LIMIT ? Math.sign(value - this.level) * reach : value - this.level;
    this.variance += share * (residual * residual - this.variance);
    this.level += share * residual;
  }
}

/**
 * Returns the weight of a value in a level that was learned from `learned` minutes, including those of the value. At first the level is
 * the plain mean, which is the best estimate.
 */
export function shareOf(minutes: number, weight: number, learned: number): number {
  return Math.max((1 - (1 - ALPHA) ** minutes) * weight, (minutes * weight) / learned);
}
