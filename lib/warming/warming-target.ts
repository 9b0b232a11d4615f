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
  /** When its load began: it is not written after an invalidation since then. */
  readonly since?: LoadMark;
}

/** The result of a batch write. A rejected key was not stored: too large, not serialisable, invalid. */
export interface WarmedBatch {
  readonly written: number;
  readonly rejected: readonly { readonly key: string; readonly code: string }[];
  readonly bytes: number;
}

/** The part of a cache that warming uses; `LayeredCache` implements it. */
export interface WarmingTarget {
  readonly layers: readonly Layer[];
  /** Writes every entry, in one round trip per layer. */
  setMany(entries: Iterable<WarmableEntry>, operation?: Operation): Promise<WarmedBatch>;
  /** Returns the keys that are fresh in any layer, without counting an access. */
  freshKeys(keys: readonly string[]): Promise<ReadonlySet<string>>;
  /** Calls back once for each of the keys that is hit before it expires. Returns a function that ends the watch. */
  watchFirstHit?(keys: readonly string[], onFirstHit: (key: string) => void): () => void;
  /** The pattern of a key in statistics. */
  patternOf?(key: string): string;
  /** When the entry expires, milliseconds since the epoch; undefined without expiry or entry. */
  ttl?(key: string): Promise<number | undefined>;
  /** Marks the begin of loads whose values are written later, so that an invalidation in between wins. */
  mark?(): LoadMark;
}

/** The further part of a cache that popular keys use. */
export interface PopularTarget {
  /** Reports a sample of the hits and every load. Returns a function that stops it. */
  watchAccesses(watcher: AccessWatcher): () => void;
  /** When the entry expires, milliseconds since the epoch; undefined without expiry or entry. */
  ttl(key: string): Promise<number | undefined>;
  /** Loads a key although it is fresh; resolves with the result of the load. */
  renew<V>(key: string, loader: AnnotatedLoader<V>, plan: ReadPlan<V>): Promise<Outcome>;
}

/** The further part of a cache that warming by the clock uses. */
export interface ClockTarget extends Pick<WarmingTarget, 'layers' | 'freshKeys'>, PopularTarget {
  /** Calls back once for each of the keys that is hit. Returns a function that ends it. */
  watchNextHit(keys: readonly string[], onHit: (key: string) => void): () => void;
  patternOf(key: string): string;
}

/** Token of the cache that is warmed; bound by the module to its own cache. */
export const WARMING_TARGET = Symbol('cache-observability:warming-target');

/** Token of the `warming` part of the module's options. */
export const WARMING_OPTIONS = Symbol('cache-observability:warming-options');
