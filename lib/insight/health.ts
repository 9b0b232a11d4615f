import { counted } from '../cache/base/counted.js';
import { SETTLING_MS } from './alerts/alert.js';
import { isInUse } from '../cache/layers/layer.js';
import type { HealthFacts } from '../metrics/judgement.js';
import type { CacheStats, HealthReport, HealthStatus, HealthWarning, LayerStats, Window } from '../metrics/snapshot.js';

/** The limits for the judgement of health. */
export interface HealthThresholds {
  /** Below this hit rate, 0–1, the status is `degraded`. @default 0.5 */
  readonly minHitRate?: number;
  /** From this mean response time on, milliseconds, the status is `degraded`. @default 50 */
  readonly maxAvgResponseTimeMs?: number;
  /** From this p95 response time on, milliseconds, the status is `warning`. @default 100 */
  readonly maxP95ResponseTimeMs?: number;
  /** The window that is judged. @default '5m' */
  readonly window?: Window;
  /** With fewer accesses in the window, the hit rate and times are not judged. @default 20 */
  readonly minimumRequests?: number;
  /** Targets of single patterns, by pattern. If a hit rate is below its target, the status is `warning`. */
  readonly patterns?: Readonly<Record<string, { readonly hitRate: number }>>;
}

export const DEFAULT_HEALTH: Required<HealthThresholds> = {
  minHitRate: 0.5,
  maxAvgResponseTimeMs: 50,
  maxP95ResponseTimeMs: 100,
  window: '5m',
  minimumRequests: 20,
  patterns: {},
};

/** Returns the judgement of one cache, which remembers when a layer was last away. */
export function healthJudge(thresholds: Required<HealthThresholds>) {
  let awayAt = -Infinity;
  return (facts: HealthFacts): HealthReport => {
    const { now, layers } = facts;
    if (!layers.every(isInUse)) awayAt = now;
    return assessHealth(facts, thresholds, now - awayAt < SETTLING_MS);
  };
}

/**
 * Judges the cache. The status is `degraded` if the hit rate is below its threshold or the mean response time is at or above its own. It
 * is `warning` if only the p95 is too high, a circuit is open, a layer is down, has pending sweeps or invalidations or cannot pass
 * messages, or a pattern misses its target.
 * @param lost whether a layer is away, or was a short time ago: then its entries are loaded again.
 */
function assessHealth(facts: HealthFacts, thresholds: Required<HealthThresholds>, lost: boolean): HealthReport {
  const { stats, now } = facts;
  const { minimumRequests } = thresholds;
  const judged = judgedRequests(stats, lost);
  const judgesRate = judged >= minimumRequests;
  const judgesTimes = stats.totalRequests >= minimumRequests;
  const degrading = [
    ...(judgesRate ? lowHitRate(stats, thresholds, lost) : []),
    ...(judgesTimes ? slowMean(stats, thresholds) : []),
  ];
  const warnings = [
    ...degrading,
    ...(judgesTimes ? slowTail(stats, thresholds) : []),
    ...troubledLayers(facts),
    ...missedTargets(facts, thresholds, lost),
  ];
  const status: HealthStatus = degrading.length > 0 ? 'degraded' : warnings.length > 0 ? 'warning' : 'healthy';
  return Object.freeze({
    status,
    hitRate: stats.hitRate,
    avgResponseTimeMs: stats.avgResponseTimeMs,
    p95ResponseTimeMs: stats.p95ResponseTimeMs,
    totalRequests: stats.totalRequests,
    warnings: Object.freeze(warnings.map((warning) => Object.freeze(warning))),
    ...(judgesRate ? {} : { note: noteOf(stats, judged, thresholds) }),
    window: stats.window,
    timestamp: new Date(now).toISOString(),
  });
}

/** The number of requests without those that missed because a layer was lost. */
function judgedRequests({ totalRequests, missReasons }: CacheStats, lost: boolean): number {
  return lost ? totalRequests - missReasons.error : totalRequests;
}

/** The hit rate among {@link judgedRequests}; null if there are none. */
function judgedHitRate(stats: CacheStats, lost: boolean): number | null {
  const judged = judgedRequests(stats, lost);
  return judged === 0 ? null : stats.cacheHits / judged;
}

function noteOf(stats: CacheStats, judged: number, { minimumRequests }: Required<HealthThresholds>): string {
  const { totalRequests, window } = stats;
  const within = `in ${spoken(window)}`;
  if (totalRequests < minimumRequests)
    return `${totalRequests} of at least ${minimumRequests} requests ${within}: too few to judge the hit rate and response times.`;
  return `${totalRequests - judged} of ${totalRequests} requests ${within} missed because a layer was lost. The other ${judged} are too few to judge the hit rate.`;
}

function lowHitRate(stats: CacheStats, { minHitRate }: Required<HealthThresholds>, lost: boolean): HealthWarning[] {
  const hitRate = judgedHitRate(stats, lost);
  if (hitRate === null || hitRate >= minHitRate) return [];
  return [
    {
      code: 'LOW_HIT_RATE',
      message: `The hit rate is ${percent(hitRate)}, below ${percent(minHitRate)}.`,
      value: hitRate,
      threshold: minHitRate,
    },
  ];
}

