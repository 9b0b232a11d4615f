import type { CacheLog } from '../cache/cache-log.js';
import type { Clock } from '../cache/clock.js';
import type { CacheObserver } from '../cache/observer.js';
import { CacheMetrics } from '../metrics/cache-metrics.js';
import type { Judgement } from '../metrics/judgement.js';
import { NoopObserver } from '../metrics/noop-observer.js';
import { MetricsRecorder, type RecorderOptions } from '../metrics/recorder.js';
import { assessHealth, DEFAULT_HEALTH, type HealthThresholds } from './health.js';
import { recommend } from './recommendations.js';

export type { HealthThresholds };

export interface CreateCacheMetricsOptions {
  /** `false`: nothing is counted or timed. */
  readonly metrics?: (Omit<RecorderOptions, 'clock' | 'log'> & { readonly prefix?: string }) | false;
  readonly health?: HealthThresholds;
  readonly clock: Clock;
  readonly log?: CacheLog;
}

/** The observer to hand to the cache, and the metrics that read what it counted, with health and advice. */
export function createCacheMetrics(options: CreateCacheMetricsOptions): {
  readonly observer: CacheObserver;
  readonly metrics: CacheMetrics;
} {
  const { metrics = {}, health, clock, log } = options;
  const thresholds = withDefaults(health);
  const judgement: Judgement = {
    window: thresholds.window,
    targets: Object.keys(thresholds.patterns),
    assessHealth: (facts) => assessHealth(facts, thresholds),
    recommend,
  };
  if (metrics === false) {
    const observer = new NoopObserver();
    return { observer, metrics: new CacheMetrics(observer, judgement, { clock }) };
  }
  const { prefix = '', ...recording } = metrics;
  const observer = new MetricsRecorder({ ...recording, clock, ...(log === undefined ? {} : { log }) });
  return { observer, metrics: new CacheMetrics(observer, judgement, { clock, prefix }) };
}

function withDefaults(health: HealthThresholds = {}): Required<HealthThresholds> {
  return {
    minHitRate: health.minHitRate ?? DEFAULT_HEALTH.minHitRate,
    maxAvgResponseTimeMs: health.maxAvgResponseTimeMs ?? DEFAULT_HEALTH.maxAvgResponseTimeMs,
    maxP95ResponseTimeMs: health.maxP95ResponseTimeMs ?? DEFAULT_HEALTH.maxP95ResponseTimeMs,
    window: health.window ?? DEFAULT_HEALTH.window,
    minimumRequests: health.minimumRequests ?? DEFAULT_HEALTH.minimumRequests,
    patterns: health.patterns ?? DEFAULT_HEALTH.patterns,
  };
}
