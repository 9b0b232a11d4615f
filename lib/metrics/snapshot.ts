/** The windows statistics are kept for; `all` is since start or the last reset. */
export const WINDOWS = ['1m', '5m', '1h', '24h', 'all'] as const;
export type Window = (typeof WINDOWS)[number];

/**
 * What happened in one window. Times are milliseconds, rates 0–1; a rate or time without anything to compute it from is
 * null. Quantiles are within 2.2 % of the exact ones.
 */
export interface CacheStats {
  /** `cacheHits + cacheMisses`. */
  readonly totalRequests: number;
  /** Accesses that the cache answered, stale answers included. */
  readonly cacheHits: number;
  /** All other accesses that asked it: plain misses, loads, coalesced waits, failures of the cache. */
  readonly cacheMisses: number;
  readonly staleHits: number;
  readonly coalesced: number;
  readonly bypasses: number;
  readonly errors: number;
  /** Loads run, in the foreground and as refreshes. */
  readonly recalculations: number;
  readonly loadErrors: number;
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
  /** The cache's own time: from the question until it has the value or knows that it has none. */
  readonly avgResponseTimeMs: number | null;
  readonly p50ResponseTimeMs: number | null;
  readonly p95ResponseTimeMs: number | null;
  readonly p99ResponseTimeMs: number | null;
  readonly maxResponseTimeMs: number | null;
  /** The origin's time. */
  readonly avgLoadTimeMs: number | null;
  readonly p50LoadTimeMs: number | null;
  readonly p95LoadTimeMs: number | null;
  readonly p99LoadTimeMs: number | null;
  /** Hits × the mean load time: what callers would have waited for the origin. */
  readonly timeSavedMs: number;
  /** Misses by why. */
  readonly missReasons: Readonly<Record<'cold' | 'expired' | 'evicted' | 'invalidated' | 'error' | 'unknown', number>>;
  readonly window: Window;
  /** Seconds of the window that were really observed. */
  readonly coverageSeconds: number;
}

export interface PatternStats extends CacheStats {
  readonly pattern: string;
  /** Mean size of the values set, bytes. */
  readonly avgValueBytes: number | null;
}

export interface EndpointStats extends CacheStats {
  /** `GET /feeds/discover`: method and route template, never the concrete URL. */
  readonly endpoint: string;
  /** What callers waited, loads included. */
  readonly avgTotalTimeMs: number | null;
  readonly p50TotalTimeMs: number | null;
  readonly p95TotalTimeMs: number | null;
  readonly p99TotalTimeMs: number | null;
}

export interface LayerStats {
  readonly layer: string;
  readonly hits: number;
  readonly misses: number;
  readonly errors: number;
  readonly timeouts: number;
  readonly totalRequests: number;
  readonly hitRate: number | null;
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
  readonly queueDepth: number;
  readonly writesDropped: number;
  readonly writesFailed: number;
  readonly window: Window;
  readonly coverageSeconds: number;
}

export interface OperationStats {
  readonly operation: 'get' | 'set' | 'has' | 'delete' | 'invalidate' | 'load' | 'refresh' | 'warm';
  readonly count: number;
  readonly errors: number;
  /** Hits over accesses for `get`, succeeded over all for the others. */
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
  /** Accesses a second, over the last minute. */
  readonly requestsPerSecond: number;
  readonly hitRate: number | null;
  readonly avgResponseTimeMs: number | null;
  readonly p99ResponseTimeMs: number | null;
  /** What needs a look now. */
  readonly alerts: readonly HealthWarning[];
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
    | 'PATTERN_BELOW_TARGET';
  readonly message: string;
  readonly value: number | string | null;
  readonly threshold: number | string | null;
  readonly pattern?: string;
  readonly layer?: string;
}

export interface HealthReport {
  readonly status: HealthStatus;
  readonly hitRate: number | null;
  readonly avgResponseTimeMs: number | null;
  readonly p95ResponseTimeMs: number | null;
  readonly totalRequests: number;
  readonly warnings: readonly HealthWarning[];
  /** Said when there is too little to judge by. */
  readonly note?: string;
  readonly window: Window;
  readonly timestamp: string;
}

export interface LowPerformer {
  readonly pattern: string;
  readonly hitRate: number | null;
  readonly totalRequests: number;
  readonly recommendation: string;
  /** Why misses happened, the TTL in force: what the recommendation was drawn from. */
  readonly missReasons: CacheStats['missReasons'];
  readonly ttlMs: number | null;
  readonly avgLoadTimeMs: number | null;
}
