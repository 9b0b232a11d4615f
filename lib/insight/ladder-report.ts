import type { TtlRung } from './evidence/evidence.js';
import { type LadderSums, RUNG_COUNT, RUNGS, Sum, T_95, TODAY, tooFew, Whole } from './ladder-sums.js';

export type { TtlRung };

/** A TTL that is better than today's. */
export interface AdvisedTtl extends TtlRung {
  readonly hitRate: number;
  readonly hitRateError: number;
  readonly staleShare: number;
  readonly staleShareError: number;
  readonly loadsPerHour: number;
  readonly loadMsPerHour: number;
  /** The rise of the hit rate; negative if it falls in exchange for fewer outdated values. */
  readonly gain: number;
  /** Half of the 95 % interval of `gain`. */
  readonly gainError: number;
}

/** The simulated effects of other TTLs on the accesses of a pattern. */
export interface TtlLadder {
  readonly pattern: string;
  /** Today's TTL; null if no entry has been stored, `Infinity` if entries do not expire. */
  readonly ttlMs: number | null;
  /** The estimated number of accesses that the ladder represents. */
  readonly accesses: number;
  readonly observedMs: number;
  /** Why there is no advice, with the required and the current amount. */
  readonly withheld?: string;
  /** True if today's TTL is certainly too long for the allowed stale share, although its exact share is withheld. */
  readonly outdated?: true;
  /** Eight TTLs, shortest first: ¼ ½ 1 2 4 8 16 64 times today's. */
  readonly ladder: readonly TtlRung[];
  readonly advised?: AdvisedTtl;
}

export interface TtlAdviceOptions {
  /** The share of hits that may be outdated, 0–1. @default 0.01 */
  readonly maxStaleShare?: number;
}

/** The counts of a replay of a pattern's accesses. */
export interface LadderFigures {
  /** Today's TTL, milliseconds. */
  readonly ttlMs: number;
  readonly observedMs: number;
  /** The share of keys that are followed, without the hottest. */
  readonly share: number;
  readonly accessesPerHour: number;
  /** The weighted number of loads, and their total time. */
  readonly loads: number;
  readonly loadMs: number;
  readonly sums: LadderSums;
  /** By rung: the expected number of outdated hits among those that no check has classified yet. */
  readonly unchecked: ArrayLike<number>;
  /** The delay until loads of other instances are known, milliseconds; 0 if loads are not exchanged. */
  readonly lateMs: number;
}

/** The observation time that a rung needs, as a multiple of its TTL. */
const LEAST_OBSERVED = 2;
/** The maximum error with which a rung is shown. */
const MOST_ERROR = 0.03;
/** The error because times are stored in steps, in addition to the sampling error. */
const STEP_ERROR = 0.002;
/** The relative error of outdated hits that are inferred from a rate of change. */
const INFERRED_ERROR = 0.1;
/** The relative error of the stale share of a sample, because keys are followed late. */
const LATE_ERROR = 0.4;
const MAX_STALE_SHARE = 0.01;
/** The relative error of hits that were counted late, if the delay is as long as the TTL. */
const SHARED_ERROR = 0.1;
/** Hit rates are equal if they differ by less than this: then the shorter TTL is better. */
const SAME = 0.005;

/** Reports the effects of other TTLs, and which TTL is better. */
export function ladderReport(
  pattern: string,
  figures: LadderFigures,
  { maxStaleShare = MAX_STALE_SHARE }: TtlAdviceOptions = {},
): TtlLadder {
  const { ttlMs, observedMs, sums } = figures;
  const accesses = Math.round(sums.accesses);
  const few = tooFew(accesses);
  const ladder = RUNGS.map((_, rung) => rungOf(figures, rung, few));
  if (few !== undefined) return { pattern, ttlMs, accesses, observedMs, ladder, withheld: few };
  const outdated = isOutdated(figures, ladder[TODAY]!, maxStaleShare) && { outdated: true as const };
  const report = { pattern, ttlMs, accesses, observedMs, ...outdated, ladder };
  const advised = advice(figures, ladder, maxStaleShare);
  if (advised === undefined) return report;
  return typeof advised === 'string' ? { ...report, withheld: advised } : { ...report, advised };
}

/** Whether too many hits are outdated even at the lower end of the error interval, although the interval is too wide to show the share. */
function isOutdated(figures: LadderFigures, today: TtlRung, maxStaleShare: number): boolean {
  if (today.staleShare !== null || figures.observedMs < figures.ttlMs * LEAST_OBSERVED) return false;
  const { value, error } = staleShareOf(figures, TODAY);
  return value - error > maxStaleShare;
}

