import type { CacheInvalidation } from '../cache/invalidation/invalidation-listeners.js';
import type { Layer } from '../cache/layers/layer.js';
import type { AlertChange } from '../insight/alerts/alert.js';
import type { CacheInsight } from '../insight/cache-insight.js';
import type { CacheMetrics } from '../metrics/cache-metrics.js';
import type { PolicyTuning } from '../tuning/policy-tuning.js';

/** The part of the cache that the routes use; `ObservedCache` implements it. */
export interface MonitoredCache {
  /** Recommendations, ladders, hot keys and alerts. */
  readonly insight: Pick<CacheInsight, 'collectRecommendations' | 'ttlLadder' | 'memoryLadder' | 'hotKeys' | 'alerts'>;
  readonly layers: readonly Layer[];
  /** Returns those of these keys whose entries are fresh. */
  freshKeys(keys: readonly string[]): Promise<ReadonlySet<string>>;
  mdel(keys: string[]): Promise<boolean>;
  deleteByPattern(glob: string): Promise<number>;
  invalidateTags(...tags: string[]): Promise<void>;
  readonly tuning: Pick<PolicyTuning, 'override' | 'revert' | 'policies' | 'report' | 'isDeclared' | 'watch'>;
  /** Calls back for every alert that opens or closes; returns a function that stops it. */
  watchAlerts(listener: (change: AlertChange) => void): () => void;
  /** Calls back for every invalidation by this process; returns a function that stops it. */
  watchInvalidations(listener: (invalidation: CacheInvalidation) => void): () => void;
}

/** The caches that `forFeature()` created, by name. */
export interface MonitoredCaches {
  readonly all: ReadonlyMap<string, MonitoredCache & { readonly metrics: CacheMetrics }>;
}

/** Token of the {@link MonitoredCaches}. */
export const MONITORED_CACHES = Symbol('cache-observability:monitored-caches');

/** Token of the cache of the routes; the module binds it to its own cache. */
export const MONITORED_CACHE = Symbol('cache-observability:monitored-cache');
