import type { HealthFacts } from '../metrics/judgement.js';
import type { HealthReport, HealthStatus, HealthWarning, LayerStats, Window } from '../metrics/snapshot.js';

/** The limits by which health is judged. */
export interface HealthThresholds {
  /** Degraded below this hit rate, 0–1. @default 0.5 */
  readonly minHitRate?: number;
  /** Degraded from this mean response time on, milliseconds. @default 50 */
  readonly maxAvgResponseTimeMs?: number;
  /** Warning from this 95th percentile of the response time on, milliseconds. @default 100 */
  readonly maxP95ResponseTimeMs?: number;
  /** The window that is judged. @default '5m' */
  readonly window?: Window;
  /** With fewer accesses in the window, rates and times are not judged. @default 20 */
  readonly minimumRequests?: number;
  /** Targets of single patterns; one that is missed is a warning. */
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

/**
 * Judges the cache: degraded if the hit rate is below or the mean response time at or above its threshold; a warning
 * if only the 95th percentile is, a circuit is open, a layer is down, has sweeps or invalidations pending or cannot pass messages, or
 * a pattern misses its target.
 */
export function assessHealth(facts: HealthFacts, thresholds: Required<HealthThresholds>): HealthReport {
  const { stats, now } = facts;
  const enough = stats.totalRequests >= thresholds.minimumRequests;
  const degrading = enough ? degradations(facts, thresholds) : [];
  const warnings = [
    ...degrading,
    ...(enough ? slowTail(facts, thresholds) : []),
    ...troubledLayers(facts),
    ...missedTargets(facts, thresholds),
  ];
  const status: HealthStatus = degrading.length > 0 ? 'degraded' : warnings.length > 0 ? 'warning' : 'healthy';
  return Object.freeze({
    status,
    hitRate: stats.hitRate,
    avgResponseTimeMs: stats.avgResponseTimeMs,
    p95ResponseTimeMs: stats.p95ResponseTimeMs,
    totalRequests: stats.totalRequests,
    warnings: Object.freeze(warnings.map((warning) => Object.freeze(warning))),
    ...(enough
      ? {}
      : {
          note: `${stats.totalRequests} of at least ${thresholds.minimumRequests} requests in ${spoken(stats.window)}: too few to judge the hit rate and response times by.`,
        }),
    window: stats.window,
    timestamp: new Date(now).toISOString(),
  });
}

function degradations({ stats }: HealthFacts, thresholds: Required<HealthThresholds>): HealthWarning[] {
  const { hitRate, avgResponseTimeMs } = stats;
  const { minHitRate, maxAvgResponseTimeMs } = thresholds;
  const warnings: HealthWarning[] = [];
  if (hitRate !== null && hitRate < minHitRate) {
    warnings.push({
      code: 'LOW_HIT_RATE',
      message: `The hit rate is ${percent(hitRate)}, below ${percent(minHitRate)}.`,
      value: hitRate,
      threshold: minHitRate,
    });
  }
  if (avgResponseTimeMs !== null && avgResponseTimeMs >= maxAvgResponseTimeMs) {
    warnings.push({
      code: 'HIGH_AVG_RESPONSE_TIME',
      message: `The cache answers after ${rounded(avgResponseTimeMs)} ms on average; ${maxAvgResponseTimeMs} ms is the limit.`,
      value: avgResponseTimeMs,
      threshold: maxAvgResponseTimeMs,
    });
  }
  return warnings;
}

function slowTail({ stats }: HealthFacts, { maxP95ResponseTimeMs }: Required<HealthThresholds>): HealthWarning[] {
  const { p95ResponseTimeMs } = stats;
  if (p95ResponseTimeMs === null || p95ResponseTimeMs < maxP95ResponseTimeMs) return [];
  return [
    {
      code: 'HIGH_P95_RESPONSE_TIME',
      message: `One answer of the cache in twenty takes ${rounded(p95ResponseTimeMs)} ms or more; ${maxP95ResponseTimeMs} ms is the limit.`,
      value: p95ResponseTimeMs,
      threshold: maxP95ResponseTimeMs,
    },
  ];
}

function troubledLayers({ layers }: HealthFacts): HealthWarning[] {
  return layers.flatMap((stats) => {
    const { layer, circuitState, connected, sweepsPending = 0 } = stats;
    const warnings: HealthWarning[] = [];
    if (circuitState === 'open') {
      warnings.push({
        code: 'CIRCUIT_OPEN',
        message: `The circuit of layer '${layer}' is open: the cache works without it until it answers again.`,
        value: circuitState,
        threshold: 'closed',
        layer,
      });
    }
    if (!connected) {
      warnings.push({
        code: 'LAYER_DOWN',
        message: `Layer '${layer}' is not connected: the cache works without it.`,
        value: 'disconnected',
        threshold: 'connected',
        layer,
      });
    }
    if (sweepsPending > 0) {
      warnings.push({
        code: 'SWEEP_PENDING',
        message: `Layer '${layer}' has not removed what ${sweepsPending} invalidations by glob concern: it is not read, but takes memory. Let its user SCAN.`,
        value: sweepsPending,
        threshold: 0,
        layer,
      });
    }
    // If the layer is away, that explains its pending work.
    if (connected && circuitState === 'closed') warnings.push(...refusals(stats));
    return warnings;
  });
}

/** Operations that an answering layer refuses to this user: invalidations, and messages between the processes. */
function refusals({ layer, invalidationsPending = 0, busNotSent, busUnreachable }: LayerStats): HealthWarning[] {
  const warnings: HealthWarning[] = [];
  if (invalidationsPending > 0) {
    warnings.push({
      code: 'INVALIDATIONS_PENDING',
      message: `Layer '${layer}' has not taken ${invalidationsPending} invalidations: other processes may still read what they concern. See LAYER_FAILED in the log for the reason.`,
      value: invalidationsPending,
      threshold: 0,
      layer,
    });
  }
  if (busNotSent === true) {
    warnings.push({
      code: 'BUS_NOT_SENT',
      message: `Invalidations cannot be sent through layer '${layer}': memory of other processes may be outdated. Let its user PUBLISH to its channels.`,
      value: 'not sent',
      threshold: 'sent',
      layer,
    });
  }
  if (busUnreachable === true) {
    warnings.push({
      code: 'BUS_UNREACHABLE',
      message: `Invalidations of other processes cannot be received through layer '${layer}': memory may be outdated. Let its user SUBSCRIBE to its channels.`,
      value: 'not received',
      threshold: 'received',
      layer,
    });
  }
  return warnings;
}

function missedTargets({ patterns }: HealthFacts, thresholds: Required<HealthThresholds>): HealthWarning[] {
  return patterns.flatMap(({ pattern, hitRate, totalRequests }) => {
    const target = thresholds.patterns[pattern]?.hitRate;
    if (target === undefined || hitRate === null || hitRate >= target) return [];
    if (totalRequests < thresholds.minimumRequests) return [];
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
  return window === 'all' ? 'all the time since start' : `the last ${window}`;
}

function percent(share: number): string {
  return `${rounded(share * 100)} %`;
}

function rounded(value: number): number {
  return Math.round(value * 10) / 10;
}