function slowMean({ avgResponseTimeMs }: CacheStats, thresholds: Required<HealthThresholds>): HealthWarning[] {
  const { maxAvgResponseTimeMs } = thresholds;
  if (avgResponseTimeMs === null || avgResponseTimeMs < maxAvgResponseTimeMs) return [];
  return [
    {
      code: 'HIGH_AVG_RESPONSE_TIME',
      message: `The mean response time is ${rounded(avgResponseTimeMs)} ms; the limit is ${maxAvgResponseTimeMs} ms.`,
      value: avgResponseTimeMs,
      threshold: maxAvgResponseTimeMs,
    },
  ];
}

function slowTail({ p95ResponseTimeMs }: CacheStats, thresholds: Required<HealthThresholds>): HealthWarning[] {
  const { maxP95ResponseTimeMs } = thresholds;
  if (p95ResponseTimeMs === null || p95ResponseTimeMs < maxP95ResponseTimeMs) return [];
  return [
    {
      code: 'HIGH_P95_RESPONSE_TIME',
      message: `The p95 response time is ${rounded(p95ResponseTimeMs)} ms; the limit is ${maxP95ResponseTimeMs} ms.`,
      value: p95ResponseTimeMs,
      threshold: maxP95ResponseTimeMs,
    },
  ];
}

function troubledLayers({ layers }: HealthFacts): HealthWarning[] {
  return layers.flatMap((stats) => {
    const { layer, circuitState, connected, failure, sweepsPending = 0 } = stats;
    const because = failure === undefined ? '.' : `: ${failure}`;
    const warnings: HealthWarning[] = [];
    if (circuitState !== 'closed') {
      warnings.push({
        code: 'CIRCUIT_OPEN',
        message: `The circuit of layer '${layer}' is open, and the cache works without it until it answers again${because}`,
        // To callers, a half-open circuit is open.
        value: 'open',
        threshold: 'closed',
        layer,
      });
    }
    if (!connected) {
      warnings.push({
        code: 'LAYER_DOWN',
        message: `Layer '${layer}' is not connected, and the cache works without it${because}`,
        value: 'disconnected',
        threshold: 'connected',
        layer,
      });
    }
    if (sweepsPending > 0) {
      warnings.push({
        code: 'SWEEP_PENDING',
        message: `Layer '${layer}' has not yet removed the entries of ${counted(sweepsPending, 'invalidation')} by glob: they are not read, but take memory. Grant SCAN to its user.`,
        value: sweepsPending,
        threshold: 0,
        layer,
      });
    }
    // If the layer is away, that already explains its pending work.
    if (isInUse(stats)) warnings.push(...refusals(stats));
    return warnings;
  });
}

/** Returns warnings about operations that a layer refuses although it answers: invalidations, and messages between processes. */
function refusals({ layer, invalidationsPending = 0, busNotSent, busUnreachable }: LayerStats): HealthWarning[] {
  const warnings: HealthWarning[] = [];
  if (invalidationsPending > 0) {
    warnings.push({
      code: 'INVALIDATIONS_PENDING',
      message: `Layer '${layer}' has not accepted ${counted(invalidationsPending, 'invalidation')}: other processes may still read outdated values. See LAYER_FAILED in the log for the reason.`,
      value: invalidationsPending,
      threshold: 0,
      layer,
    });
  }
  if (busNotSent === true) {
    warnings.push({
      code: 'BUS_NOT_SENT',
      message: `Other processes cannot be notified of changes through layer '${layer}': their memory may be outdated. Grant its user PUBLISH on its channels.`,
      value: 'not sent',
      threshold: 'sent',
      layer,
    });
  }
  if (busUnreachable === true) {
    warnings.push({
      code: 'BUS_UNREACHABLE',
      message: `Invalidations of other processes cannot be received through layer '${layer}': memory may be outdated. Grant its user SUBSCRIBE on its channels.`,
      value: 'not received',
      threshold: 'received',
      layer,
    });
  }
  return warnings;
}

function missedTargets(
  { patterns }: HealthFacts,
  thresholds: Required<HealthThresholds>,
  lost: boolean,
): HealthWarning[] {
  return patterns.flatMap((stats) => {
    const { pattern } = stats;
    const target = thresholds.patterns[pattern]?.hitRate;
    const hitRate = judgedHitRate(stats, lost);
    if (target === undefined || hitRate === null || hitRate >= target) return [];
    if (judgedRequests(stats, lost) < thresholds.minimumRequests) return [];
    return [
      {
        code: 'PATTERN_BELOW_TARGET' as const,
        message: `The hit rate of ${pattern} is ${percent(hitRate)}, below its target of ${percent(target)}.`,
        value: hitRate,
        threshold: target,
        pattern,
      },
    ];
  });
}

function spoken(window: Window): string {
  return window === 'all' ? 'the time since the start' : `the last ${window}`;
}

function percent(share: number): string {
  return `${rounded(share * 100)} %`;
}

function rounded(value: number): number {
  return Math.round(value * 10) / 10;
}
