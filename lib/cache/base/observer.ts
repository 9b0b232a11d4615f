/**
 * The events that the cache reports to its observer. They hold only numbers and existing objects, so that an observer can count without allocation.
 * An observer must not throw; {@link composeObservers} catches the errors of each.
 */

/** How an access ended. A bypass is not an access; see {@link CacheObserver.bypass}. */
export const Outcome = { hit: 0, stale: 1, miss: 2, coalesced: 3, error: 4 } as const;
export type Outcome = (typeof Outcome)[keyof typeof Outcome];

/** Why an access found no fresh entry; `none` on hits. */
export const MissReason = { none: 0, cold: 1, expired: 2, evicted: 3, invalidated: 4, error: 5, unknown: 6 } as const;
export type MissReason = (typeof MissReason)[keyof typeof MissReason];

/** The caller's operation. {@link CacheObserver.hit} and {@link CacheObserver.access} report `get`. */
export const Operation = { get: 0, set: 1, has: 2, delete: 3, invalidate: 4, load: 5, refresh: 6, warm: 7 } as const;
export type Operation = (typeof Operation)[keyof typeof Operation];

/** How an operation other than `get` ended. */
export const Result = { ok: 0, absent: 1, rejected: 2, error: 3, timeout: 4 } as const;
export type Result = (typeof Result)[keyof typeof Result];

/** Why a loaded value, or a value to be set, was not stored. `sizeRejected` reports values that are too large. */
export const NotKept = {
  /** `cacheIf` returned false. */
  cacheIf: 0,
  /** The loader called `skip()`. */
  skipped: 1,
  /** The handler sets a cookie. */
  cookie: 2,
  /** The value is a stream or a sequence of several values, which only one reader can use. */
  stream: 3,
  /** Responses with this status are not stored. */
  status: 4,
  /** The handler wrote to a response that was already sent. */
  response: 5,
  /** The value cannot be copied faithfully. */
  value: 6,
  /** The value is null or undefined, and no TTL for such values is set. */
  empty: 7,
  /** The TTL of this value is 0. */
  ttl: 8,
  /** The policy's `ttl`, `tags` or `cacheIf` failed. */
  policy: 9,
  /** The key or a tag was invalidated during the load. */
  invalidated: 10,
} as const;
export type NotKept = (typeof NotKept)[keyof typeof NotKept];

/** The operation on one layer. */
export const LayerOperation = { get: 0, set: 1, delete: 2, invalidate: 3 } as const;
export type LayerOperation = (typeof LayerOperation)[keyof typeof LayerOperation];

/** How a layer answered. `timeout` is one kind of error. `refused`: the circuit was open, so the layer was not called. */
export const LayerResult = { hit: 0, miss: 1, ok: 2, error: 3, timeout: 4, refused: 5 } as const;
export type LayerResult = (typeof LayerResult)[keyof typeof LayerResult];

/** Why a layer removed an entry without a request to do so. */
export const EvictionReason = { capacity: 0, expired: 1, size: 2 } as const;
export type EvictionReason = (typeof EvictionReason)[keyof typeof EvictionReason];

/** State of a layer's circuit breaker. */
export const CircuitState = { closed: 0, open: 1, halfOpen: 2 } as const;
export type CircuitState = (typeof CircuitState)[keyof typeof CircuitState];

/** Why a request bypassed the cache. */
export const BypassReason = {
  authorization: 0,
  method: 1,
  disabled: 2,
  directive: 3,
  condition: 4,
  transport: 5,
  /** An input that distinguishes callers is missing. */
  vary: 6,
} as const;
export type BypassReason = (typeof BypassReason)[keyof typeof BypassReason];

/** The counters of accesses to one pattern. It is resolved once, at registration or on a key's first use, and passed with every call. */
export interface Series {
  /** The key pattern, such as `feed:*`. */
  readonly pattern: string;
  /** Such as `GET /feeds/discover`; undefined if no endpoint caused the access. */
  readonly endpoint: string | undefined;
}

/** Options of a series. With `enabled: false` it counts and times nothing. */
export interface SeriesOptions {
  readonly samplingRate?: number;
  readonly enabled?: boolean;
  /** Name of the method, such as `ProductService.find`. Its accesses are also counted separately. Ignored if there is an endpoint. */
  readonly subject?: string;
}

/** The description of a layer. */
export interface LayerDescription {
  readonly name: string;
  readonly shared: boolean;
}

/**
 * The interface between the cache and its observers. Durations are milliseconds. `at` is the time of the clock when the operation ended, so that the
 * observer need not read the clock; without `at`, the observer reads it.
 */
export interface CacheObserver {
  /** Names the layers to which later calls refer by index. Called once, before all other methods. */
  attach(layers: readonly LayerDescription[]): void;

  /** Returns the series of a declared pattern; always the same object for the same pattern and endpoint. */
  series(pattern: string, endpoint?: string, options?: SeriesOptions): Series;
  /** Returns the series of a key that no handler declared; the observer detects its pattern. */
  seriesOf(key: string): Series;

  /** Reports that memory answered with a fresh value, in the same turn of the event loop. `startedAt` is the time of the request. */
  hit(series: Series, layer: number, startedAt: number): void;
  /**
   * Reports every other access once, when it has ended.
   * @param layer index of the layer that answered, or -1.
   * @param responseMs time from the request until the cache has a value or knows that it has none.
   * @param totalMs the time the caller waited, including the load.
   */
  access(
    series: Series,
    outcome: Outcome,
    layer: number,
    responseMs: number,
    totalMs: number,
    reason: MissReason,
    at?: number,
  ): void;
  /** Reports a request that bypassed the cache. */
  bypass(series: Series, reason: BypassReason): void;

  /** Reports a load (`Operation.load`) or refresh, with the time that the loader took. */
  load(series: Series, operation: Operation, result: Result, durationMs: number, at?: number): void;
  /** Reports that a loader began (+1) or ended (-1). */
  inFlight(change: 1 | -1): void;
  /** Reports that a caller stopped waiting for another caller's load and started its own. */
  waitTimeout(series: Series): void;

  /** Reports a set, has, delete or warm of one key. `bytes` is the entry's size, or 0 if unknown. */
  operation(series: Series, operation: Operation, result: Result, durationMs: number, bytes: number, at?: number): void;
  /** Reports an invalidation by tag, by glob or of everything, with the number of removed entries, or 0 if unknown. */
  invalidation(result: Result, durationMs: number, removed: number): void;
  /** Reports that a value was not stored because it was larger than `maxEntrySize`. */
  sizeRejected(series: Series, bytes: number): void;
  /** Reports that a value was not stored for another reason. */
  notKept?(series: Series, reason: NotKept): void;

  /** Reports one call to one layer. A batch counts `keys` keys, of which `hits` were found. */
  layer(
    layer: number,
    operation: LayerOperation,
    result: LayerResult,
    durationMs: number,
    keys: number,
    hits: number,
    at?: number,
  ): void;
  evicted(layer: number, reason: EvictionReason, count: number, at?: number): void;
  circuit(layer: number, state: CircuitState): void;
  queueDepth(layer: number, depth: number): void;
  writeDropped(layer: number, count: number): void;
  asyncWrite(layer: number, result: Result, durationMs: number, keys: number): void;
}
