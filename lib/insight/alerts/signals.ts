import { binomialEvidence, shiftEvidence } from './cusum.js';
import type { Minute } from './minute.js';

/** The watched signals of a series. */
export type SignalName = 'hitRate' | 'loadTime' | 'errors' | 'invalidations' | 'traffic';

/** The sum and count of one or several minutes. */
export interface Sample {
  readonly sum: number;
  readonly count: number;
}

/**
 * The rules of one signal: a scale on which its noise is about the same everywhere, the size of that noise, and the smallest
 * change that matters.
 */
export interface Signal {
  readonly name: SignalName;
  /** 1 if a larger value is worse, -1 if a smaller one is. */
  readonly bad: 1 | -1;
  sample(minute: Minute): Sample;
  /** Whether these minutes can be judged; after fifteen minutes they are judged in any case. @param level NaN before the first. */
  enough(sample: Sample, level: number): boolean;
  value(sample: Sample): number;
  /** The variance of the value that counting and normal variation explain. */
  noise(sample: Sample, level: number): number;
  /** The evidence for a change of the size that the cumulative sum looks for; 0 if the signal has no such sum. */
  evidence(sample: Sample, level: number, variance: number): number;
  /** Whether the value depends on traffic: with fewer requests, the hit rate is lower. */
  readonly followsTraffic: boolean;
  /** The weight of the value in the level, 0–1. With little traffic it is lower: the level then covers more minutes. */
  weight(sample: Sample, minutes: number): number;
  /** The size of a change for the worse; it matters from 1 on. */
  size(value: number, expected: number): number;
  /** Converts a value to the scale that is shown. */
  shown(value: number): number;
}

const clamp = (value: number, low: number, high: number): number => Math.min(high, Math.max(low, value));
const share = ({ sum, count }: Sample): number => sum / count;
/** The variance of a share of `count` samples. */
export const binomialVariance = (level: number, count: number): number => (level * (1 - level)) / count;
const whole = (): number => 1;
const none = (): number => 0;

/** The fall that the cumulative sum of hit rates detects. */
const FALL = 0.15;
/** The smallest number of accesses in the mean that is the level of a hit rate. */
const BEHIND_THE_LEVEL = 2_000;
/** How far a variance may exceed the variance of counting by chance, as a factor. */
const CHANCE = 1.25;

function hitRateEvidence(sample: Sample, level: number, variance: number): number {
  const usual = clamp(level, 0.05, 0.99);
  // The level may be too high by chance.
  const from = usual - Math.sqrt(binomialVariance(usual, BEHIND_THE_LEVEL));
  const counting = binomialVariance(from, sample.count);
  // Accesses of one minute that depend on each other are weaker evidence.
  const independent = counting / Math.max(counting, variance / CHANCE);
  return independent * binomialEvidence(sample.sum, sample.count, from, Math.max(usual - FALL, from / 4));
}

/** The smallest fall of the hit rate that matters, as a share. */
const HIT_RATE_POINTS = 0.03;
/** The variance of hit rates in addition to that of counting: one point, squared. */
const HIT_RATE_UNREST = 0.01 ** 2;

/** The share of hits. */
export const hitRate: Signal = {
  name: 'hitRate',
  followsTraffic: true,
  bad: -1,
  sample: ({ hits, requests }) => ({ sum: hits, count: requests }),
  enough: ({ count }) => count >= 10,
  value: share,
  noise: ({ count }, level) => binomialVariance(clamp(level, 0.02, 0.98), count) + HIT_RATE_UNREST,
  evidence: hitRateEvidence,
  weight: ({ count }, minutes) => Math.min(1, count / (20 * minutes)),
  size: (value, expected) => (expected - value) / HIT_RATE_POINTS,
  shown: (value) => clamp(value, 0, 1),
};

/** The p95 load time, as a logarithm because load times are about log-normal. */
export const loadTime: Signal = {
  name: 'loadTime',
  followsTraffic: false,
  bad: 1,
  sample: ({ loads, loadP95Ms }) =>
    loads > 0 && loadP95Ms !== null ? { sum: loads * Math.log(Math.max(0.01, loadP95Ms)), count: loads } : NOTHING,
  enough: ({ count }) => count >= 10,
  value: share,
  noise: loadTimeNoise,
  // The sum looks for twice the time.
  evidence: (sample, level, variance) =>
    shiftEvidence(share(sample) - level, Math.log(2), Math.max(variance, loadTimeNoise(sample))),
  weight: ({ count }, minutes) => Math.min(1, count / (10 * minutes)),
  // At least 1.5 times the time, and at least five milliseconds more.
  size: (value, expected) =>
    Math.min((value - expected) / Math.log(1.5), (Math.exp(value) - Math.exp(expected)) / SLOWER_MS),
  shown: (value) => Math.exp(value),
};
const SLOWER_MS = 5;
/** Of a log-normal time with σ = 1, the p95 of n values has a variance of about 4 / n. */
function loadTimeNoise({ count }: Sample): number {
  return 4 / count + 0.1 ** 2;
}
const NOTHING: Sample = { sum: 0, count: 0 };

/** The share of accesses and loads that fail. */
export const errors: Signal = {
  name: 'errors',
  followsTraffic: false,
  bad: 1,
  sample: ({ failures, attempts }) => ({ sum: failures, count: attempts }),
  enough: ({ count }) => count >= 20,
  value: share,
  noise: ({ count }, level) => binomialVariance(clamp(level, 0.005, 0.995), count) + 0.005 ** 2,
  evidence: none,
  weight: ({ count }, minutes) => Math.min(1, count / (10 * minutes)),
  // At least twice the share, and at least two points more.
  size: (value, expected) => (value - expected) / Math.max(0.02, expected),
  shown: (value) => clamp(value, 0, 1),
};

/** Counts are judged by their square root, whose variance is 1/4 for any count (Anscombe 1948). */
const root = ({ sum, count }: Sample): number => Math.sqrt((sum + 0.375) / count);
const rate = (value: number): number => Math.max(0, value * value);
const rootNoise = ({ count }: Sample, level: number): number => 0.25 / count + (0.05 * level) ** 2;

/** Invalidations per minute. */
export const invalidations: Signal = {
  name: 'invalidations',
  followsTraffic: false,
  bad: 1,
  sample: (minute) => ({ sum: minute.invalidations, count: minute.minutes }),
  enough: ({ count }) => count > 0,
  value: root,
  noise: rootNoise,
  evidence: none,
  weight: whole,
  // At least three times as many, and at least thirty a minute.
  size: (value, expected) => rate(value) / Math.max(30, 3 * rate(expected)),
  shown: rate,
};

/** Accesses per minute. */
export const traffic: Signal = {
  name: 'traffic',
  followsTraffic: false,
  bad: -1,
  sample: (minute) => ({ sum: minute.requests, count: minute.minutes }),
  // Enough minutes for thirty expected accesses.
  enough: ({ count }, level) => count > 0 && !(rate(level) * count < 30),
  value: root,
  noise: rootNoise,
  evidence: none,
  weight: whole,
  // Less than half.
  size: (value, expected) => (1 - rate(value) / Math.max(rate(expected), Number.MIN_VALUE)) / 0.5,
  shown: rate,
};
