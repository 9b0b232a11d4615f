import type { LayerEvidence, PatternEvidence, TtlRung } from '../../lib/insight/evidence/evidence.js';
import { createCacheMetrics } from '../../lib/insight/create-cache-metrics.js';
import type { LayerStats, PatternStats } from '../../lib/metrics/snapshot.js';
import { ManualClock } from './manual-clock.js';

/** Statistics of a pattern without accesses, with these fields. */
export function statsWith(fields: Partial<PatternStats> = {}): PatternStats {
  const { metrics } = createCacheMetrics({ clock: new ManualClock() });
  const none = metrics.getPatternStats('item:*', '1h');
  const { cacheHits = 0, cacheMisses = 0 } = fields;
  const totalRequests = cacheHits + cacheMisses;
  return { ...none, totalRequests, hitRate: totalRequests === 0 ? null : cacheHits / totalRequests, ...fields };
}

/** Reasons of misses, the others 0. */
export function missReasons(reasons: Partial<PatternStats['missReasons']>): PatternStats['missReasons'] {
  return { ...statsWith().missReasons, ...reasons };
}

/** Counts of values that were not stored, the others 0. */
export function notKept(counts: Partial<PatternStats['notKept']>): PatternStats['notKept'] {
  return { ...statsWith().notKept, ...counts };
}

/** Evidence of an ordinary hour of `item:*`, with these parts. */
export function patternEvidence(parts: Partial<PatternEvidence> = {}): PatternEvidence {
  return { pattern: 'item:*', stats: statsWith(), hours: 1, maxStaleShare: 0.01, ...parts };
}

export function rung(ttlMs: number, hitRate: number, rest: Partial<TtlRung> = {}): TtlRung {
  return {
    ttlMs,
    hitRate,
    hitRateError: 0.01,
    staleShare: 0.001,
    staleShareError: 0.001,
    loadsPerHour: 1_000 * (1 - hitRate),
    loadMsPerHour: 100_000 * (1 - hitRate),
    ...rest,
  };
}

/** Evidence of a full memory layer of 1,000 entries, with these parts. */
export function layerEvidence(
  parts: Partial<Omit<LayerEvidence, 'stats'>> & { stats?: Partial<LayerStats> } = {},
): LayerEvidence {
  const { stats, ...rest } = parts;
  return {
    layer: 'memory',
    hours: 1,
    maxEntries: 1_000,
    maxBytes: 1_000_000,
    loadMs: 50,
    accesses: 10_000,
    ladder: [],
    ...rest,
    stats: {
      layer: 'memory',
      totalRequests: 10_000,
      cacheHits: 6_000,
      cacheMisses: 4_000,
      errors: 0,
      timeouts: 0,
      hitRate: 0.6,
      missRate: 0.4,
      avgResponseTimeMs: 0.01,
      p50ResponseTimeMs: 0.01,
      p95ResponseTimeMs: 0.01,
      p99ResponseTimeMs: 0.01,
      maxResponseTimeMs: 0.01,
      evictions: 3_000,
      entryCount: 1_000,
      totalSizeBytes: 400_000,
      connected: true,
      circuitState: 'closed',
      queueDepth: 0,
      writesDropped: 0,
      writesFailed: 0,
      window: '1h',
      coverageSeconds: 3_600,
      ...stats,
    },
  };
}
