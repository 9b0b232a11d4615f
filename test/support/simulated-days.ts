import type { Minute } from '../../lib/insight/alerts/minute.js';

/** The accesses of simulated days. Rates are per minute; waves and noise are shares of 1. */
export interface Days {
  readonly seed: number;
  readonly days: number;
  readonly rate: number;
  /** How far traffic varies within a day, as a share of `rate`. */
  readonly trafficWave?: number;
  readonly hitRate: number;
  /** How far the hit rate varies within a day. */
  readonly hitRateWave?: number;
  /** Standard deviation of the hit rate's slow variation. */
  readonly unrest?: number;
  /** The share of traffic that remains on Saturday and Sunday. */
  readonly weekend?: number;
  /** A change after a while. */
  readonly change?: Change;
}

/** A change of one signal. */
export interface Change {
  /** Minutes after the beginning. */
  readonly from: number;
  readonly until?: number;
  /** How much the hit rate falls at once. */
  readonly fall?: number;
  /** How much the hit rate falls every hour. */
  readonly fallAnHour?: number;
  /** The typical load time, milliseconds; 40 before. */
  readonly loadMs?: number;
  /** The share of loads that fail; 0.01 before. */
  readonly failures?: number;
  /** Invalidations per minute; a hundredth of the traffic before. */
  readonly invalidations?: number;
  /** The share of the traffic that remains. */
  readonly traffic?: number;
}

const START = Date.UTC(2026, 2, 2);
const MINUTE = 60_000;
const DAY = 24 * 60;

/** The minutes of simulated days, counted as a cache would count them. */
export function* minutesOf(days: Days): Generator<Minute> {
  const random = randomOf(days.seed);
  let unrest = 0;
  for (let minute = 1; minute <= days.days * DAY; minute++) {
    const at = START + minute * MINUTE;
    const wave = Math.sin((2 * Math.PI * minute) / DAY);
    const weekend = weekendOf(at);
    unrest = 0.99 * unrest + Math.sqrt(1 - 0.99 ** 2) * (days.unrest ?? 0) * random.normal();
    const change = days.change;
    const changed = change !== undefined && minute > change.from && minute <= (change.until ?? Infinity);
    const now: Partial<Change> = changed ? change : {};
    const rate =
      days.rate * (1 + (days.trafficWave ?? 0) * wave) * (1 - weekend * (1 - (days.weekend ?? 1))) * (now.traffic ?? 1);
    const fallen = (now.fall ?? 0) + ((now.fallAnHour ?? 0) * (minute - (now.from ?? 0))) / 60;
    const hitRate = days.hitRate + (days.hitRateWave ?? 0) * wave + unrest - fallen;
    const requests = random.poisson(rate);
    const hits = random.binomial(requests, Math.min(1, Math.max(0, hitRate)));
    const failures = random.binomial(requests - hits, now.failures ?? 0.01);
    const loads = requests - hits - failures;
    yield {
      at,
      minutes: 1,
      requests,
      hits,
      failures,
      attempts: requests,
      loads,
      loadP95Ms: loads === 0 ? null : random.p95(loads, now.loadMs ?? 40),
      invalidations: random.poisson(now.invalidations ?? days.rate / 100),
    };
  }
}

/** 0 on weekdays, 1 at weekends, and half-way at midnight between them. */
function weekendOf(at: number): number {
  const day = ((at / 86_400_000 + 4) % 7) as number;
  const step = (distance: number) => 1 / (1 + Math.exp(-12 * distance));
  return day > 3.5 ? step(day - 6) : 1 - step(day - 1);
}

function randomOf(seed: number) {
  let state = seed;
  const uniform = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
  const poisson = (mean: number): number => {
    if (mean > 40) return Math.max(0, Math.round(mean + Math.sqrt(mean) * normal()));
    const limit = Math.exp(-mean);
    let count = -1;
    for (let product = 1; product > limit; product *= uniform()) count++;
    return Math.max(0, count);
  };
  const binomial = (count: number, share: number): number => {
    const variance = count * share * (1 - share);
    if (variance > 25) return Math.min(count, Math.max(0, Math.round(count * share + Math.sqrt(variance) * normal())));
    let hits = 0;
    for (let each = 0; each < count; each++) if (uniform() < share) hits++;
    return hits;
  };
  /** The 95th percentile of `count` log-normal times with σ = 0.6, with about its natural scatter. */
  const p95 = (count: number, typicalMs: number): number =>
    typicalMs * Math.exp(0.6 * (1.645 + (2.1 / Math.sqrt(count)) * normal()));
  return { normal, poisson, binomial, p95 };
}
