import type { AutomaticTtl } from './automatic-ttl.js';
import type { Duration } from '../base/duration.js';
import type { CachedClasses } from '../entries/listed-classes.js';

/** The argument of a loader: an abort signal, the stale value if there is one, and methods that set how the loaded value is stored. */
export interface LoadContext<V = unknown> {
  /** Aborts when the cache gives up the load, because of `hardTimeout` or because the cache closes. */
  readonly signal: AbortSignal;
  /** The value that the load replaces, if it is still stored. */
  readonly stale: V | undefined;
  /** Returns the loaded value to the caller without storing it. */
  skip(): void;
  /** Replaces the policy's TTL for this value. */
  setTtl(ttl: Duration): void;
  /** Replaces the policy's tags for this value. */
  setTags(...tags: string[]): void;
}

/** Loads a value from its origin. Its errors reach the caller unchanged and are never stored. */
export type Loader<V> = (context: LoadContext<V>) => V | Promise<V>;

/** How entries are stored, refreshed and served. Every field has a default. `forRoot({ policy })` sets the defaults of all policies. */
export interface CachePolicy<V = unknown> {
  /**
   * How long a value is fresh. With 0 it is fresh until it is evicted or invalidated. With `{ auto: { min, max, maxStaleShare } }` the
   * cache computes the TTL from its observations. @default '5m'
   */
  ttl?: Duration | ((value: V) => Duration) | AutomaticTtl;
  /** How long after its TTL a value may be served while one refresh runs (RFC 5861 §3). @default 0 */
  staleWhileRevalidate?: Duration;
  /** How long after the stale-while-revalidate time a value may be served if its origin fails (RFC 5861 §4). @default 0 */
  staleIfError?: Duration;
  /** After this time a caller gets the stale value while the load continues. Without a stale value it has no effect. @default none */
  softTimeout?: Duration;
  /** After this time a load is given up: its signal aborts, and its callers get `LOAD_TIMEOUT` or the stale value. @default '30s' */
  hardTimeout?: Duration;
  /**
   * Refreshes in the background before expiry. A number is the fraction of the TTL after which a hit refreshes. `'xfetch'` refreshes early
   * with a probability that grows towards expiry and with the measured load cost (Vattani et al., VLDB 2015). An object can set both.
   * @default none
   */
  refreshAhead?: number | 'xfetch' | { fraction?: number; xfetch?: boolean; beta?: number };
  /** Shortens each TTL by a random share of at most this fraction, so that entries do not expire together. @default 0 */
  jitter?: number;
  /** How long null and undefined are stored. With 0 or false they are not stored. @default 0 for undefined, the TTL for null */
  negativeTtl?: Duration | false;
  /** Stores only values for which this returns true. */
  cacheIf?: (value: V) => boolean;
  /** Allows one load per key across processes, by a lock in the first layer that offers locks. @default false */
  lock?: boolean;
  /** How long a caller waits for another caller's load before it starts its own. @default none: until `hardTimeout` */
  waitTimeout?: Duration;
  /** Names by which entries are invalidated together. */
  tags?: readonly string[] | ((value: V) => readonly string[]);
  /** Values larger than this many bytes are returned but not stored. @default none */
  maxEntrySize?: number;
  /** Returns a private, mutable copy on every read instead of the shared, frozen value. @default false */
  clone?: boolean;
  /**
   * Classes of instances in values, in addition to `forRoot({ classes })`. A process restores an instance from a shared layer only if its
   * class is listed, is the declared return type, or was returned by this process before. Otherwise the read is a miss. The names of an
   * object (`{ 'shop.User': User }`) are stored in the layer and stay valid if a build renames classes. `{ class, encode, decode }` stores
   * instances that cannot be copied property by property. @default none
   */
  classes?: CachedClasses;
}
