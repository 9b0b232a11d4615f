import type { AutomaticTtl } from './automatic-ttl.js';
import type { Duration } from '../base/duration.js';
import type { CachedClasses } from '../entries/listed-classes.js';

/** What a loader gets: an abort signal, the stale value if there is one, and ways to decide from the value how it is kept. */
export interface LoadContext<V = unknown> {
  /** Aborted when the load is given up: `hardTimeout`, or the cache closing. */
  readonly signal: AbortSignal;
  /** The value that is being replaced, if one is still kept. */
  readonly stale: V | undefined;
  /** Return this value to the caller and do not keep it. */
  skip(): void;
  /** Replaces the policy's TTL for this value. */
  setTtl(ttl: Duration): void;
  /** Replaces the policy's tags for this value. */
  setTags(...tags: string[]): void;
}

/** Loads a value from its origin. What it throws reaches the caller unchanged and is never kept. */
export type Loader<V> = (context: LoadContext<V>) => V | Promise<V>;

/** How entries are kept, refreshed and served. Every field has a default; `forRoot({ policy })` sets it for all. */
export interface CachePolicy<V = unknown> {
  /**
   * How long a value is fresh; 0 keeps it until it is evicted or invalidated. `{ auto: { min, max, maxStaleShare } }` lets it follow
   * what the cache observes. @default '5m'
   */
  ttl?: Duration | ((value: V) => Duration) | AutomaticTtl;
  /** How long after that it may be served while one refresh runs (RFC 5861 §3). @default 0 */
  staleWhileRevalidate?: Duration;
  /** How long after that it may be served when its origin fails (RFC 5861 §4). @default 0 */
  staleIfError?: Duration;
  /** After this long a stale value is served while the load goes on; needs a stale value to serve. @default none */
  softTimeout?: Duration;
  /** After this long a load is given up: its signal aborts and its callers get `LOAD_TIMEOUT` or the stale value. @default '30s' */
  hardTimeout?: Duration;
  /** Refresh in the background before expiry: from this fraction of the TTL on, or `'xfetch'`: early with a probability that
   *  grows towards expiry and with the measured load cost (Vattani et al., VLDB 2015), or both. @default none */
  refreshAhead?: number | 'xfetch' | { fraction?: number; xfetch?: boolean; beta?: number };
  /** Spreads expiry: each TTL is shortened by up to this fraction of itself. @default 0 */
  jitter?: number;
  /** How long null and undefined are kept; 0 or false keeps them not. @default 0 for undefined, the TTL for null */
  negativeTtl?: Duration | false;
  /** Keep only values for which this is true. */
  cacheIf?: (value: V) => boolean;
  /** One load per key across processes, by a lock in the first layer that offers one. @default false */
  lock?: boolean;
  /** How long a caller waits for another's load before it loads itself. @default none: until `hardTimeout` */
  waitTimeout?: Duration;
  /** Names by which entries are invalidated together. */
  tags?: readonly string[] | ((value: V) => readonly string[]);
  /** Values larger than this many bytes are handed out but not kept. @default none */
  maxEntrySize?: number;
  /** Hand out a private, mutable copy on every read instead of the shared frozen value. @default false */
  clone?: boolean;
  /**
   * Classes that values hold instances of, beside those of `forRoot({ classes })`. A process restores instances from a shared
   * layer only where their class is listed, is the declared return type, or was returned by itself before; anything else is a
   * miss. Names of an object (`{ 'shop.User': User }`) stand in the layer and hold across builds that rename classes.
   * `{ class, encode, decode }` keeps instances that cannot be copied property by property. @default none
   */
  classes?: CachedClasses;
}
