import type { Layer } from '../cache/layers/layer.js';
import type { AccessWatcher } from '../cache/reads/access-watcher.js';
import type { LoadMark } from '../cache/writes/batch-entry.js';
import type { Duration } from '../cache/base/duration.js';
import type { Operation, Outcome } from '../cache/base/observer.js';
import type { AnnotatedLoader, ReadPlan } from '../cache/policies/read-plan.js';

/** One key with its value, for a batch write. */
export interface WarmableEntry {
  readonly key: string;
  readonly value: unknown;
  readonly ttl?: Duration;
  readonly tags?: readonly string[];
  /** When the load began: the value is not written if the key was invalidated since then. */
  readonly since?: LoadMark;
}

/** The result of a batch write. A rejected key was not stored: it is too large, not serialisable or invalid. */
export interface WarmedBatch {
  readonly written: number;
  readonly rejected: readonly { readonly key: string; readonly code: string }[];
  readonly bytes: number;
}

/** The part of a cache that warming uses; `LayeredCache` implements it. */
export interface WarmingTarget {
  readonly layers: readonly Layer[];
  /** Writes every entry, with one round trip per layer. */
  setMany(entries: Iterable<WarmableEntry>, operation?: Operation): Promise<WarmedBatch>;
  /** Returns the keys that are fresh in any layer, without counting an access. */
  freshKeys(keys: readonly string[]): Promise<ReadonlySet<string>>;
  /** Calls back once for each of the keys that is hit before it expires. @returns a function that ends the watch. */
  watchFirstHit?(keys: readonly string[], onFirstHit: (key: string) => void): () => void;
  /** Returns the pattern of a key in statistics. */
  patternOf?(key: string): string;
  /** Returns when the entry expires, milliseconds since the epoch; undefined if it does not expire or does not exist. */
  ttl?(key: string): Promise<number | undefined>;
  /** Marks the begin of loads. Their values are not written if they are invalidated after the mark. */
  mark?(): LoadMark;
}

/** The additional methods of a cache that popular keys need. */
export interface PopularTarget {
  /** Reports every load and a sample of the hits. @returns a function that stops it. */
  watchAccesses(watcher: AccessWatcher): () => void;
  /** Returns when the entry expires, milliseconds since the epoch; undefined if it does not expire or does not exist. */
  ttl(key: string): Promise<number | undefined>;
  /** Loads a key even if it is fresh. @returns the result of the load. */
  renew<V>(key: string, loader: AnnotatedLoader<V>, plan: ReadPlan<V>): Promise<Outcome>;
}

/** The additional methods of a cache that predictive warming needs. */
export interface ClockTarget extends Pick<WarmingTarget, 'layers' | 'freshKeys'>, PopularTarget {
  /** Calls back once for each of the keys that is hit. @returns a function that ends the watch. */
  watchNextHit(keys: readonly string[], onHit: (key: string) => void): () => void;
  patternOf(key: string): string;
}

/** Token of the cache that is warmed; the module binds it to its own cache. */
export const WARMING_TARGET = Symbol('cache-observability:warming-target');

/** Token of the `warming` part of the module's options. */
export const WARMING_OPTIONS = Symbol('cache-observability:warming-options');
