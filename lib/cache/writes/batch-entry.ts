import type { Duration } from '../base/duration.js';
import type { CacheErrorCode } from '../base/errors.js';

/** A position in the order of invalidations. Release it when the values that were loaded after it have been written. */
export interface LoadMark {
  readonly epoch: number;
  /** Milliseconds since the Unix epoch. */
  readonly at: number;
  release(): void;
}

/** One entry of a batch write. */
export interface BatchEntry {
  readonly key: string;
  readonly value: unknown;
  /**
   * @default the TTL of the handler whose template matches the key, otherwise the cache's TTL. With 0 the entry stays until it is evicted
   * or invalidated.
   */
  readonly ttl?: Duration | undefined;
  /** @default the tags of the handler whose template matches the key, otherwise the cache's tags */
  readonly tags?: readonly string[] | undefined;
  /** The mark from `LayeredCache.mark()` before the load. The entry is not written if it was invalidated after the mark. */
  readonly since?: LoadMark | undefined;
}

/** An entry of a batch that was not written. */
export interface BatchRejection {
  readonly key: string;
  /**
   * The code of the error. `ENTRY_TOO_LARGE`: larger than `maxEntrySize`. `NOT_CACHEABLE`: its handler's policy does not store it.
   * `LAYER_UNAVAILABLE`: no layer stored it. `INVALIDATED`: it was invalidated after its load began.
   */
  readonly code: CacheErrorCode | 'INVALIDATED';
}

export interface BatchResult {
  readonly written: number;
  readonly rejected: readonly BatchRejection[];
  readonly bytes: number;
}
