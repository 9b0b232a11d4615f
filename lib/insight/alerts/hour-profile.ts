/*
 * The usual value at each hour.
 *
 * Problem: at night there are fewer requests, and different ones. A level that follows the last hour lags behind in the morning, and
 * the normal rise or fall looks like a change.
 *
 * Method: keep a mean for every hour of the day and of the week. Each new value moves its mean by a third, so that the mean covers about
 * the last three values. An hour of the week is used after two observations, that is after two weeks. Before, the hour of the day is
 * used, from the second day on. Values between the middles of two hours are interpolated.
 *
 * Hours with little traffic differ by chance. So each mean of the day is moved towards the mean of all hours, by the share of the
 * differences that counting explains; a mean of the week is moved towards that of the day (W. James and C. Stein, Estimation with
 * quadratic loss, 1961). If all hours are alike, the profile is flat even if the values vary by chance.
 *
 * Minutes of an alarm, an outage or a start are not learned; an hour of which less than a third was learned is ignored. Hours are
 * in UTC: when clocks change, the profile is off by an hour until it has learned again.
 */

import type { Numbers } from './baselines.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24;
const WEEK = 7 * DAY;
/** Weight of the newest hour. */
const ALPHA = 1 / 3;
/** The number of minutes that must be observed of an hour. */
const ENOUGH = 20;

/** The means of a series by the hour. */
export class HourProfile {
  readonly #days = new Hours(DAY);
  readonly #weeks = new Hours(WEEK);
  #hour = NaN;
  #sum = 0;
  #minutes = 0;
  #noise = 0;

  /** Whether the hour of the week is known, not just the hour of the day. */
  knowsWeek(at: number): boolean {
    return this.#weeks.seen(Math.floor(at / HOUR)) >= 2;
  }

  /** Returns the expected value at a time; undefined if that hour or a neighbouring one has not been observed yet. */
  at(at: number): number | undefined {
    const position = at / HOUR - 0.5;
    const hour = Math.floor(position);
    const [before, after] = [this.#expected(hour), this.#expected(hour + 1)];
    return before === undefined || after === undefined ? undefined : before + (position - hour) * (after - before);
  }

  /** Returns the variance of the expected value at a time, relative to that of a single hour. */
  doubt(at: number): number {
    const hour = Math.floor(at / HOUR);
    const seen = this.knowsWeek(at) ? this.#weeks.seen(hour) : this.#days.seen(hour);
    return 1 / Math.min(3, Math.max(1, seen));
  }

  /** The expected value of the lowest hour of the day; Infinity before the first. */
  get lowest(): number {
    return this.#days.lowest;
  }

  /**
   * Adds a value to its hour.
   * @param minutes how long the value was observed.
   * @param noise the variance of the value that counting explains.
   */
  learn(at: number, value: number, minutes: number, noise: number): void {
    const hour = Math.floor(at / HOUR);
    if (hour !== this.#hour) {
      this.#close();
      this.#hour = hour;
    }
    this.#sum += value * minutes;
    this.#minutes += minutes;
    this.#noise += noise * minutes ** 2;
  }

  /** Writes the state for {@link load}. */
  save(to: number[]): void {
    this.#days.save(to);
    this.#weeks.save(to);
    to.push(this.#hour, this.#sum, this.#minutes, this.#noise);
  }

  load(from: Numbers): void {
    this.#days.load(from);
    this.#weeks.load(from, (hour) => this.#days.expected(hour));
    this.#hour = from.next();
    this.#sum = from.next() || 0;
    this.#minutes = from.count(60);
    this.#noise = from.count();
  }

  #close(): void {
    if (this.#minutes >= ENOUGH) {
      const mean = this.#sum / this.#minutes;
      const noise = this.#noise / this.#minutes ** 2;
      this.#days.learn(this.#hour, mean, noise);
      this.#weeks.learn(this.#hour, mean, noise, (hour) => this.#days.expected(hour));
    }
    this.#sum = this.#minutes = this.#noise = 0;
  }

  #expected(hour: number): number | undefined {
    return this.#weeks.seen(hour) >= 2 ? this.#weeks.expected(hour) : this.#days.expected(hour);
  }
}

/** The hours of a day or a week. */
class Hours {
  /** Undefined before the first hour. */
  #means: Float32Array | undefined;
  #noises: Float32Array | undefined;
  #seen: Uint8Array | undefined;
  /** The value towards which each hour is moved. */
  #centre: (hour: number) => number = () => 0;
  /** The variance of hours around that value that counting does not explain. */
  #spread = 0;

  constructor(private readonly count: number) {}

  seen(hour: number): number {
    return this.#seen?.[this.#place(hour)] ?? 0;
  }

  /** Returns the expected value of an hour; undefined if it has not been observed. */
  expected(hour: number): number | undefined {
    const place = this.#place(hour);
    if (this.#seen === undefined || this.#seen[place] === 0) return undefined;
    const centre = this.#centre(place);
    const noise = this.#noises![place]!;
    const trust = this.#spread + noise === 0 ? 0 : this.#spread / (this.#spread + noise);
    return centre + trust * (this.#means![place]! - centre);
  }

  get lowest(): number {
    let lowest = Infinity;
    for (let hour = 0; hour < this.count; hour++) lowest = Math.min(lowest, this.expected(hour) ?? Infinity);
    return lowest;
  }

  /** Adds an hour. @param centre the value towards which its mean is moved; by default the mean of all hours. */
  learn(hour: number, mean: number, noise: number, centre?: (hour: number) => number | undefined): void {
    this.#means ??= new Float32Array(this.count);
    this.#noises ??= new Float32Array(this.count);
    this.#seen ??= new Uint8Array(this.count);
    const place = this.#place(hour);
    const seen = this.#seen[place]!;
    const share = Math.max(ALPHA, 1 / (seen + 1));
    this.#means[place]! += share * (mean - this.#means[place]!);
    this.#noises[place] = (1 - share) ** 2 * this.#noises[place]! + share ** 2 * noise;
    if (seen < 255) this.#seen[place] = seen + 1;
    this.#compare(centre);
  }

  save(to: number[]): void {
    if (this.#seen === undefined) to.push(0);
    else to.push(1, ...this.#seen, ...this.#means!, ...this.#noises!);
  }

  load(from: Numbers, centre?: (hour: number) => number | undefined): void {
    if (from.next() !== 1) return;
    this.#seen = Uint8Array.from({ length: this.count }, () => from.count(255));
    this.#means = Float32Array.from({ length: this.count }, () => from.next() || 0);
    this.#noises = Float32Array.from({ length: this.count }, () => from.count());
    this.#compare(centre);
  }

  #compare(centre: ((hour: number) => number | undefined) | undefined): void {
    const all = this.#meanOfAll();
    this.#centre = (each) => centre?.(each) ?? all;
    this.#spread = this.#spreadOfAll();
  }

  #meanOfAll(): number {
    let sum = 0;
    let count = 0;
    for (let place = 0; place < this.count; place++) {
      if (this.#seen![place] === 0) continue;
      sum += this.#means![place]!;
      count++;
    }
    return sum / count;
  }

  #spreadOfAll(): number {
    let squares = 0;
    let noise = 0;
    let count = 0;
    for (let place = 0; place < this.count; place++) {
      if (this.#seen![place] === 0) continue;
      squares += (this.#means![place]! - this.#centre(place)) ** 2;
      noise += this.#noises![place]!;
      count++;
    }
    return Math.max(0, (squares - noise) / count);
  }

  #place(hour: number): number {
    return ((hour % this.count) + this.count) % this.count;
  }
}
