import type { AutomaticTtl } from './automatic-ttl.js';
import type { Duration } from '../base/duration.js';
import type { CachedClasses } from '../entries/listed-classes.js';

/** The argument of a loader: an abort signal, the stale value if there is one, and methods that set how the value is stored. */
export interface LoadContext<V = unknown> {
  /** Aborted when the load is given up: `hardTimeout`, or the cache closing. */
  readonly signal: AbortSignal;
  /** The value that is being replaced, if it is still stored. */
  readonly stale: V | undefined;
  /** Returns this value to the caller without storing it. */
  skip(): void;
  /** Replaces the policy's TTL for this value. */
  setTtl(ttl: Duration): void;
  /** Replaces the policy's tags for this value. */
  setTags(...tags: string[]): void;
}

/** Loads a value from its origin. Its errors reach the caller unchanged and are never stored. */
export type Loader<V> = (context: LoadContext<V>) => V | Promise<V>;

/** How entries are stored, refreshed and served. Every field has a default; `forRoot({ policy })` sets it for all. */
export interface CachePolicy<V = unknown> {
  /**
   * How long a value is fresh; 0: until it is evicted or invalidated. With `{ auto: { min, max, maxStaleShare } }` the cache computes it from
   * its observations. @default '5m'
   */
  ttl?: Duration | ((value: V) => Duration) | AutomaticTtl;
  /** How long after that it may be served while one refresh runs (RFC 5861 §3). @default 0 */
  staleWhileRevalidate?: Duration;
  /** How long after that it may be served when its origin fails (RFC 5861 §4). @default 0 */
  staleIfError?: Duration;
  /** After this long a stale value is served while the load continues; has no effect without a stale value. @default none */
  softTimeout?: Duration;
  /** After this long a load is given up: its signal aborts and its callers get `LOAD_TIMEOUT` or the stale value. @default '30s' */
  hardTimeout?: Duration;
  /** Refresh in the background before expiry: from this fraction of the TTL on, or `'xfetch'`: early with a probability that
   *  grows towards expiry and with the measured load cost (Vattani et al., VLDB 2015), or both. @default none */
  refreshAhead?: number | 'xfetch' | { fraction?: number; xfetch?: boolean; beta?: number };
  /** Spreads expiry: each TTL is shortened by up to this fraction of itself. @default 0 */
  jitter?: number;
  /** How long null and undefined are stored; with 0 or false they are not. @default 0 for undefined, the TTL for null */
  negativeTtl?: Duration | false;
  /** Stores only values for which this returns true. */
  cacheIf?: (value: V) => boolean;
  /** One load per key across processes, by a lock in the first layer that offers one. @default false */
  lock?: boolean;
  /** How long a caller waits for another's load before it loads itself. @default none: until `hardTimeout` */
  waitTimeout?: Duration;
  /** Names by which entries are invalidated together. */
  tags?: readonly string[] | ((value: V) => readonly string[]);
  /** Values larger than this many bytes are returned but not stored. @default none */
  maxEntrySize?: number;
  /** Returns a private, mutable copy on every read instead of the shared frozen value. @default false */
  clone?: boolean;
  /**
   * Classes of instances in values, in addition to `forRoot({ classes })`. A process restores instances from a shared
   * layer only if their class is listed, is the declared return type, or was returned by this process before; otherwise the read is a
   * miss. The names of an object (`{ 'shop.User': User }`) are stored in the layer and stay valid across builds that rename classes.
   * `{ class, encode, decode }` stores instances that cannot be copied property by property. @default none
   */
  classes?: CachedClasses;
}
