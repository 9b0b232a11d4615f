import type { SubjectMetrics } from '../metrics/cache-metrics.js';

/**
 * The statistics of one `@Cached` handler or method: `cacheMetricsOf(service.find)`, `cacheMetricsOf(FeedService.prototype.find)`.
 * In a process with several applications they are those of the one that was initialised last.
 * @throws CacheError `INVALID_OPTIONS` for a function that is not decorated, or whose application has no metrics.
 * @publicApi
 */
export function cacheMetricsOf(_method: (...args: never[]) => unknown): SubjectMetrics {
  throw new TypeError('not decorated');
}
