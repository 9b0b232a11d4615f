import type { CacheLog } from '../cache/base/cache-log.js';
import type { Clock } from '../cache/base/clock.js';
import type { CacheObserver } from '../cache/base/observer.js';
import { CacheMetrics } from '../metrics/cache-metrics.js';
import type { Judgement } from '../metrics/judgement.js';
import { NoopObserver } from '../metrics/noop-observer.js';
import { MetricsRecorder, type RecorderOptions } from '../metrics/recorder.js';
import { DEFAULT_HEALTH, healthJudge, type HealthThresholds } from './health.js';
import { type AdviceState, lowPerformerAdvice } from './recommendations/low-performer.js';

export type { HealthThresholds };

export interface CreateCacheMetricsOptions {
  /** `false`: nothing is counted or timed. */
  readonly metrics?: (Omit<RecorderOptions, 'clock' | 'log'> & { readonly prefix?: string }) | false;
  readonly health?: HealthThresholds;
  readonly clock: Clock;
  /** Numbers from 0 to 1, for sampling. @default Math.random */
  readonly random?: () => number;
  readonly log?: CacheLog;
}

/** Returns the state of the recommendations for a pattern. */
export type AdviceSource = (pattern: string) => AdviceState | undefined;

/** Without insight, the effects of another TTL, more memory or fewer invalidations are unknown. */
const NOT_OBSERVED = 'insight is off, so no accesses are observed.';
const NO_ADVICE: AdviceState = {
  recommendation: undefined,
  missing: { ttl: NOT_OBSERVED, memory: NOT_OBSERVED, invalidation: NOT_OBSERVED },
};

/**
 * Creates the observer for the cache, and the metrics that read its counts, with health and advice. `adviseBy` connects the metrics with
 * the recommendations, which are derived from these metrics.
 */
export function createCacheMetrics(options: CreateCacheMetricsOptions): {
  readonly observer: CacheObserver;
  readonly metrics: CacheMetrics;
  adviseBy(source: AdviceSource): void;
} {
  let advice: AdviceSource = () => NO_ADVICE;
  const adviseBy = (source: AdviceSource): void => void (advice = source);
  const { metrics = {}, health, clock, random, log } = options;
  const thresholds = withDefaults(health);
  const judgement: Judgement = {
    window: thresholds.window,
    targets: Object.keys(thresholds.patterns),
    assessHealth: healthJudge(thresholds),
    recommend: (facts) => lowPerformerAdvice(facts, advice(facts.stats.pattern) ?? NO_ADVICE),
  };
  if (metrics === false) {
    const observer = new NoopObserver();
    return { observer, metrics: new CacheMetrics(observer, judgement, { clock }), adviseBy };
  }
  const { prefix = '', ...recording } = metrics;
  const observer = new MetricsRecorder({
    ...(random !== undefined && { random }),
    ...recording,
    clock,
    ...(log !== undefined && { log }),
  });
  return { observer, metrics: new CacheMetrics(observer, judgement, { clock, prefix }), adviseBy };
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
