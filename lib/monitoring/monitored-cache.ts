import type { CacheInvalidation } from '../cache/invalidation/invalidation-listeners.js';
import type { Layer } from '../cache/layers/layer.js';
import type { AlertChange } from '../insight/alerts/alert.js';
import type { CacheInsight } from '../insight/cache-insight.js';
import type { CacheMetrics } from '../metrics/cache-metrics.js';
import type { PolicyTuning } from '../tuning/policy-tuning.js';

/** What the routes ask of the cache; `ObservedCache` offers all of it. */
export interface MonitoredCache {
  /** What to change, and what needs a look. */
  readonly insight: Pick<CacheInsight, 'collectRecommendations' | 'ttlLadder' | 'memoryLadder' | 'hotKeys' | 'alerts'>;
  readonly layers: readonly Layer[];
  /** Which of these are fresh. */
  freshKeys(keys: readonly string[]): Promise<ReadonlySet<string>>;
  mdel(keys: string[]): Promise<boolean>;
  deleteByPattern(glob: string): Promise<number>;
  invalidateTags(...tags: string[]): Promise<void>;
  readonly tuning: Pick<PolicyTuning, 'override' | 'revert' | 'policies' | 'report' | 'isDeclared' | 'watch'>;
  /** Calls back for every alert that opens or closes; returns how to stop. */
  watchAlerts(listener: (change: AlertChange) => void): () => void;
  /** Calls back for everything that this process invalidates; returns how to stop. */
  watchInvalidations(listener: (invalidation: CacheInvalidation) => void): () => void;
}

/** The caches that `forFeature()` made, by name. */
export interface MonitoredCaches {
  readonly all: ReadonlyMap<string, MonitoredCache & { readonly metrics: CacheMetrics }>;
}

/** Token of the {@link MonitoredCaches}. */
export const MONITORED_CACHES = Symbol('cache-observability:monitored-caches');

/** Token of the cache that the routes show; bound by the module to its own. */
export const MONITORED_CACHE = Symbol('cache-observability:monitored-cache');
