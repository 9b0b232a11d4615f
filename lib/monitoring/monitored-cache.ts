import type { CacheInvalidation } from '../cache/writing/invalidation-feed.js';
import type { Layer } from '../cache/layers/layer.js';

/** What the routes ask of the cache; `ObservedCache` offers all of it. */
export interface MonitoredCache {
  readonly layers: readonly Layer[];
  /** Which of these are fresh. */
  freshKeys(keys: readonly string[]): Promise<ReadonlySet<string>>;
  mdel(keys: string[]): Promise<boolean>;
  deleteByPattern(glob: string): Promise<number>;
  invalidateTags(...tags: string[]): Promise<void>;
  /** Calls back for everything that this process invalidates; returns how to stop. */
  watchInvalidations(listener: (invalidation: CacheInvalidation) => void): () => void;
}

/** Token of the cache that the routes show; bound by the module to its own. */
export const MONITORED_CACHE = Symbol('cache-observability:monitored-cache');
