import { CacheError } from '../cache/base/errors.js';
import type { SubjectMetrics } from '../metrics/cache-metrics.js';
import { cachedSiteOf } from './decoration/method-site.js';

/**
 * Returns the statistics of one `@Cached` handler or method: `cacheMetricsOf(service.find)`,
 * `cacheMetricsOf(FeedService.prototype.find)`. With several applications in a process, those of the one initialised last.
 * @throws CacheError `INVALID_OPTIONS` for a function that is not decorated, or not part of a running application with metrics.
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
