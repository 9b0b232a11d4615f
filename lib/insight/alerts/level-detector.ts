import type { Numbers } from './baselines.js';
import { Cusum } from './cusum.js';
import { Ewma, type Observation, shareOf } from './ewma.js';
import { HourProfile } from './hour-profile.js';
import type { Minute } from './minute.js';
import type { Sample, Signal } from './signals.js';

/*
 * Detects a signal that has become worse, minute by minute.
 *
 * The expected level is that of the EWMA, moved by the profile of the hours for the time of day. Three unusual
 * values in a row are a change. For the hit rate and the load time, a cumulative sum also detects changes: it finds a fall of fifteen
 * points with thirty accesses per minute. A change raises an alarm if it is large enough to matter.
 *
 * Minutes with too few accesses are combined, at most fifteen. During an alarm nothing is learned. The alarm ends once
 * five values in a row are back near the level. After a day the new level is taken as usual, and everything is learned again.
 */

/** A detected deviation: the actual and the expected value, on the scale that is shown. */
export interface Alarm {
  readonly value: number;
  readonly expected: number;
}

/** The circumstances of a minute. */
export interface Conditions {
  /** True if the minute must be neither judged nor learned: a start, an outage. */
  readonly frozen: boolean;
  /** The number of watched series. */
  readonly series: number;
}

/** The number of minutes that are learned before the first judgement. */
const WARM_UP = 20;
/** The maximum number of minutes that are combined. */
const LONGEST = 15;
/** Weight of the newest value in the mean that is shown and compared. */
const RECENT = 0.4;
/** An alarm begins at size 1 and can end below this size. */
const RECOVERED = 0.7;
/** The number of values in a row below that size that end the alarm. */
const CALM = 5;
/** On the first day, hit rates are not compared if traffic is below this share of the usual. */
const LESS_TRAFFIC = 0.75;
const HALF_HOUR = 30 * 60_000;
const DAY_MS = 24 * 60 * 60_000;
/** Values are not learned while the cumulative sum is above this share of its limit. */
const SUSPECT = 0.25;

/** Watches one signal of one series. */
export class LevelDetector {
  #ewma: Ewma;
  #profile = new HourProfile();
  readonly #cusum = new Cusum();
  #pool: Sample = EMPTY;
  #pooled = 0;
  #held: Sample = EMPTY;
  #heldMinutes = 0;
  #season: number | undefined;
  /** The recent number of requests per minute, and the mean one while the level was learned. */
  #rate = NaN;
  #usualRate = NaN;
  #recent = NaN;
  #alarm: { readonly since: number; value: number; expected: number; calm: number } | undefined;

  constructor(private readonly signal: Signal) {
    this.#ewma = new Ewma(signal.bad);
  }

