import type { NotKeptCounts } from '../../metrics/snapshot.js';
import type { PatternEvidence } from '../evidence/evidence.js';
import { NOT_KEPT } from './not-kept.js';
import { duration, figure, percent, policyCode, spoken } from './figures-in-text.js';
import { type Advice } from './recommendation-types.js';

/*
 * Rules about loads: loads that caching does not avoid, loads that are faster than the cache, and loads that run more than once.
 */

const MIN_LOADS = 100;
/** A smaller gain per hour is noise, milliseconds. */
const LEAST_GAIN_MS = 1_000;
const CLEARLY = 1.2;

/** The origin answers faster than the cache. */
export function cheaperThanCache({ pattern, declared, stats, hours }: PatternEvidence): Advice | undefined {
  const { p50LoadTimeMs, avgLoadTimeMs, p50ResponseTimeMs, avgResponseTimeMs, hitRate, totalRequests } = stats;
  if (stats.recalculations < MIN_LOADS || p50LoadTimeMs === null || avgLoadTimeMs === null) return undefined;
  if (p50ResponseTimeMs === null || avgResponseTimeMs === null || hitRate === null) return undefined;
  if (p50LoadTimeMs > p50ResponseTimeMs) return undefined;
  // With the cache, an access takes the time of the cache, plus the load on a miss. Without the cache, it takes the load.
  const savedByHits = hitRate * avgLoadTimeMs;
  const lostMs = ((avgResponseTimeMs - savedByHits) * totalRequests) / hours;
  if (avgResponseTimeMs < savedByHits * CLEARLY || lostMs < LEAST_GAIN_MS) return undefined;
  const code = declared === undefined ? `// call load() itself, without cache.getOrSet: keys ${pattern}` : `// remove @Cached('${declared}'), or put memoryLayer() before the slow layer`; // prettier-ignore
  return {
    code: 'CHEAPER_THAN_CACHE',
    title: `Do not cache ${pattern}: its loads are faster`,
    why:
      `A load takes ${figure(p50LoadTimeMs)} ms and the cache ${figure(p50ResponseTimeMs)} ms (medians): accesses are slower with the ` +
      `cache than without. Remove the cache, or put memoryLayer() before the slow layer.`,
    change: { option: 'cached', from: true, to: false, code },
    evidence: {
      loads: stats.recalculations,
      p50LoadTimeMs,
      p50ResponseTimeMs,
      avgLoadTimeMs,
      avgResponseTimeMs,
      hitRate,
    },
    predicted: { hitRate: 0, hitRateError: 0, staleShare: 0, timeSavedMsPerHour: lostMs },
    confidence: p50LoadTimeMs * 2 < p50ResponseTimeMs ? 'high' : 'medium',
  };
}

const MIN_EMPTY = 30;
const MOSTLY = 0.5;

/** Loads that repeatedly return null or undefined. */
export function cacheEmptyResults(evidence: PatternEvidence): Advice | undefined {
  const { pattern, declared, stats, hours, policy, empty } = evidence;
  if (empty === undefined || Math.min(empty.loads, stats.notKept.empty) < MIN_EMPTY) return undefined;
  if (policy?.keepsEmpty === true) return undefined;
  const share = empty.repeated / empty.loads;
  if (share < MOSTLY) return undefined;
  const saved = stats.notKept.empty * share;
  const to = duration(empty.withinMs);
  return {
    code: 'CACHE_EMPTY_RESULTS',
    title: `Store empty results of ${pattern} for ${to}`,
    why:
      `${figure(stats.notKept.empty)} loads returned null or undefined, which is not stored; ${percent(share)} of them came within ` +
      `${spoken(empty.withinMs)} of the last one for the same key. With negativeTtl: '${to}' the cache answers these requests.`,
    change: {
      option: 'negativeTtl',
      from: null,
      to,
      code: policyCode(pattern, declared, `negativeTtl: '${to}'`),
    },
    evidence: { emptyLoads: stats.notKept.empty, sampled: empty.loads, repeatedShare: share, withinMs: empty.withinMs },
    predicted: {
      hitRate: stats.totalRequests === 0 ? null : Math.min(1, (stats.cacheHits + saved) / stats.totalRequests),
      hitRateError: stats.totalRequests === 0 ? null : (saved / stats.totalRequests) * halfWidth(share, empty.loads),
      staleShare: null,
      timeSavedMsPerHour: (saved / hours) * (stats.avgLoadTimeMs ?? 0),
    },
    confidence: empty.loads >= 300 ? 'high' : 'medium',
  };
}

const OVERLAPPING = 0.2;
const MIN_SHARED = 30;

