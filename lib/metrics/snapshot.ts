import type { Window } from './windows/window-lengths.js';

export { type Window, WINDOWS } from './windows/window-lengths.js';

/**
 * The statistics of one window. Times are milliseconds, rates 0–1. A rate or time without data is null. Quantiles are within 2.2 % of the
 * exact ones.
 */
export interface CacheStats {
  /** `cacheHits + cacheMisses`. */
  readonly totalRequests: number;
  /** Accesses that the cache answered, including stale answers. */
  readonly cacheHits: number;
  /** All other accesses: plain misses, loads, joined loads, failures of the cache. */
  readonly cacheMisses: number;
  readonly staleHits: number;
  readonly coalesced: number;
  readonly bypasses: number;
  readonly errors: number;
  /** Loads, including refreshes. */
  readonly recalculations: number;
  readonly loadErrors: number;
  /** Loads that the origin answered with an `HttpException` of 4xx (except 408, 425, 429). They are not errors, and nothing is stored. */
  readonly loadRejections: number;
  readonly waitTimeouts: number;
  readonly sizeLimitRejections: number;
  readonly sets: number;
  readonly deletes: number;
  readonly invalidations: number;
  readonly evictions: number;
  readonly entryCount: number | null;
  readonly totalSizeBytes: number | null;
  readonly operationsInFlight: number;
  readonly hitRate: number | null;
  readonly missRate: number | null;
  /** The time of the cache itself: from the request until it has the value or knows that it has none. */
  readonly avgResponseTimeMs: number | null;
  readonly p50ResponseTimeMs: number | null;
  readonly p95ResponseTimeMs: number | null;
  readonly p99ResponseTimeMs: number | null;
  readonly maxResponseTimeMs: number | null;
  /** The time of the origin. */
  readonly avgLoadTimeMs: number | null;
  readonly p50LoadTimeMs: number | null;
  readonly p95LoadTimeMs: number | null;
  readonly p99LoadTimeMs: number | null;
  /** The time that callers would have waited for the origin: hits × the mean load time. */
  readonly timeSavedMs: number;
  /** Misses by reason. */
  readonly missReasons: Readonly<Record<'cold' | 'expired' | 'evicted' | 'invalidated' | 'error' | 'unknown', number>>;
  readonly window: Window;
  /** Seconds of the window that were observed. */
  readonly coverageSeconds: number;
}

/** Loads and writes whose value was not stored, by reason. */
export interface NotKeptCounts {
  /** The load failed or took longer than `hardTimeout`. */
  readonly error: number;
  /** `cacheIf` returned false. */
  readonly cacheIf: number;
  /** The loader called `skip()`. */
  readonly skipped: number;
  /** The handler sets a cookie. */
  readonly cookie: number;
  /** A stream or an iterator, which can be read only once. */
  readonly stream: number;
  /** Responses with this status are not stored. */
  readonly status: number;
  /** The handler wrote to a response that was already sent. */
  readonly response: number;
  /** Larger than `maxEntrySize`. */
  readonly size: number;
  /** The value cannot be copied faithfully. */
  readonly value: number;
  /** The value is null or undefined, and no TTL for such values is set. */
  readonly empty: number;
  /** The TTL of this value is 0. */
  readonly ttl: number;
  /** The policy's `ttl`, `tags` or `cacheIf` failed. */
  readonly policy: number;
  /** The key or a tag was invalidated during the load. */
  readonly invalidated: number;
  /** No layer stored it. */
  readonly layer: number;
}

export interface PatternStats extends CacheStats {
  readonly pattern: string;
  readonly notKept: NotKeptCounts;
  /** Mean size of the stored values, bytes. */
  readonly avgValueBytes: number | null;
}

export interface EndpointStats extends CacheStats {
  /** Method and route template, such as `GET /feeds/discover`, never the concrete URL. */
  readonly endpoint: string;
  /** The time callers waited, including loads. */
  readonly avgTotalTimeMs: number | null;
  readonly p50TotalTimeMs: number | null;
  readonly p95TotalTimeMs: number | null;
  readonly p99TotalTimeMs: number | null;
}

export interface LayerStats {
  readonly layer: string;
  /** `cacheHits + cacheMisses`: requested keys. */
  readonly totalRequests: number;
  readonly cacheHits: number;
  readonly cacheMisses: number;
  readonly errors: number;
  readonly timeouts: number;
  readonly hitRate: number | null;
  readonly missRate: number | null;
  readonly avgResponseTimeMs: number | null;
  readonly p50ResponseTimeMs: number | null;
  readonly p95ResponseTimeMs: number | null;
  readonly p99ResponseTimeMs: number | null;
  readonly maxResponseTimeMs: number | null;
  readonly evictions: number;
  readonly entryCount: number | null;
  readonly totalSizeBytes: number | null;
  readonly connected: boolean;
  readonly circuitState: 'closed' | 'open' | 'half_open';
  /** Why the layer cannot be used, and what to do. Present while it cannot be used and the reason is known. */
  readonly failure?: string;
  readonly queueDepth: number;
  readonly writesDropped: number;
  readonly writesFailed: number;
  /** Invalidations by glob whose entries are not removed yet. Present if there are any. */
  readonly sweepsPending?: number;
  /** Invalidations that the layer has not accepted yet. Present if there are any. */
  readonly invalidationsPending?: number;
  /** Present if the last message to the other processes could not be sent. */
  readonly busNotSent?: true;
  /** Present while messages of the other processes cannot be received. */
  readonly busUnreachable?: true;
  readonly window: Window;
  readonly coverageSeconds: number;
}

