import { type LadderSums, RUNG_COUNT, RUNGS, Sum, T_95, TODAY, Whole } from './ladder-sums.js';

/** One TTL of a ladder. What is withheld is null. */
export interface TtlRung {
  /** Milliseconds. */
  readonly ttlMs: number;
  /** Share of the accesses that a fresh value answers, 0–1. */
  readonly hitRate: number | null;
  /** Half of the 95 % interval of `hitRate`. */
  readonly hitRateError: number | null;
  /** Share of the hits whose value is outdated, 0–1. */
  readonly staleShare: number | null;
  /** Half of the 95 % interval of `staleShare`. */
  readonly staleShareError: number | null;
  readonly loadsPerHour: number | null;
  /** Milliseconds of the origin's time an hour. */
  readonly loadMsPerHour: number | null;
  /** What is missing, and how much is there: `observation: 5m of the 10m that it needs`. */
  readonly withheld?: string;
}

/** A TTL that is better than today's. */
export interface AdvisedTtl extends TtlRung {
  readonly hitRate: number;
  readonly hitRateError: number;
  readonly staleShare: number;
  readonly staleShareError: number;
  readonly loadsPerHour: number;
  readonly loadMsPerHour: number;
  /** By how much the hit rate rises; below 0 where it falls for the sake of fewer outdated values. */
  readonly gain: number;
  /** Half of the 95 % interval of `gain`. */
  readonly gainError: number;
}

/** What other TTLs would have done with the accesses of a pattern. */
export interface TtlLadder {
  readonly pattern: string;
  /** Today's; null where no entry has been stored, `Infinity` without a TTL. */
  readonly ttlMs: number | null;
  /** Accesses that the ladder stands for, estimated. */
  readonly accesses: number;
  readonly observedMs: number;
  /** Why there is no advice: what is missing, and how much is there. */
  readonly withheld?: string;
  /** Eight TTLs, the shortest first: ¼ ½ 1 2 4 8 16 64 times today's. */
  readonly ladder: readonly TtlRung[];
  readonly advised?: AdvisedTtl;
}

export interface TtlAdviceOptions {
  /** The share of hits that may be outdated, 0–1. @default 0.01 */
  readonly maxStaleShare?: number;
}

/** What the replay of a pattern's accesses has counted. */
export interface LadderFigures {
  /** Today's, milliseconds. */
  readonly ttlMs: number;
  readonly observedMs: number;
  /** Of the keys beside the hottest, the share that is followed. */
  readonly share: number;
  readonly accessesPerHour: number;
  /** Weighted loads, and their milliseconds. */
  readonly loads: number;
  readonly loadMs: number;
  readonly sums: LadderSums;
  /** By rung: outdated hits that no check has classified yet, as they are expected. */
  readonly unchecked: ArrayLike<number>;
  /** How late loads of other instances are known, milliseconds; 0 where loads are not exchanged. */
  readonly lateMs: number;
}

const LEAST_ACCESSES = 1_000;
/** Observation that a rung needs, times its TTL. */
const LEAST_OBSERVED = 2;
/** The largest error with which a rung is shown. */
const MOST_ERROR = 0.03;
/** What the steps in which times are kept may cost, beside what the sample does. */
const STEP_ERROR = 0.002;
/** How far off the outdated hits may be that only a rate of change makes likely, times their share. */
const INFERRED_ERROR = 0.1;
/** How far off the stale share of a sample may be because keys come to be followed late, times that share. */
const LATE_ERROR = 0.4;
const MAX_STALE_SHARE = 0.01;
/** How far off hits may be that were known as hits late, times their share, where that is as late as copies end. */
const SHARED_ERROR = 0.1;
/** Hit rates that differ by less are the same: then the shorter TTL is better. */
const SAME = 0.005;

/** What other TTLs would have done, and which is better. */
export function ladderReport(
  pattern: string,
  figures: LadderFigures,
  { maxStaleShare = MAX_STALE_SHARE }: TtlAdviceOptions = {},
): TtlLadder {
  const { ttlMs, observedMs, sums } = figures;
  const accesses = Math.round(sums.accesses);
  const few = accesses < LEAST_ACCESSES ? `references: ${accesses} of the ${LEAST_ACCESSES} that it needs` : undefined;
  const ladder = RUNGS.map((_, rung) => rungOf(figures, rung, few));
  const report = { pattern, ttlMs, accesses, observedMs, ladder };
  if (few !== undefined) return { ...report, withheld: few };
  const advised = advice(figures, ladder, maxStaleShare);
  if (advised === undefined) return report;
  return typeof advised === 'string' ? { ...report, withheld: advised } : { ...report, advised };
}

function rungOf(figures: LadderFigures, rung: number, few: string | undefined): TtlRung {
  const { sums, loads, loadMs, share, observedMs, accessesPerHour, lateMs } = figures;
  const unchecked = figures.unchecked[rung]!;
  const ttlMs = figures.ttlMs * RUNGS[rung]!;
  const needed = ttlMs * LEAST_OBSERVED;
  const hitRate = sums.hitRate(rung, share);
  const hitRateError = Math.hypot(hitRate.error, sharedError(figures, rung));
  const stale = sums.staleShare(rung, share);
  const hits = sums.total(rung, Sum.hits);
  const inferred = hits === 0 ? 0 : (sums.whole(rung, Whole.inferred) + unchecked) / hits;
  const moments = hits === 0 ? 0 : (T_95 * Math.sqrt(sums.whole(rung, Whole.variance))) / hits;
  const staleError = Math.hypot(
    stale.error,
    STEP_ERROR,
    inferred * INFERRED_ERROR,
    moments,
    stale.value * (1 - share) * LATE_ERROR,
  );
  const withheld =
    few ??
    (observedMs < needed ? `observation: ${inWords(observedMs)} of the ${inWords(needed)} that it needs` : undefined) ??
    (ttlMs < lateMs && rung !== TODAY
      ? `exchange: instances know each other's loads after ${inWords(lateMs)} only`
      : undefined) ??
    tooWide('hit rate', hitRateError) ??
    tooWide('stale share', staleError);
  if (withheld !== undefined) {
    const none = { hitRate: null, hitRateError: null, staleShare: null, staleShareError: null };
    return { ttlMs, ...none, loadsPerHour: null, loadMsPerHour: null, withheld };
  }
  const loadsPerHour = accessesPerHour * (1 - hitRate.value);
  return {
    ttlMs,
    hitRate: hitRate.value,
    hitRateError: Math.hypot(hitRateError, STEP_ERROR),
    staleShare: Math.min(1, stale.value + (hits === 0 ? 0 : unchecked / hits)),
    staleShareError: staleError,
    loadsPerHour,
    loadMsPerHour: loads === 0 ? 0 : (loadsPerHour * loadMs) / loads,
  };
}

function sharedError({ sums, ttlMs, lateMs }: LadderFigures, rung: number): number {
  if (lateMs === 0 || sums.accesses === 0) return 0;
  const late = Math.min(1, lateMs / (ttlMs * RUNGS[rung]!));
  return (SHARED_ERROR * late * sums.whole(rung, Whole.shared)) / sums.accesses;
}

function tooWide(what: string, error: number): string | undefined {
  return error > MOST_ERROR ? `error: the ${what} is known to ${(error * 100).toFixed(1)} points only` : undefined;
}

/** The rung to change to; a text where its gain is below its error; undefined where today's is best. */
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

/** About how long, with one unit. */
function inWords(ms: number): string {
  for (const [unit, length] of UNITS) if (ms >= length) return `${Number((ms / length).toFixed(1))}${unit}`;
  return `${Math.round(ms)}ms`;
}
