import type { CacheLog } from '../cache/cache-log.js';
import type { Clock } from '../cache/clock.js';
import type { CacheObserver } from '../cache/observer.js';
import { CacheMetrics } from '../metrics/cache-metrics.js';
import { NoopObserver } from '../metrics/noop-observer.js';
import { MetricsRecorder } from '../metrics/recorder.js';
import type { Window } from '../metrics/snapshot.js';

/** When the cache is called healthy; see `HealthOptions`. */
export interface HealthThresholds {
  /** @default 0.5 */
  readonly minHitRate?: number;
  /** @default 50 */
  readonly maxAvgResponseTimeMs?: number;
  /** @default 100 */
  readonly maxP95ResponseTimeMs?: number;
  /** @default '5m' */
  readonly window?: Window;
  /** @default 20 */
  readonly minimumRequests?: number;
  readonly patterns?: Readonly<Record<string, { readonly hitRate: number }>>;
}

export interface CreateCacheMetricsOptions {
  /** `false`: nothing is counted or timed. */
  readonly metrics?:
    | {
        readonly samplingRate?: number;
        readonly maxPatterns?: number;
        readonly maxEndpoints?: number;
        readonly prefix?: string;
        readonly patternOf?: (key: string) => string | undefined;
      }
    | false;
  readonly health?: HealthThresholds;
  readonly clock: Clock;
  readonly log?: CacheLog;
}

/** The observer to hand to the cache, and the metrics that read what it counted. */
export function createCacheMetrics(options: CreateCacheMetricsOptions): {
  readonly observer: CacheObserver;
  readonly metrics: CacheMetrics;
} {
  const metrics = options.metrics ?? {};
  const observer = metrics === false ? new NoopObserver() : new MetricsRecorder({ ...metrics, ...options });
  return {
    observer,
    metrics: new CacheMetrics(
      observer,
      {
        window: options.health?.window ?? '5m',
        assessHealth: () => {
          throw new Error('face only');
        },
        recommend: () => '',
      },
      { clock: options.clock, prefix: metrics === false ? '' : (metrics.prefix ?? '') },
    ),
  };
}