/** Instances that load one key at the same time. */
export function shareLoads({
  pattern,
  declared,
  stats,
  hours,
  policy,
  sharedLoads,
}: PatternEvidence): Advice | undefined {
  if (sharedLoads === undefined || sharedLoads.loads < MIN_SHARED || policy?.lock === true) return undefined;
  const { loads, overlapping, spared: sparedLoads, instances } = sharedLoads;
  const share = overlapping / loads;
  if (instances < 2 || share < OVERLAPPING) return undefined;
  const spared = ((stats.recalculations / hours) * sparedLoads) / loads;
  return {
    code: 'SHARE_LOADS',
    title: `Load each key of ${pattern} in one instance at a time`,
    why:
      `${percent(share)} of the loads ran while another of ${instances} instances loaded the same key. With lock: true one loads and ` +
      `the others wait for its value.`,
    change: { option: 'lock', from: false, to: true, code: policyCode(pattern, declared, 'lock: true') },
    evidence: { loads, overlapping, overlappingShare: share, instances },
    predicted: {
      hitRate: stats.hitRate,
      hitRateError: 0,
      staleShare: null,
      timeSavedMsPerHour: spared * (stats.avgLoadTimeMs ?? 0),
      loadsPerHour: stats.recalculations / hours - spared,
    },
    confidence: loads >= 300 ? 'high' : 'medium',
  };
}

const MIN_COLD = 20;
const FEW_KEYS = 1_000;
const SLOW_LOAD_MS = 10;

const HOUR_MS = 3_600_000;
/** A key that was cold at a start is popular from this number of accesses per key on. */
const MANY_ASK = 10;

/** Cold misses after a start for a few popular keys. */
export function warm({ pattern, declared, stats, hours, starts }: PatternEvidence): Advice | undefined {
  if (starts === undefined || starts.coldMisses < MIN_COLD || starts.distinctKeys > FEW_KEYS) return undefined;
  const loadMs = stats.avgLoadTimeMs ?? 0;
  if (loadMs < SLOW_LOAD_MS || stats.totalRequests < starts.distinctKeys * MANY_ASK) return undefined;
  const { coldMisses, distinctKeys, withinMs, agoMs } = starts;
  // Count one start since then: the longer the process has run, the less warming saves per hour.
  const perHour = coldMisses / Math.max(hours, agoMs / HOUR_MS);
  const saved = Math.min(stats.cacheMisses, perHour * hours);
  if (perHour * loadMs < LEAST_GAIN_MS) return undefined;
  return {
    code: 'WARM',
    title: `Warm ${figure(distinctKeys)} keys of ${pattern} at start`,
    why:
      `In the first ${spoken(withinMs)} after a start ${figure(coldMisses)} callers waited ${figure(loadMs)} ms for keys that had not been ` +
      `loaded yet: ${figure(distinctKeys)} keys, each requested ${figure(stats.totalRequests / distinctKeys)} times.`,
    change: {
      option: 'warm',
      from: null,
      to: true,
      code:
        declared === undefined
          ? `@WarmingStrategy({ name: '${nameOf(pattern)}', onStartup: true }) // yields the keys of ${pattern}`
          : policyCode(pattern, declared, 'warm: [/* the most frequent requests */]'),
    },
    evidence: { starts: starts.starts, coldMisses, distinctKeys, withinMs, avgLoadTimeMs: loadMs },
    predicted: {
      hitRate: Math.min(1, (stats.cacheHits + saved) / stats.totalRequests),
      hitRateError: saved / stats.totalRequests / 10,
      staleShare: null,
      timeSavedMsPerHour: perHour * loadMs,
    },
    confidence: starts.starts > 1 ? 'high' : 'medium',
  };
}

const MIN_NOT_KEPT = 20;

/** Answers that are never stored, with the reason. */
export function notCached(evidence: PatternEvidence): Advice | undefined {
  const { pattern, declared, stats, hours, keys } = evidence;
  const counts = Object.entries(stats.notKept) as [keyof NotKeptCounts, number][];
  const dropped = counts.reduce((all, [, count]) => all + count, 0);
  if (dropped < MIN_NOT_KEPT || dropped < (dropped + stats.sets) * MOSTLY) return undefined;
  const [reason, count] = counts.reduce((most, each) => (each[1] > most[1] ? each : most));
  const { because, advice, option, to } = NOT_KEPT[reason];
  const repeats = keys?.repeats ?? null;
  const more = stats.cacheMisses * (repeats ?? 0);
  return {
    code: 'NOT_CACHED',
    title: `Answers of ${pattern} are not stored`,
    why: `Not cached: ${dropped} loads and writes stored nothing, ${count} of them because ${because}. ${advice}`,
    change: {
      option,
      from: null,
      to: to ?? null,
      code: to === undefined ? `// ${advice}` : policyCode(pattern, declared, `${option}: '${to}'`),
    },
    evidence: { reason, notKept: dropped, becauseOfIt: count, sets: stats.sets },
    predicted: {
      hitRate: repeats === null || stats.totalRequests === 0 ? null : (stats.cacheHits + more) / stats.totalRequests,
      hitRateError: repeats === null ? null : halfWidth(repeats, keys!.loads),
      staleShare: null,
      // If loads fail, storing their values saves nothing.
      timeSavedMsPerHour: reason === 'error' ? 0 : (more / hours) * (stats.avgLoadTimeMs ?? 0),
    },
    confidence: dropped >= 200 ? 'high' : 'medium',
  };
}

/** Half of the 95 % confidence interval of a share of `of` observations. */
function halfWidth(share: number, of: number): number {
  return of === 0 ? 1 : 2 * Math.sqrt((share * (1 - share)) / of) + 1 / of;
}

/** A name for a strategy: letters and digits of the pattern. */
function nameOf(pattern: string): string {
  return pattern.replace(/[^A-Za-z0-9]+/g, '-').replace(/^-|-$/g, '') || 'keys';
}
