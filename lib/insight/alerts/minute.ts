import type { CacheStats } from '../../metrics/snapshot.js';

/** The counts of about a minute, of one pattern or of the whole cache. */
export interface Minute {
  /** When it ended, milliseconds since the Unix epoch. */
  readonly at: number;
  /** How much of it was observed, in minutes. */
  readonly minutes: number;
  readonly requests: number;
  readonly hits: number;
  /** Accesses and loads that failed. */
  readonly failures: number;
  /** Accesses, or loads if there are more of them: the number that may have failed. */
  readonly attempts: number;
  /** Loads that succeeded. */
  readonly loads: number;
  /** Their 95th percentile, milliseconds; null without any. */
  readonly loadP95Ms: number | null;
  /** Invalidations and deletions; of one pattern, deletions and misses that follow an invalidation. */
  readonly invalidations: number;
}

/** The minute that statistics of the window `1m` describe. @param overall false for a single pattern. */
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
