import type { CacheStats } from '../../metrics/snapshot.js';

/** The counts of about a minute, of one pattern or of the whole cache. */
export interface Minute {
  /** The end of the minute, milliseconds since the Unix epoch. */
  readonly at: number;
  /** How long was observed, in minutes. */
  readonly minutes: number;
  readonly requests: number;
  readonly hits: number;
  /** Accesses and loads that failed. */
  readonly failures: number;
  /** The number of accesses, or of loads if there are more of them: what the failures are a share of. */
  readonly attempts: number;
  /** Loads that succeeded. */
  readonly loads: number;
  /** The p95 time of these loads, milliseconds; null without loads. */
  readonly loadP95Ms: number | null;
  /** Invalidations and deletions. For a single pattern: deletions, and misses that follow an invalidation. */
  readonly invalidations: number;
}

/** Returns the minute that statistics of the window `1m` describe. @param overall false for a single pattern. */
export function minuteOf(stats: CacheStats, at: number, overall: boolean): Minute {
  const { totalRequests, cacheHits, errors, loadErrors, loadRejections, recalculations, deletes } = stats;
  return {
    at,
    minutes: stats.coverageSeconds / 60,
    requests: totalRequests,
    hits: cacheHits,
    failures: errors + loadErrors,
    attempts: Math.max(totalRequests, errors + recalculations),
    loads: recalculations - loadErrors - loadRejections,
    loadP95Ms: stats.p95LoadTimeMs,
    invalidations: deletes + (overall ? stats.invalidations : stats.missReasons.invalidated),
  };
}