  /** Undefined without a deviation. */
  get alarm(): Alarm | undefined {
    if (this.#alarm === undefined) return undefined;
    const { value, expected } = this.#alarm;
    return { value: this.signal.shown(value), expected: this.signal.shown(expected) };
  }

  /** The hours of this signal; a new profile replaces them when everything is learned again. */
  get profile(): HourProfile {
    return this.#profile;
  }

  /** Writes the usual figures, for {@link load}. */
  save(to: number[]): void {
    this.#ewma.save(to);
    this.#profile.save(to);
    to.push(this.#season ?? NaN, this.#rate, this.#usualRate);
  }

  /** @param isRecent whether they were saved a short time ago: then the level is still current. */
  load(from: Numbers, isRecent: boolean): void {
    this.#ewma.load(from, isRecent);
    this.#profile.load(from);
    const [season, rate, usualRate] = [from.next(), from.next(), from.next()];
    if (!isRecent) return;
    this.#season = Number.isNaN(season) ? undefined : season;
    this.#rate = rate;
    this.#usualRate = usualRate;
  }

  observe(minute: Minute, { frozen, series }: Conditions): void {
    if (frozen) return this.#interrupt();
    const sample = this.#collected(minute);
    if (sample === undefined) return;
    const minutes = this.#pooled;
    this.#pool = EMPTY;
    this.#pooled = 0;
    this.#followSeason(minute.at);
    const value = this.signal.value(sample);
    this.#recent = Number.isNaN(this.#recent) ? value : this.#recent + RECENT * (value - this.#recent);
    if (this.#alarm !== undefined) return this.#recover(minute.at);
    const expected = this.#ewma.level;
    const comparable = this.#isComparable(minute.at, sample, minutes);
    const judged = comparable && this.#ewma.learned >= WARM_UP;
    const shifted = judged && this.#hasShifted(sample, series);
    const jumped = this.#learned(sample, minutes, this.#cusum.progress(series) > SUSPECT);
    const size = this.signal.size(this.#recent, this.#mildest(minute.at, expected));
    if (judged && (jumped || shifted) && size >= 1) {
      this.#alarm = { since: minute.at, value: this.#recent, expected, calm: 0 };
      this.#cusum.reset();
      this.#release();
    } else this.#learnHour(minute.at, sample, minutes);
  }

  /**
   * Whether the level can be compared with the current value. Before the hours of a day are known, a hit rate that falls with the
   * traffic of the evening is normal.
   */
  #isComparable(at: number, { count }: Sample, minutes: number): boolean {
    if (!this.signal.followsTraffic) return true;
    const rate = count / minutes;
    const share = shareOf(minutes, this.signal.weight({ sum: 0, count }, minutes), this.#ewma.learned);
    this.#usualRate = Number.isNaN(this.#usualRate) ? rate : this.#usualRate + share * (rate - this.#usualRate);
    this.#rate = Number.isNaN(this.#rate) ? rate : this.#rate + RECENT * (rate - this.#rate);
    return this.#profile.at(at) !== undefined || this.#rate > LESS_TRAFFIC * this.#usualRate;
  }

  /** Judges the sample by the level, and moves the level. A suspect sample moves the level later, if it turns out not to be a change. */
  #learned(sample: Sample, minutes: number, suspect: boolean): boolean {
    const observation = this.#observation(sample, minutes);
    if (suspect) {
      this.#held = { sum: this.#held.sum + sample.sum, count: this.#held.count + sample.count };
      this.#heldMinutes += minutes;
      return this.#ewma.observe({ ...observation, weight: 0 });
    }
    if (this.#heldMinutes > 0) {
      this.#ewma.learn(this.#observation(this.#held, this.#heldMinutes));
      this.#release();
    }
    return this.#ewma.observe(observation);
  }

  #learnHour(at: number, sample: Sample, minutes: number): void {
    const { value, noise } = this.#observation(sample, minutes);
    this.#profile.learn(at, value, minutes, noise);
  }

  #observation(sample: Sample, minutes: number): Observation {
    const value = this.signal.value(sample);
    const level = Number.isNaN(this.#ewma.level) ? value : this.#ewma.level;
    return { value, minutes, noise: this.signal.noise(sample, level), weight: this.signal.weight(sample, minutes) };
  }

  #release(): void {
    this.#held = EMPTY;
    this.#heldMinutes = 0;
  }

  /** Resets all learned figures. */
  forget(): void {
    this.#ewma = new Ewma(this.signal.bad);
    this.#profile = new HourProfile();
    this.#season = undefined;
    this.#alarm = undefined;
    this.#interrupt();
  }

  /** Returns the combined minutes once they contain enough accesses. */
  #collected(minute: Minute): Sample | undefined {
    const { sum, count } = this.signal.sample(minute);
    this.#pool = { sum: this.#pool.sum + sum, count: this.#pool.count + count };
    this.#pooled += minute.minutes;
    const ready = this.signal.enough(this.#pool, this.#ewma.level) || (this.#pooled >= LONGEST && this.#pool.count > 0);
    return ready ? this.#pool : undefined;
  }

  /** Moves the level by the difference of the hours since the last time they were known. */
  #followSeason(at: number): void {
    const season = this.#profile.at(at);
    if (season === undefined) return;
    if (this.#season !== undefined) this.#ewma.shift(season - this.#season);
    this.#season = season;
  }

  /**
   * Returns the expected value, or the worst one within half an hour before and after: a step at the full hour lies between the middles
   * of two hours.
   */
  #mildest(at: number, expected: number): number {
    const season = this.#profile.at(at);
    if (season === undefined) return expected;
    const beside = [at - HALF_HOUR, at + HALF_HOUR].map((time) => (this.#profile.at(time) ?? season) - season);
    return expected + this.signal.bad * Math.max(0, ...beside.map((change) => this.signal.bad * change));
  }

  #hasShifted(sample: Sample, series: number): boolean {
    const { level, variance } = this.#ewma;
    return this.#cusum.add(this.signal.evidence(sample, level, variance), series);
  }

  #recover(at: number): void {
    const alarm = this.#alarm!;
    alarm.value = this.#recent;
    alarm.expected = this.#ewma.level;
    alarm.calm = this.signal.size(this.#recent, this.#ewma.level) < RECOVERED ? alarm.calm + 1 : 0;
    if (alarm.calm >= CALM) {
      this.#alarm = undefined;
      this.#ewma.interrupt();
    } else if (at - alarm.since >= DAY_MS) this.forget();
  }

  #interrupt(): void {
    this.#pool = EMPTY;
    this.#pooled = 0;
    this.#recent = NaN;
    this.#release();
    this.#ewma.interrupt();
    this.#cusum.reset();
  }
}

const EMPTY: Sample = { sum: 0, count: 0 };
