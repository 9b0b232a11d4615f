/** What patterns are ranked by. */
export interface PatternCounts {
  readonly pattern: string;
  readonly requests: number;
  readonly hitRate: number | null;
}

/** Those that are asked at all, most first. */
export function mostAsked(counts: readonly PatternCounts[], limit: number): PatternCounts[] {
  return counts
    .filter(({ requests }) => requests > 0)
    .sort((a, b) => b.requests - a.requests)
    .slice(0, Math.max(0, limit));
}

/** Those whose hit rate is below `threshold`, lowest first, without what is asked less often than `minRequests`. */
export function leastHit(counts: readonly PatternCounts[], threshold: number, minRequests: number): PatternCounts[] {
  return counts
    .filter(({ requests, hitRate }) => requests >= Math.max(1, minRequests) && hitRate !== null && hitRate < threshold)
    .sort((a, b) => a.hitRate! - b.hitRate! || b.requests - a.requests);
}
