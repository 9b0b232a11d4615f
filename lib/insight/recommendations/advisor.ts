import type { Clock } from '../../cache/base/clock.js';
import type { Layer } from '../../cache/layers/layer.js';
import type { CacheMetrics } from '../../metrics/cache-metrics.js';
import type { AccessListener } from '../stream/tracked-access.js';
import { CacheEvidence, type LayerLadder } from './cache-evidence.js';
import { EvidenceCollector } from '../evidence/evidence-collector.js';
import type { SharedLoadEvidence, TtlEvidence, WarmedEvidence } from '../evidence/evidence.js';
import type { AdviceState } from './low-performer.js';
import type { Recommendation } from './recommendation-types.js';
import { type RecommendationFilter, RecommendationList } from './recommendation-list.js';

/** The part of insight that the advisor uses. */
export interface AdvisedInsight {
  listen(listener: AccessListener): () => void;
  /** Reports the hits that are counted but not reported yet. */
  flush(): void;
  ttlEvidence(pattern: string): TtlEvidence | undefined;
  memoryEvidence(): readonly LayerLadder[];
  /** The acceptable share of outdated hits, 0–1. */
  maxStaleShare(pattern: string): number;
  sharedLoads(pattern: string): SharedLoadEvidence | undefined;
  /** The entries that strategies warmed, and how many were read. */
  warmed(pattern: string): readonly WarmedEvidence[];
}

/** The cache that gets the recommendations. */
export interface AdvisedCache {
  readonly metrics: CacheMetrics;
  readonly layers: readonly Layer[];
  /** The TTL of values without their own policy, milliseconds. */
  readonly ttlMs: number;
}

/** Derives recommendations for one cache from its metrics and from the observations of insight. */
export class Advisor {
  readonly #insight: AdvisedInsight;
  readonly #recommendations: RecommendationList;

  /** @param salt the salt of hashes of keys. */
  constructor(insight: AdvisedInsight, { metrics, layers, ttlMs }: AdvisedCache, clock: Clock, salt: number) {
    this.#insight = insight;
    const declared = (pattern: string) => metrics.declarationOf(pattern);
    const collector = new EvidenceCollector({ startedAt: clock.now(), salt, ttlMs, declared });
    insight.listen(collector);
    const evidence = new CacheEvidence({
      metrics,
      layers: () => layers,
      collector,
      now: () => clock.now(),
      ttlLadder: (pattern) => insight.ttlEvidence(pattern),
      memoryLadders: () => insight.memoryEvidence(),
      maxStaleShare: (pattern) => insight.maxStaleShare(pattern),
      sharedLoads: (pattern) => insight.sharedLoads(pattern),
      warmed: (pattern) => insight.warmed(pattern),
    });
    this.#recommendations = new RecommendationList(evidence, clock);
  }

  list(filter?: RecommendationFilter): readonly Recommendation[] {
    this.#insight.flush();
    return this.#recommendations.list(filter);
  }

  collect(filter?: RecommendationFilter): Promise<readonly Recommendation[]> {
    this.#insight.flush();
    return this.#recommendations.collect(filter);
  }

  /** The time when each recommendation was first found, for the next run. */
  get found(): ReadonlyMap<string, number> {
    return this.#recommendations.found;
  }

  restore(found: ReadonlyMap<string, number>): void {
    this.#recommendations.restore(found);
  }

  /** Returns the recommendation for a pattern, and what is missing for one. */
  stateOf(pattern: string): AdviceState {
    const [recommendation] = this.#recommendations.ofPattern(pattern);
    const ttl = this.#insight.ttlEvidence(pattern);
    const [memory] = this.#insight.memoryEvidence();
    return {
      recommendation,
      missing: {
        ttl: ttl === undefined ? NO_ACCESSES : `${ttl.withheld ?? NO_BETTER_TTL}.`,
        memory: memory === undefined ? NO_ACCESSES : `${memory.withheld ?? NO_BETTER_SIZE}.`,
        invalidation: FEW_RELOADS,
      },
    };
  }
}

const NO_ACCESSES = 'none of its accesses has been sampled yet.';
const NO_BETTER_TTL = 'no other TTL of the ladder is better by more than its error';
const NO_BETTER_SIZE = 'no other size of the ladder is better by more than its error';
const FEW_RELOADS =
  'at least 30 reloads after an invalidation must be compared, and 60 % of them must return the same value.';
