import type { Duration } from '../base/duration.js';
import type { CacheErrorCode } from '../base/errors.js';

/** A moment in the order of invalidations, to be released once what was loaded since has been written. */
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
  /** @default that of the handler whose template makes the key, else the cache's; 0 keeps it until it is evicted or invalidated */
  readonly ttl?: Duration | undefined;
  /** @default those of the handler whose template makes the key, else the cache's own */
  readonly tags?: readonly string[] | undefined;
  /** When its value was asked of its origin, as `LayeredCache.mark()` returned: it is not written where an invalidation came since. */
  readonly since?: LoadMark | undefined;
}

/** An entry of a batch that was not written. */
export interface BatchRejection {
  readonly key: string;
  /**
   * The code of the error; `ENTRY_TOO_LARGE` above `maxEntrySize`, `NOT_CACHEABLE` by its handler's policy, `LAYER_UNAVAILABLE` where no
   * layer took it, `INVALIDATED` since it was loaded.
   */
  readonly code: CacheErrorCode | 'INVALIDATED';
}

export interface BatchResult {
  readonly written: number;
  readonly rejected: readonly BatchRejection[];
  readonly bytes: number;
}