export interface OperationStats {
  readonly operation: 'get' | 'set' | 'has' | 'delete' | 'invalidate' | 'load' | 'refresh' | 'warm';
  readonly count: number;
  readonly errors: number;
  /** For `get` hits over accesses, for other operations successes over all runs. */
  readonly hitRate: number | null;
  readonly avgResponseTimeMs: number | null;
  readonly p50ResponseTimeMs: number | null;
  readonly p95ResponseTimeMs: number | null;
  readonly p99ResponseTimeMs: number | null;
  readonly maxResponseTimeMs: number | null;
  readonly window: Window;
  readonly coverageSeconds: number;
}

export interface HitRates {
  readonly overall: Readonly<Record<Window, number | null>>;
  readonly patterns: readonly {
    readonly pattern: string;
    readonly hitRates: Readonly<Record<Window, number | null>>;
  }[];
  readonly operations: readonly {
    readonly operation: string;
    readonly hitRates: Readonly<Record<Window, number | null>>;
  }[];
}

export interface Realtime {
  readonly operationsInFlight: number;
  /** Accesses per second, over the last minute. */
  readonly requestsPerSecond: number;
  readonly hitRate: number | null;
  readonly avgResponseTimeMs: number | null;
  readonly p99ResponseTimeMs: number | null;
  /** Open warnings. */
  readonly alerts: readonly HealthWarning[];
  readonly timestamp: string;
}

/** The statistics of one part of a window. Times are milliseconds, rates 0–1; null without data. */
export interface HistoryPoint {
  /** When the part began. */
  readonly start: string;
  /** The length of the part, seconds, without the time that was not observed. */
  readonly seconds: number;
  readonly totalRequests: number;
  readonly cacheHits: number;
  readonly cacheMisses: number;
  readonly staleHits: number;
  readonly errors: number;
  readonly hitRate: number | null;
  readonly p95ResponseTimeMs: number | null;
  readonly p50LoadTimeMs: number | null;
  readonly p95LoadTimeMs: number | null;
  readonly timeSavedMs: number;
  readonly missReasons: CacheStats['missReasons'];
}

/** A window over time, oldest point first. */
export interface History {
  readonly window: Exclude<Window, 'all'>;
  /** The pattern; null for all patterns together. */
  readonly pattern: string | null;
  readonly points: readonly HistoryPoint[];
  /** The patterns that lost the most time to misses, most first. */
  readonly patterns: readonly { readonly pattern: string; readonly points: readonly HistoryPoint[] }[];
  /** When counting began: the start, or the last reset. */
  readonly since: string;
  readonly timestamp: string;
}

export type HealthStatus = 'healthy' | 'warning' | 'degraded';

export interface HealthWarning {
  readonly code:
    | 'LOW_HIT_RATE'
    | 'HIGH_AVG_RESPONSE_TIME'
    | 'HIGH_P95_RESPONSE_TIME'
    | 'CIRCUIT_OPEN'
    | 'LAYER_DOWN'
    | 'SWEEP_PENDING'
    | 'INVALIDATIONS_PENDING'
    | 'BUS_NOT_SENT'
    | 'BUS_UNREACHABLE'
    | 'PATTERN_BELOW_TARGET'
    | 'HIT_RATE_DROP'
    | 'SLOW_LOADS'
    | 'ERRORS_RISE'
    | 'INVALIDATION_STORM'
    | 'TRAFFIC_DROP'
    | 'POOL_BUSY'
    | 'POOL_EXHAUSTED';
  readonly message: string;
  readonly value: number | string | null;
  readonly threshold: number | string | null;
  readonly pattern?: string;
  readonly layer?: string;
  /** The connection pool of a database. */
  readonly pool?: string;
}

export interface HealthReport {
  readonly status: HealthStatus;
  readonly hitRate: number | null;
  readonly avgResponseTimeMs: number | null;
  readonly p95ResponseTimeMs: number | null;
  readonly totalRequests: number;
  readonly warnings: readonly HealthWarning[];
  /** Present if there are too few requests to judge. */
  readonly note?: string;
  readonly window: Window;
  readonly timestamp: string;
}

/** What a recommendation suggests to change. */
export type RecommendationCode =
  | 'RAISE_TTL'
  | 'LOWER_TTL'
  | 'MORE_MEMORY'
  | 'LESS_MEMORY'
  | 'KEY_TOO_SPECIFIC'
  | 'NEVER_READ'
  | 'CHEAPER_THAN_CACHE'
  | 'VALUE_TOO_LARGE'
  | 'INVALIDATED_TOO_WIDELY'
  | 'CACHE_EMPTY_RESULTS'
  | 'SERVE_STALE'
  | 'SHARE_LOADS'
  | 'WARM'
  | 'NOT_CACHED';

/**
 * The code of {@link LowPerformer.recommendation}. It is a recommendation, or, if there is none, the cause: `LAYER_FAILS`, a layer does not
 * answer; `NOTHING_STORED`, nothing was stored; `COLD_KEYS`, the requested keys had never been loaded. `WITHHELD`: more data is needed for
 * a recommendation.
 */
export type AdviceCode = RecommendationCode | 'LAYER_FAILS' | 'NOTHING_STORED' | 'COLD_KEYS' | 'WITHHELD';

export interface LowPerformer {
  readonly pattern: string;
  readonly hitRate: number | null;
  readonly totalRequests: number;
  readonly code: AdviceCode;
  readonly recommendation: string;
  /** The facts behind the recommendation: reasons of misses, counts of values not stored, and the current TTL. */
  readonly missReasons: CacheStats['missReasons'];
  readonly notKept: NotKeptCounts;
  readonly ttlMs: number | null;
  readonly avgLoadTimeMs: number | null;
}
