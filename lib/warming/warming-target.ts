import type { Layer } from '../cache/layers/layer.js';
import type { AccessWatcher } from '../cache/reading/access-watcher.js';
import type { LoadMark } from '../cache/writing/batch-entry.js';
import type { Duration } from '../cache/duration.js';
import type { Operation, Outcome } from '../cache/observer.js';
import type { AnnotatedLoader, ReadPlan } from '../cache/read-plan.js';

/** One key with its value, as a batch write takes it. */
export interface WarmableEntry {
  readonly key: string;
  readonly value: unknown;
  readonly ttl?: Duration;
  readonly tags?: readonly string[];
  /** When its load began: it is not written where an invalidation came since. */
  readonly since?: LoadMark;
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
  /** Marks when loads begin whose values are written later, so that an invalidation in between wins. */
  mark?(): LoadMark;
}

/** What keeping popular keys fresh asks of a cache beside that. */
export interface PopularTarget {
  /** Tells of a share of the hits and of every load. Returns how to stop watching. */
  watchAccesses(watcher: AccessWatcher): () => void;
  /** When the entry expires, milliseconds since the epoch; undefined without expiry or entry. */
  ttl(key: string): Promise<number | undefined>;
  /** Loads a key anew though it is fresh; resolves with how that ended. */
  renew<V>(key: string, loader: AnnotatedLoader<V>, plan: ReadPlan<V>): Promise<Outcome>;
}

/** Token of the cache that is warmed; bound by the module to its own cache. */
export const WARMING_TARGET = Symbol('cache-observability:warming-target');

/** Token of the `warming` part of the module's options. */
export const WARMING_OPTIONS = Symbol('cache-observability:warming-options');

/** Token of the clock by which warming waits and measures; the system's where nobody provides one. */
export const WARMING_CLOCK = Symbol('cache-observability:warming-clock');
