import type { LayerEvidence, PatternEvidence } from '../evidence/evidence.js';
import { invalidatedTooWidely } from './invalidation-recommendations.js';
import { keyTooSpecific, neverRead } from './key-recommendations.js';
import { cacheEmptyResults, cheaperThanCache, notCached, shareLoads, warm } from './load-recommendations.js';
import { lessMemory, moreMemory, valueTooLarge } from './memory-recommendations.js';
import type { Advice, RecommendationCode } from './recommendation-types.js';
import { lowerTtl, raiseTtl, serveStale } from './ttl-recommendations.js';

/*
 * Lists all rules. A rule uses only the evidence of one pattern or one layer, so the same evidence always gives the same advice.
 * When the evidence has ended, the rule gives no advice, and the recommendation closes.
 */

const OF_PATTERNS: readonly ((evidence: PatternEvidence) => Advice | undefined)[] = [
  raiseTtl,
  lowerTtl,
  keyTooSpecific,
  neverRead,
  cheaperThanCache,
  valueTooLarge,
  invalidatedTooWidely,
  cacheEmptyResults,
  serveStale,
  shareLoads,
  warm,
  notCached,
];

const OF_LAYERS: readonly ((evidence: LayerEvidence) => Advice | undefined)[] = [moreMemory, lessMemory];

/** For each advice the other advice for the same pattern that it replaces: it names their cause, or removes the pattern from the cache. */
const INSTEAD: Readonly<Partial<Record<RecommendationCode, readonly RecommendationCode[]>>> = {
  KEY_TOO_SPECIFIC: ['NEVER_READ', 'WARM'],
  NEVER_READ: ['WARM', 'SERVE_STALE', 'RAISE_TTL', 'VALUE_TOO_LARGE'],
  CHEAPER_THAN_CACHE: ['RAISE_TTL', 'SERVE_STALE', 'WARM', 'NOT_CACHED', 'CACHE_EMPTY_RESULTS'],
  CACHE_EMPTY_RESULTS: ['NOT_CACHED'],
};

/** Returns the advice for a pattern. */
export function adviceOnPattern(evidence: PatternEvidence): readonly Advice[] {
  const found = OF_PATTERNS.flatMap((rule) => rule(evidence) ?? []);
  const pointless = new Set(found.flatMap((advice) => (isOfStrategy(advice) ? [] : (INSTEAD[advice.code] ?? []))));
  return found.filter(({ code }) => !pointless.has(code));
}

/** True for advice about a strategy. Such advice does not concern entries that callers load. */
function isOfStrategy({ change }: Advice): boolean {
  return change.option === 'strategies';
}

/** Returns the advice for a memory layer. */
export function adviceOnLayer(evidence: LayerEvidence): readonly Advice[] {
  return OF_LAYERS.flatMap((rule) => rule(evidence) ?? []);
}
