import type { Duration } from '../base/duration.js';
import type { CacheErrorCode } from '../base/errors.js';

/** A position in the order of invalidations; release it once the values loaded since have been written. */
export interface LoadMark {
  readonly epoch: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
  release(): void;
}

/** One entry of a batch write. */
export interface BatchEntry {
  readonly key: string;
  readonly value: unknown;
  /** @default the TTL of the handler whose template makes the key, else the cache's; 0: until it is evicted or invalidated */
  readonly ttl?: Duration | undefined;
  /** @default the tags of the handler whose template makes the key, else the cache's */
  readonly tags?: readonly string[] | undefined;
  /** When its load began, from `LayeredCache.mark()`: it is not written if an invalidation came since. */
  readonly since?: LoadMark | undefined;
}

/** An entry of a batch that was not written. */
export interface BatchRejection {
  readonly key: string;
  /**
   * The code of the error; `ENTRY_TOO_LARGE` above `maxEntrySize`, `NOT_CACHEABLE` by its handler's policy, `LAYER_UNAVAILABLE` if no
   * layer stored it, `INVALIDATED` if an invalidation came since it was loaded.
   */
  readonly code: CacheErrorCode | 'INVALIDATED';
}

export interface BatchResult {
  readonly written: number;
  readonly rejected: readonly BatchRejection[];
  readonly bytes: number;
}
