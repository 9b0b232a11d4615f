import type { Layer } from '../../cache/layers/layer.js';
import type { ResolvedPolicy } from '../../cache/policies/resolved-policy.js';
import type { CacheMetrics } from '../../metrics/cache-metrics.js';
import type { CacheStats, PatternStats } from '../../metrics/snapshot.js';
import type { EvidenceCollector } from '../evidence/evidence-collector.js';
import type { LayerEvidence, MemoryRung, PatternEvidence, PolicyInForce, SharedLoadEvidence, TtlEvidence, WarmedEvidence } from '../evidence/evidence.js'; // prettier-ignore
import type { EvidenceSource } from './recommendation-list.js';

/** The memory ladder of one layer. */
export interface LayerLadder {
  readonly layer: string;
  readonly accesses: number;
  readonly ladder: readonly MemoryRung[];
  readonly withheld?: string | undefined;
}

/** The sources of the evidence. */
export interface EvidenceParts {
  readonly metrics: CacheMetrics;
  readonly layers: () => readonly Layer[];
  readonly collector: EvidenceCollector;
  readonly now: () => number;
  readonly ttlLadder: (pattern: string) => TtlEvidence | undefined;
  readonly memoryLadders: () => readonly LayerLadder[];
  /** The acceptable share of outdated hits of a pattern, 0–1. */
  readonly maxStaleShare: (pattern: string) => number;
  readonly sharedLoads: (pattern: string) => SharedLoadEvidence | undefined;
  /** The entries of a pattern that strategies warmed. */
  readonly warmed?: (pattern: string) => readonly WarmedEvidence[];
}

const WINDOW = '1h';
const SECONDS_AN_HOUR = 3_600;

/** Fills the evidence of patterns and layers. */
export class CacheEvidence implements EvidenceSource {
  constructor(private readonly parts: EvidenceParts) {}

  patterns(): Iterable<string> {
    return this.parts.metrics.patterns;
  }

  ofPattern(pattern: string): PatternEvidence | undefined {
    const { metrics, collector, now, ttlLadder, maxStaleShare, warmed } = this.parts;
    const stats = metrics.getPatternStats(pattern, WINDOW);
    if (isIdle(stats)) return undefined;
    const declaration = metrics.declarationOf(pattern);
    const observed = collector.of(pattern);
    return {
      pattern,
      declared: declaration?.text,
      declaredBy: declaration?.declaredBy,
      stats,
      hours: hoursOf(stats),
      policy: declaration?.plan === undefined ? observed?.policy : policyInForce(declaration.plan.policy),
      maxStaleShare: maxStaleShare(pattern),
      ttl: ttlLadder(pattern),
      keys: observed?.keys,
      lifetimes: observed?.lifetimes,
      sizes: observed?.sizes,
      invalidations: observed?.invalidations,
      changes: observed?.changes,
      empty: observed?.empty,
      expiry: observed?.expiry,
      sharedLoads: this.parts.sharedLoads(pattern),
      starts: observed?.startsAt(now()),
      warmed: warmed?.(pattern),
    };
  }

  *ofLayers(): Iterable<LayerEvidence> {
    const { metrics, layers, memoryLadders } = this.parts;
    const ladders = memoryLadders();
    if (ladders.length === 0) return;
    const overall = metrics.getStats(WINDOW);
    const stats = metrics.getLayerStats(WINDOW);
    for (const { layer, ladder, accesses, withheld } of ladders) {
      const ofLayer = stats.find((each) => each.layer === layer);
      if (ofLayer === undefined) continue;
      const bounds = layers()
        .find(({ name }) => name === layer)
        ?.status().bounds;
      yield {
        layer,
        stats: ofLayer,
        hours: hoursOf(overall),
        maxEntries: finite(bounds?.entries),
        maxBytes: finite(bounds?.bytes),
        loadMs: overall.avgLoadTimeMs ?? 0,
        ladder,
        accesses,
        withheld,
      };
    }
  }
}

/** The fields of a policy that rules use. */
export function policyInForce(policy: ResolvedPolicy<never>): PolicyInForce {
  const { ttlMs, ttlOf, staleWhileRevalidateMs, refreshesAhead, undefinedTtlMs, lock } = policy;
  return {
    ttlMs: ttlOf === undefined ? ttlMs : null,
    staleWhileRevalidateMs,
    refreshesAhead,
    keepsEmpty: undefinedTtlMs > 0,
    lock,
  };
}

function isIdle({ totalRequests, sets, recalculations }: PatternStats): boolean {
  return totalRequests + sets + recalculations === 0;
}

function hoursOf({ coverageSeconds }: CacheStats): number {
  return Math.max(coverageSeconds, 1) / SECONDS_AN_HOUR;
}

function finite(bound: number | undefined): number | null {
  return bound === undefined || bound === Infinity ? null : bound;
}
