import type { DeclaringMethod } from '../../metrics/judgement.js';
import type { RecommendationCode } from '../../metrics/snapshot.js';

export type { RecommendationCode };

/** All codes, in the order of the documentation. */
export const RECOMMENDATION_CODES: readonly RecommendationCode[] = [
  'RAISE_TTL',
  'LOWER_TTL',
  'MORE_MEMORY',
  'LESS_MEMORY',
  'KEY_TOO_SPECIFIC',
  'NEVER_READ',
  'CHEAPER_THAN_CACHE',
  'VALUE_TOO_LARGE',
  'INVALIDATED_TOO_WIDELY',
  'CACHE_EMPTY_RESULTS',
  'SERVE_STALE',
  'SHARE_LOADS',
  'WARM',
  'NOT_CACHED',
];

/** The change of one option, with code to paste. */
export interface RecommendedChange {
  /** The name of the option: `ttl`, `lock`, `maxEntries`. */
  readonly option: string;
  /** The current value as in code: `'1m'`, 10000, false; null if it is not set. */
  readonly from: string | number | boolean | null;
  /** The proposed value; null if the option, or the caching of the pattern, should be removed. */
  readonly to: string | number | boolean | null;
  /** TypeScript that replaces the present code. */
  readonly code: string;
}

/** The predicted effect of a recommendation. */
export interface PredictedEffect {
  /** Hits over accesses afterwards, 0–1; null if it cannot be predicted. */
  readonly hitRate: number | null;
  readonly hitRateError: number | null;
  /** Share of hits that would return an outdated value, 0–1; null if it does not change or is not known. */
  readonly staleShare: number | null;
  /** Load time or waiting time that is saved per hour, at the observed traffic; negative if it increases. */
  readonly timeSavedMsPerHour: number;
  /** Change of the cache's size, bytes; negative if it shrinks; absent if it does not change. */
  readonly bytes?: number;
  /** Remaining loads per hour, if known. */
  readonly loadsPerHour?: number;
}

/** The names of the figures that recommendations are based on. The dashboard defines each. */
export type EvidenceName =
  | 'accesses'
  | 'observedMs'
  | 'loads'
  | 'loadsPerHour'
  | 'hitRate'
  | 'hitRateError'
  | 'staleShare'
  | 'staleShareError'
  | 'expiredMisses'
  | 'invalidatedMisses'
  | 'reloads'
  | 'unchanged'
  | 'unchangedShare'
  | 'reloadsCompared'
  | 'reloadsChanged'
  | 'distinctKeys'
  | 'askedOnceShare'
  | 'input'
  | 'distinctValues'
  | 'sameValueShare'
  | 'ended'
  | 'unread'
  | 'unreadShare'
  | 'sets'
  | 'strategy'
  | 'warmed'
  | 'read'
  | 'p50LoadTimeMs'
  | 'p50ResponseTimeMs'
  | 'avgLoadTimeMs'
  | 'avgResponseTimeMs'
  | 'emptyLoads'
  | 'sampled'
  | 'repeatedShare'
  | 'withinMs'
  | 'overlapping'
  | 'overlappingShare'
  | 'instances'
  | 'starts'
  | 'coldMisses'
  | 'reason'
  | 'notKept'
  | 'becauseOfIt'
  | 'entries'
  | 'entriesShare'
  | 'bytes'
  | 'bytesShare'
  | 'hitsShare'
  | 'aboveBytes'
  | 'largeEntries'
  | 'largestBytes'
  | 'evictions'
  | 'maxEntries'
  | 'maxBytes';

/** The result of a rule: a {@link Recommendation} without the fields that the list adds. */
export interface Advice {
  readonly code: RecommendationCode;
  readonly title: string;
  /** The figures, and the conclusion from them. */
  readonly why: string;
  readonly change: RecommendedChange;
  readonly evidence: Readonly<Partial<Record<EvidenceName, number | string | null>>>;
  readonly predicted: PredictedEffect;
  readonly confidence: 'high' | 'medium';
}

/**
 * A proposed change for a pattern or a layer, with its evidence and a prediction that can be checked.
 * @publicApi
 */
export interface Recommendation extends Advice {
  /** The same while the cause lasts, and when it returns: `RAISE_TTL:feed:*`. */
  readonly id: string;
  /** The key pattern; absent if the recommendation is for a layer. */
  readonly pattern?: string;
  /** The layer; absent if the recommendation is for a pattern. */
  readonly layer?: string;
  /** The handlers and methods that declare the pattern; absent if none does. */
  readonly declaredBy?: readonly DeclaringMethod[];
  /** When the recommendation was first found, ISO 8601. */
  readonly since: string;
  /** In figures of a fleet: the number of instances with this recommendation. */
  readonly instances?: number;
}
