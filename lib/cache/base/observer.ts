/**
 * The events that the cache reports to its observer. They are integers and numbers only, so that an observer counts without allocation.
 * An observer must not throw; {@link composeObservers} shields observers from one another.
 */

/** How an access ended. `bypass` is not an access: it is reported by {@link CacheObserver.bypass}. */
export const Outcome = { hit: 0, stale: 1, miss: 2, coalesced: 3, error: 4 } as const;
export type Outcome = (typeof Outcome)[keyof typeof Outcome];

/** Why an access found no fresh entry; `none` on hits. */
export const MissReason = { none: 0, cold: 1, expired: 2, evicted: 3, invalidated: 4, error: 5, unknown: 6 } as const;
export type MissReason = (typeof MissReason)[keyof typeof MissReason];

/** The caller's operation. `get` is reported by `hit` and `access`. */
export const Operation = { get: 0, set: 1, has: 2, delete: 3, invalidate: 4, load: 5, refresh: 6, warm: 7 } as const;
export type Operation = (typeof Operation)[keyof typeof Operation];

/** How an operation other than `get` ended. */
export const Result = { ok: 0, absent: 1, rejected: 2, error: 3, timeout: 4 } as const;
export type Result = (typeof Result)[keyof typeof Result];

/** Why a load that succeeded, or a value to be set, was not stored; values that are too large are reported by `sizeRejected`. */
export const NotKept = {
  /** `cacheIf` returned false. */
  cacheIf: 0,
  /** The loader called `skip()`. */
  skipped: 1,
  /** The handler sets a cookie. */
  cookie: 2,
  /** A stream, or several values, for one reader. */
  stream: 3,
  /** Responses with this status are not stored. */
  status: 4,
  /** The handler wrote to a response that was already sent. */
  response: 5,
  /** The value cannot be copied faithfully. */
  value: 6,
  /** The value is null or undefined, without a TTL set for it. */
  empty: 7,
  /** The TTL of this value is 0. */
  ttl: 8,
  /** The policy's `ttl`, `tags` or `cacheIf` failed. */
  policy: 9,
  /** An invalidation came during the load. */
  invalidated: 10,
} as const;
export type NotKept = (typeof NotKept)[keyof typeof NotKept];

/** The operation on one layer. */
export const LayerOperation = { get: 0, set: 1, delete: 2, invalidate: 3 } as const;
export type LayerOperation = (typeof LayerOperation)[keyof typeof LayerOperation];

/** How a layer answered. `timeout` is an error too; `refused` never reached it (open circuit). */
export const LayerResult = { hit: 0, miss: 1, ok: 2, error: 3, timeout: 4, refused: 5 } as const;
export type LayerResult = (typeof LayerResult)[keyof typeof LayerResult];

/** Why a layer removed an entry on its own. */
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
  /** An input that distinguishes callers was missing. */
  vary: 6,
} as const;
export type BypassReason = (typeof BypassReason)[keyof typeof BypassReason];

/** Where accesses are counted: resolved once, at registration or on a key's first use, and passed with every call. */
export interface Series {
  /** The key pattern, such as `feed:*`. */
  readonly pattern: string;
  /** `GET /feeds/discover`; undefined if no endpoint caused the access. */
  readonly endpoint: string | undefined;
}

/** Options of a series: `false` counts and times nothing. */
export interface SeriesOptions {
  readonly samplingRate?: number;
  readonly enabled?: boolean;
  /** Name of the method (`ProductService.find`) whose accesses are counted separately, too; unused if there is an endpoint. */
  readonly subject?: string;
}

/** The description of a layer, passed before anything happens on the chain. */
export interface LayerDescription {
  readonly name: string;
  readonly shared: boolean;
}

/**
 * The narrow interface between the cache and its observers. Durations are milliseconds. `at` is the reading of the clock when the operation
 * ended, so that the clock need not be read again; without `at` the observer reads it.
 */
export interface CacheObserver {
  /** Names the layers whose indices later calls carry. Called once, first. */
  attach(layers: readonly LayerDescription[]): void;

  /** The series of a declared pattern; the same object for the same pair. */
  series(pattern: string, endpoint?: string, options?: SeriesOptions): Series;
  /** The series of a key that no handler declared: its pattern is detected. */
  seriesOf(key: string): Series;

  /** A fresh value was answered from memory, in the same turn. `startedAt` is the reading of the clock at the request. */
  hit(series: Series, layer: number, startedAt: number): void;
  /**
   * Every other access, reported once when it has ended.
   * @param layer index of the layer that answered, or -1.
   * @param responseMs from the request until the cache had a value or had found that it has none.
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
  /** A request that bypassed the cache. */
  bypass(series: Series, reason: BypassReason): void;

  /** A load (`Operation.load`) or refresh of a series by its loader, with the time the origin took. */
  load(series: Series, operation: Operation, result: Result, durationMs: number, at?: number): void;
  /** A loader began (+1) or ended (-1). */
  inFlight(change: 1 | -1): void;
  /** A caller stopped waiting for another caller's load and started its own. */
  waitTimeout(series: Series): void;

  /** A set, has, delete or warm of one key. `bytes` is the entry's size if it is known, else 0. */
  operation(series: Series, operation: Operation, result: Result, durationMs: number, bytes: number, at?: number): void;
  /** An invalidation by tag, glob or of everything, with the number of removed entries if that is known. */
  invalidation(result: Result, durationMs: number, removed: number): void;
  /** A value was larger than `maxEntrySize` and was not stored. */
  sizeRejected(series: Series, bytes: number): void;
  /** A value was not stored for another reason. */
  notKept?(series: Series, reason: NotKept): void;

  /** One call to one layer; a batch counts `keys` keys, `hits` of them found. */
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
