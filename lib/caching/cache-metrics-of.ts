import { CacheError } from '../cache/base/errors.js';
import type { SubjectMetrics } from '../metrics/cache-metrics.js';
import { cachedSiteOf } from './decoration/method-site.js';

/** The names of the methods of a class. */
export type MethodName<T> = {
  [K in keyof T]: T[K] extends (...args: never[]) => unknown ? K : never;
}[keyof T];

/**
 * Returns the statistics of one `@Cached` handler or method: `cacheMetricsOf(service, 'find')`,
 * `cacheMetricsOf(FeedService.prototype, 'find')`. If a process has several applications, the statistics of the one initialised
 * last are returned.
 * @throws CacheError `INVALID_OPTIONS` for a method that is not decorated, or not part of a running application with metrics.
 * @publicApi
 */
export function cacheMetricsOf<T extends object>(instance: T, method: MethodName<T>): SubjectMetrics;
/** Takes the method itself. The lint rule `unbound-method` refuses such a call. */
export function cacheMetricsOf(method: (...args: never[]) => unknown): SubjectMetrics;
export function cacheMetricsOf(owner: object, name?: PropertyKey): SubjectMetrics {
  const method: unknown = name === undefined ? owner : Reflect.get(owner, name);
  const site = typeof method === 'function' ? cachedSiteOf(method) : undefined;
  if (site === undefined) {
    const given = name ?? (owner as { readonly name?: string }).name;
    throw new CacheError(
      'INVALID_OPTIONS',
      `cacheMetricsOf: ${given === undefined || given === '' ? 'the function' : String(given)} is not decorated with @Cached.`,
    );
  }
  const latest = site.measured.at(-1);
  if (latest === undefined) {
    throw new CacheError(
      'INVALID_OPTIONS',
      `cacheMetricsOf: no running application with metrics has ${site.declaredBy.name}.${String(site.method)}.`,
    );
  }
  const { metrics } = latest;
  return metrics.viewOf(site.measured.filter((one) => one.metrics === metrics).map(({ series }) => series));
}
