/**
 * What the cache reports to its observer. Integers and numbers only: an observer counts without allocating, and
 * the cache never knows who listens. An observer must not throw; {@link composeObservers} shields one from another.
 */

/** How an access ended. `bypass` is not an access: it is reported by {@link CacheObserver.bypass}. */
export const Outcome = { hit: 0, stale: 1, miss: 2, coalesced: 3, error: 4 } as const;
export type Outcome = (typeof Outcome)[keyof typeof Outcome];

/** Why an access found nothing fresh; `none` on hits. */
export const MissReason = { none: 0, cold: 1, expired: 2, evicted: 3, invalidated: 4, error: 5, unknown: 6 } as const;
export type MissReason = (typeof MissReason)[keyof typeof MissReason];

/** What was done, at the level of the caller. `get` is reported by `hit` and `access`. */
export const Operation = { get: 0, set: 1, has: 2, delete: 3, invalidate: 4, load: 5, refresh: 6, warm: 7 } as const;
export type Operation = (typeof Operation)[keyof typeof Operation];

/** How an operation other than `get` ended. */
export const Result = { ok: 0, absent: 1, rejected: 2, error: 3, timeout: 4 } as const;
export type Result = (typeof Result)[keyof typeof Result];

/** Why a load that succeeded, or a value to be set, left nothing in the cache; values that are too large are reported by `sizeRejected`. */
export const NotKept = {
  /** `cacheIf` returned false. */
  cacheIf: 0,
  /** The loader called `skip()`. */
  skipped: 1,
  /** The handler sets a cookie. */
  cookie: 2,
  /** It is a stream, or several values, for one reader. */
  stream: 3,
  /** The status of the response is not one that is kept. */
  status: 4,
  /** The handler wrote to a response that had been sent. */
  response: 5,
  /** The value cannot be copied faithfully. */
  value: 6,
  /** The value is null or undefined, for which no TTL is set. */
  empty: 7,
  /** The TTL of this value is 0. */
  ttl: 8,
  /** The policy's `ttl`, `tags` or `cacheIf` failed. */
  policy: 9,
  /** An invalidation came while it was loaded. */
  invalidated: 10,
} as const;
export type NotKept = (typeof NotKept)[keyof typeof NotKept];

/** What was asked of one layer. */
export const LayerOperation = { get: 0, set: 1, delete: 2, invalidate: 3 } as const;
export type LayerOperation = (typeof LayerOperation)[keyof typeof LayerOperation];

/** How a layer answered. `timeout` is an error too; `refused` never reached it (open circuit). */
export const LayerResult = { hit: 0, miss: 1, ok: 2, error: 3, timeout: 4, refused: 5 } as const;
export type LayerResult = (typeof LayerResult)[keyof typeof LayerResult];

/** Why a layer let an entry go by itself. */
export const EvictionReason = { capacity: 0, expired: 1, size: 2 } as const;
export type EvictionReason = (typeof EvictionReason)[keyof typeof EvictionReason];

/** State of a layer's circuit breaker. */
export const CircuitState = { closed: 0, open: 1, halfOpen: 2 } as const;
export type CircuitState = (typeof CircuitState)[keyof typeof CircuitState];

/** Why a request was not asked of the cache at all. */
export const BypassReason = {
  authorization: 0,
  method: 1,
  disabled: 2,
  directive: 3,
  condition: 4,
  transport: 5,
  /** An input that tells callers apart was not there. */
  vary: 6,
} as const;
export type BypassReason = (typeof BypassReason)[keyof typeof BypassReason];

/** Where accesses are counted: resolved once, at registration or on a key's first use, and handed back with every call. */
export interface Series {
  /** The key pattern, such as `feed:*`. */
  readonly pattern: string;
  /** `GET /feeds/discover`, or undefined for what no endpoint asked. */
  readonly endpoint: string | undefined;
}

/** How a series is measured: `false` counts and times nothing. */
export interface SeriesOptions {
  readonly samplingRate?: number;
  readonly enabled?: boolean;
  /** Name of the method (`ProductService.find`) whose accesses are counted on their own too; unused beside an endpoint. */
  readonly subject?: string;
}

/** What an observer learns about the chain before anything happens on it. */
export interface LayerDescription {
  readonly name: string;
  readonly shared: boolean;
}

/**
 * The narrow interface between the cache and what measures it. Durations are milliseconds. `at` is the clock's reading when something
 * ended, so that it need not be read again; it is read where `at` is left out.
 */
export interface CacheObserver {
  /** Names the layers whose indices later calls carry. Called once, first. */
  attach(layers: readonly LayerDescription[]): void;

  /** The series of a declared pattern; the same object for the same pair. */
  series(pattern: string, endpoint?: string, options?: SeriesOptions): Series;
  /** The series of a key that no handler declared: its pattern is detected. */
  seriesOf(key: string): Series;

  /** A fresh value answered from memory, in the same turn. `startedAt` is the clock's reading at the question. */
  hit(series: Series, layer: number, startedAt: number): void;
  /**
   * Every other access, reported once when it has ended.
   * @param layer index of the layer that answered, or -1.
   * @param responseMs from the question until the cache had a value or knew that it had none.
   * @param totalMs what the caller waited, loading included.
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
  /** A request that went past the cache. */
  bypass(series: Series, reason: BypassReason): void;

  /** A load (`Operation.load`) or refresh of a series by its loader, with the time the origin took. */
  load(series: Series, operation: Operation, result: Result, durationMs: number, at?: number): void;
  /** A loader began (+1) or ended (-1). */
  inFlight(change: 1 | -1): void;
  /** A waiter gave up waiting for another's load and loaded itself. */
  waitTimeout(series: Series): void;

  /** A set, has, delete or warm of one key. `bytes` is the entry's size where it is known, else 0. */
  operation(series: Series, operation: Operation, result: Result, durationMs: number, bytes: number, at?: number): void;
  /** An invalidation by tag, glob or of everything, with how many entries it removed where that is known. */
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
  evicted(layer: number, reason: EvictionReason, count: number): void;
  circuit(layer: number, state: CircuitState): void;
  queueDepth(layer: number, depth: number): void;
  writeDropped(layer: number, count: number): void;
  asyncWrite(layer: number, result: Result, durationMs: number, keys: number): void;
}
