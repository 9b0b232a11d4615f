import { CacheError } from '../cache/errors.js';
import type { SubjectMetrics } from '../metrics/cache-metrics.js';
import { cachedSiteOf } from './decoration/method-site.js';

/**
 * The statistics of one `@Cached` handler or method: `cacheMetricsOf(service.find)`, `cacheMetricsOf(FeedService.prototype.find)`.
 * In a process with several applications they are those of the one that was initialised last.
 * @throws CacheError `INVALID_OPTIONS` for a function that is not decorated, or that no running application with metrics has.
 * @publicApi
 */
export function cacheMetricsOf(method: (...args: never[]) => unknown): SubjectMetrics {
  const site = cachedSiteOf(method);
  if (site === undefined) {
    throw new CacheError(
      'INVALID_OPTIONS',
      `cacheMetricsOf: ${method.name || 'the function'} is not decorated with @Cached.`,
    );
  }
  const latest = [...site.measured].at(-1);
  if (latest === undefined) {
    throw new CacheError(
      'INVALID_OPTIONS',
      `cacheMetricsOf: no running application with metrics has ${site.declaredBy.name}.${String(site.method)}.`,
    );
  }
  const { metrics } = latest;
  return metrics.viewOf([...site.measured].filter((one) => one.metrics === metrics).map(({ series }) => series));
}
