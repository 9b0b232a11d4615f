import type { Numbers } from './baselines.js';
import { Cusum, normalEvidence } from './cusum.js';
import type { HourProfile } from './hour-profile.js';
import type { Alarm, Conditions } from './level-detector.js';
import type { Minute } from './minute.js';
import { binomialVariance, hitRate } from './signals.js';

/*
 * Detects a hit rate that falls slowly, such as by one point per hour.
 *
 * A level that follows the last hour falls with the hit rate, so their distance stays small. Quarters of an hour are therefore compared
 * with a reference that changes very slowly: the profile of the hours, or on the first day the mean so far. A one-sided CUSUM
 * (see cusum.ts) sums their standardised distance, so no single quarter needs to be unusual. A fall matters from three points on.
 *
 * A slow fall may be part of the daily rhythm. On the first day, before an evening has been observed, quarters with much more or less
 * traffic than the mean are not judged. In the first two weeks, before every hour of the week is known, the hit rate must also have
 * fallen below the lowest hour of an average day, because a Saturday may differ from a Friday.
 */

/** The number of minutes that are compared at once; more with little traffic, up to LONGEST. */
const BLOCK = 15;
const LONGEST = 240;
const ENOUGH = 100;
/** Weight of one quarter in the reference of the first day. */
const ALPHA = 0.02;
/** Weight of one quarter in the variance. It covers about three days, so that a slow fall is not taken for everyday variation. */
const ALPHA_VARIANCE = 0.003;
/** Weight of the newest quarter in the mean that is compared. */
const RECENT = 0.4;
/** The number of quarters that are learned before the first judgement. */
const WARM_UP = 4;
/** On the first day, a quarter is not judged if its traffic differs from the mean by more than this logarithm: 25 %. */
const OTHER_TRAFFIC = Math.log(1.25);
/** How far the hit rate must be below the lowest hour before the week is known. */
const BELOW_LOWEST = 0.015;
/** How far the hit rate must be below the expected one, in standard deviations of the variation from day to day. */
const UNREST = 4;
/** The maximum of one distance that is learned, in standard deviations, so that a fall is not learned as variation. */
const REACH = 2;
const RECOVERED = 0.7;
const CALM = 2;

/** Watches the hit rate of one series. */
export class DriftDetector {
  #hits = 0;
  #requests = 0;
  #minutes = 0;
  #learned = 0;
  #mean = NaN;
  #variance = 0;
  /** The number of quarters from which the variance was learned. */
  #compared = 0;
  #season: number | undefined;
  #meanTraffic = NaN;
  #recent = NaN;
  readonly #cusum = new Cusum();
  #alarm: { value: number; expected: number; calm: number } | undefined;

  /** Undefined without a deviation. */
  get alarm(): Alarm | undefined {
    return this.#alarm === undefined
      ? undefined
      : { value: hitRate.shown(this.#alarm.value), expected: hitRate.shown(this.#alarm.expected) };
  }

  /** Writes the usual figures, for {@link load}. */
  save(to: number[]): void {
    to.push(this.#learned, this.#mean, this.#variance, this.#compared, this.#season ?? NaN, this.#meanTraffic);
  }

  load(from: Numbers): void {
    this.#learned = from.count();
    this.#mean = from.next();
    this.#variance = from.count();
    this.#compared = from.count();
    const season = from.next();
    this.#season = Number.isNaN(season) ? undefined : season;
    this.#meanTraffic = from.next();
    if (Number.isNaN(this.#mean)) this.forget();
  }

  /** @param profile the hours of the hit rate. */
  observe(minute: Minute, profile: HourProfile, { frozen, series }: Conditions): void {
    if (frozen) return this.#clear();
    this.#hits += minute.hits;
    this.#requests += minute.requests;
    this.#minutes += minute.minutes;
    if (this.#minutes < BLOCK || (this.#requests < ENOUGH && this.#minutes < LONGEST)) return;
    const [hits, requests, minutes] = [this.#hits, this.#requests, this.#minutes];
    this.#clear();
    if (requests === 0) return;
    this.#judge({ value: hits / requests, requests, traffic: requests / minutes }, minute.at, minutes, profile, series);
  }

  /** Resets all learned figures. */
  forget(): void {
    this.#clear();
    this.#learned = this.#compared = this.#variance = 0;
    this.#season = undefined;
    this.#mean = this.#meanTraffic = this.#recent = NaN;
    this.#cusum.reset();
    this.#alarm = undefined;
  }

  #judge(
    { value, requests, traffic }: { readonly value: number; readonly requests: number; readonly traffic: number },
    at: number,
    minutes: number,
    profile: HourProfile,
    series: number,
  ): void {
    const season = profile.at(at - (minutes / 2) * 60_000);
    const expected = season ?? this.#mean;
    this.#recent = Number.isNaN(this.#recent) ? value : this.#recent + RECENT * (value - this.#recent);
    const size = hitRate.size(this.#recent, expected);
    if (this.#alarm !== undefined) return this.#recover(size, expected);
    const judged = this.#learned >= WARM_UP && (season !== undefined || this.#isUsualTraffic(traffic));
    const counting = hitRate.noise({ sum: 0, count: requests }, expected);
    if (judged) {
      const z = (expected - value) / Math.sqrt(Math.max(this.#variance, counting));
      const changed = this.#cusum.add(normalEvidence(z), series);
      const everyday = Math.max(0, this.#variance - binomialVariance(expected, requests));
      const unrest = Math.sqrt(everyday * (1 + profile.doubt(at)));
      const isUnlike = season === undefined || expected - this.#recent >= UNREST * unrest;
      const isLow = season === undefined || profile.knowsWeek(at) || this.#recent < profile.lowest - BELOW_LOWEST;
      if (changed && size >= 1 && isUnlike && isLow) {
        this.#alarm = { value: this.#recent, expected, calm: 0 };
        return this.#cusum.reset();
      }
    }
    this.#learn(value, traffic, season);
    this.#compare(value - expected, counting);
  }

  #learn(value: number, traffic: number, season: number | undefined): void {
    // The distances of the first day are relative to a plain mean, so those since then start again.
    if ((season === undefined) !== (this.#season === undefined)) this.#compared = 0;
    this.#season = season;
    this.#learned++;
    const share = Math.max(ALPHA, 1 / this.#learned);
    this.#mean = Number.isNaN(this.#mean) ? value : this.#mean + share * (value - this.#mean);
    this.#meanTraffic = Number.isNaN(this.#meanTraffic)
      ? traffic
      : this.#meanTraffic + share * (traffic - this.#meanTraffic);
  }

  #compare(distance: number, counting: number): void {
    if (Number.isNaN(distance)) return;
    this.#compared++;
    const square = Math.min(distance ** 2, REACH ** 2 * Math.max(this.#variance, counting));
    this.#variance += Math.max(ALPHA_VARIANCE, 1 / this.#compared) * (square - this.#variance);
  }

  #isUsualTraffic(traffic: number): boolean {
    return Math.abs(Math.log(traffic / this.#meanTraffic)) < OTHER_TRAFFIC;
  }

  #recover(size: number, expected: number): void {
    const alarm = this.#alarm!;
    alarm.value = this.#recent;
    alarm.expected = expected;
    alarm.calm = size < RECOVERED ? alarm.calm + 1 : 0;
    if (alarm.calm >= CALM) this.#alarm = undefined;
  }

  #clear(): void {
    this.#hits = this.#requests = this.#minutes = 0;
  }
}
