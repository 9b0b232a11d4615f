import type { Layer } from '../cache/layers/layer.js';
import type { Operation } from '../cache/observer.js';
import type { Duration } from '../cache/duration.js';

/** One key with its value, as a batch write takes it. */
export interface WarmableEntry {
  readonly key: string;
  readonly value: unknown;
  readonly ttl?: Duration;
  readonly tags?: readonly string[];
}

/** What a batch write did. A rejected key was not kept: too large, not serialisable, not a valid key. */
export interface WarmedBatch {
  readonly written: number;
  readonly rejected: readonly { readonly key: string; readonly code: string }[];
  readonly bytes: number;
}

/** What warming asks of a cache; `LayeredCache` offers all of it. */
export interface WarmingTarget {
  readonly layers: readonly Layer[];
  /** Writes all of them, in one round trip a layer. */
  setMany(entries: Iterable<WarmableEntry>, operation?: Operation): Promise<WarmedBatch>;
  /** Which of these are fresh in some layer; counted nowhere. */
  freshKeys(keys: readonly string[]): Promise<ReadonlySet<string>>;
  /** Calls back once for each of these keys that is hit before it expires. Returns what ends the watch. */
  watchFirstHit?(keys: readonly string[], onFirstHit: (key: string) => void): () => void;
}

/** Token of the cache that is warmed; bound by the module to its own cache. */
export const WARMING_TARGET = Symbol('cache-observability:warming-target');

/** Token of the `warming` part of the module's options. */
export const WARMING_OPTIONS = Symbol('cache-observability:warming-options');

/** Token of the clock by which warming waits and measures; the system's where nobody provides one. */
export const WARMING_CLOCK = Symbol('cache-observability:warming-clock');