function staleShareOf({ sums, share, unchecked }: LadderFigures, rung: number): { value: number; error: number } {
  const stale = sums.staleShare(rung, share);
  const hits = sums.total(rung, Sum.hits);
  const inferred = hits === 0 ? 0 : (sums.whole(rung, Whole.inferred) + unchecked[rung]!) / hits;
  const moments = hits === 0 ? 0 : (T_95 * Math.sqrt(sums.whole(rung, Whole.variance))) / hits;
  return {
    value: Math.min(1, stale.value + (hits === 0 ? 0 : unchecked[rung]! / hits)),
    error: Math.hypot(
      stale.error,
      STEP_ERROR,
      inferred * INFERRED_ERROR,
      moments,
      stale.value * (1 - share) * LATE_ERROR,
    ),
  };
}

function rungOf(figures: LadderFigures, rung: number, few: string | undefined): TtlRung {
  const { sums, loads, loadMs, share, observedMs, accessesPerHour, lateMs } = figures;
  const ttlMs = figures.ttlMs * RUNGS[rung]!;
  const needed = ttlMs * LEAST_OBSERVED;
  const early =
    few ??
    (observedMs < needed ? `observation: ${inWords(observedMs)} of the ${inWords(needed)} that it needs` : undefined) ??
    (ttlMs < lateMs && rung !== TODAY
      ? `exchange: instances know each other's loads only after ${inWords(lateMs)}`
      : undefined);
  // Computing errors takes long, so it is skipped for withheld rungs.
  if (early !== undefined) return withheldRung(ttlMs, early);
  const hitRate = sums.hitRate(rung, share);
  const hitRateError = Math.hypot(hitRate.error, sharedError(figures, rung));
  const stale = staleShareOf(figures, rung);
  const imprecise = tooWide('hit rate', hitRateError) ?? tooWide('stale share', stale.error);
  if (imprecise !== undefined) return withheldRung(ttlMs, imprecise);
  const loadsPerHour = accessesPerHour * (1 - hitRate.value);
  return {
    ttlMs,
    hitRate: hitRate.value,
    hitRateError: Math.hypot(hitRateError, STEP_ERROR),
    staleShare: stale.value,
    staleShareError: stale.error,
    loadsPerHour,
    loadMsPerHour: loads === 0 ? 0 : (loadsPerHour * loadMs) / loads,
  };
}

function withheldRung(ttlMs: number, withheld: string): TtlRung {
  const none = { hitRate: null, hitRateError: null, staleShare: null, staleShareError: null };
  return { ttlMs, ...none, loadsPerHour: null, loadMsPerHour: null, withheld };
}

function sharedError({ sums, ttlMs, lateMs }: LadderFigures, rung: number): number {
  if (lateMs === 0 || sums.accesses === 0) return 0;
  const late = Math.min(1, lateMs / (ttlMs * RUNGS[rung]!));
  return (SHARED_ERROR * late * sums.whole(rung, Whole.shared)) / sums.accesses;
}

function tooWide(what: string, error: number): string | undefined {
  return error > MOST_ERROR ? `error: the ${what} is known to ${(error * 100).toFixed(1)} points only` : undefined;
}

/** Returns the rung to change to; a text if its gain is below its error; undefined if today's TTL is best. */
function advice(
  figures: LadderFigures,
  ladder: readonly TtlRung[],
  maxStaleShare: number,
): AdvisedTtl | string | undefined {
  const today = ladder[TODAY]!;
  if (today.hitRate === null) return undefined;
  let best = -1;
  for (let rung = 0; rung < RUNG_COUNT; rung++) {
    const { hitRate, staleShare } = ladder[rung]!;
    if (hitRate === null || staleShare === null || staleShare > maxStaleShare) continue;
    if (best === -1 || hitRate > ladder[best]!.hitRate! + SAME) best = rung;
  }
  if (best === -1 || best === TODAY) return undefined;
  const { value: gain, error } = figures.sums.gain(best, TODAY, figures.share);
  const gainError = Math.hypot(error, STEP_ERROR, sharedError(figures, best));
  const isTooStale = today.staleShare! - today.staleShareError! > maxStaleShare;
  if (best < TODAY && !isTooStale) return undefined;
  if (best > TODAY && gain <= gainError) {
    return gain <= SAME ? undefined : `gain: ${(gain * 100).toFixed(1)} ± ${(gainError * 100).toFixed(1)} points`;
  }
  return { ...(ladder[best] as AdvisedTtl), gain, gainError };
}

const UNITS = [
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
] as const;

/** Writes a rounded duration with one unit. */
function inWords(ms: number): string {
  for (const [unit, length] of UNITS) if (ms >= length) return `${Number((ms / length).toFixed(1))}${unit}`;
  return `${Math.round(ms)}ms`;
}
