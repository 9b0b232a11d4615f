/** What the routes answer, as far as the page reads it. */

export type WindowName = '1m' | '5m' | '1h' | '24h';
export const WINDOWS: readonly WindowName[] = ['1m', '5m', '1h', '24h'];
export type ScopeName = 'instance' | 'fleet';

export type MissReason = 'cold' | 'expired' | 'evicted' | 'invalidated' | 'error' | 'unknown';
export type MissReasons = Readonly<Record<MissReason, number>>;

export interface Stats {
  readonly total_requests: number;
  readonly cache_hits: number;
  readonly cache_misses: number;
  readonly stale_hits: number;
  readonly coalesced: number;
  readonly bypasses: number;
  readonly errors: number;
  readonly recalculations: number;
  readonly load_errors: number;
  readonly invalidations: number;
  readonly evictions: number;
  readonly hit_rate: number | null;
  readonly avg_response_time_ms: number | null;
  readonly p50_response_time_ms: number | null;
  readonly p95_response_time_ms: number | null;
  readonly p99_response_time_ms: number | null;
  readonly p50_load_time_ms: number | null;
  readonly p95_load_time_ms: number | null;
  readonly time_saved_ms: number;
  readonly miss_reasons: MissReasons;
  readonly coverage_seconds: number;
}

export interface PatternStats extends Stats {
  readonly pattern: string;
  readonly not_kept: Readonly<Record<string, number>>;
  readonly avg_value_bytes: number | null;
}

export interface EndpointStats extends Stats {
  readonly endpoint: string;
  readonly avg_total_time_ms: number | null;
  readonly p50_total_time_ms: number | null;
  readonly p95_total_time_ms: number | null;
}

export interface Warning {
  readonly code: string;
  readonly message: string;
  readonly pattern?: string;
  readonly layer?: string;
}

export interface Health {
  readonly status: 'healthy' | 'warning' | 'degraded';
  readonly hit_rate: number | null;
  readonly total_requests: number;
  readonly warnings: readonly Warning[];
  readonly note?: string;
  readonly window: string;
}

export interface Realtime {
  readonly operations_in_flight: number;
  readonly requests_per_second: number;
  readonly hit_rate: number | null;
  readonly p99_response_time_ms: number | null;
  readonly alerts: readonly Warning[];
  readonly timestamp: string;
}

export interface HistoryPoint {
  readonly start: string;
  readonly seconds: number;
  readonly total_requests: number;
  readonly cache_hits: number;
  readonly cache_misses: number;
  readonly stale_hits: number;
  readonly errors: number;
  readonly hit_rate: number | null;
  readonly p95_response_time_ms: number | null;
  readonly p50_load_time_ms: number | null;
  readonly p95_load_time_ms: number | null;
  readonly time_saved_ms: number;
  readonly miss_reasons: MissReasons;
}

export interface History {
  readonly window: WindowName;
  readonly points: readonly HistoryPoint[];
  readonly patterns: readonly { readonly pattern: string; readonly points: readonly HistoryPoint[] }[];
  readonly since: string;
  readonly timestamp: string;
}

export interface LayerStats {
  readonly layer: string;
  readonly total_requests: number;
  readonly cache_hits: number;
  readonly errors: number;
  readonly timeouts: number;
  readonly hit_rate: number | null;
  readonly p50_response_time_ms: number | null;
  readonly p95_response_time_ms: number | null;
  readonly p99_response_time_ms: number | null;
  readonly evictions: number;
  readonly entry_count: number | null;
  readonly total_size_bytes: number | null;
  readonly connected: boolean;
  readonly circuit_state: 'closed' | 'open' | 'half_open';
  readonly queue_depth: number;
  readonly writes_dropped: number;
  readonly writes_failed: number;
  readonly sweeps_pending?: number;
}

export interface LayerInformation {
  readonly cache: string;
  readonly layer: string;
  readonly shared: boolean;
  readonly max_entries?: number;
  readonly max_size_bytes?: number;
  readonly entry_count: number | null;
  readonly total_size_bytes: number | null;
  readonly bound_by?: string;
}

export interface Information {
  readonly redis_version: string | null;
  readonly used_memory: number | null;
  readonly max_memory: number | null;
  readonly connected_clients: number | null;
  readonly total_keys: number | null;
  readonly uptime_in_seconds: number | null;
  readonly layers: readonly LayerInformation[];
}

export interface Pool {
  readonly pool: string;
  readonly system: string;
  readonly size: number;
  readonly in_use: number;
  readonly idle: number;
  readonly pending: number;
  readonly utilization: number;
  readonly timeouts: number;
  readonly p95_wait_time_ms: number | null;
}

export interface Query {
  readonly query_type: string;
  readonly table: string;
  readonly count: number;
  readonly errors: number;
  readonly slow: number;
  readonly p50_time_ms: number | null;
  readonly p95_time_ms: number | null;
}

export interface SlowQuery {
  readonly query_type: string;
  readonly table: string;
  readonly shape: string;
  readonly count: number;
  readonly max_time_ms: number;
  readonly last_at: string;
}

export interface Database {
  readonly pools: readonly Pool[];
  readonly queries: readonly Query[];
  readonly slow_queries: readonly SlowQuery[];
}

export interface LowPerformer {
  readonly pattern: string;
  readonly hit_rate: number | null;
  readonly total_requests: number;
  readonly code: string;
  readonly recommendation: string;
  readonly miss_reasons: MissReasons;
  readonly ttl_ms: number | null;
  readonly avg_load_time_ms: number | null;
}

export interface Recommendation {
  readonly id: string;
  readonly code: string;
  readonly pattern?: string | null;
  readonly layer?: string | null;
  readonly title: string;
  readonly why: string;
  readonly change?: {
    readonly option?: string;
    readonly from?: unknown;
    readonly to?: unknown;
    readonly code?: string;
  } | null;
  readonly evidence?: Readonly<Record<string, unknown>> | null;
  readonly predicted?: Readonly<Record<string, number | null>> | null;
  readonly confidence?: string;
  readonly since?: string;
}

export interface TtlRung {
  readonly ttl_ms: number;
  readonly hit_rate: number | null;
  readonly hit_rate_error: number | null;
  readonly stale_share: number | null;
  readonly stale_share_error?: number | null;
  readonly loads_per_hour?: number | null;
  readonly withheld?: string | null;
}

export interface TtlLadder {
  readonly pattern: string;
  readonly ttl_ms: number | null;
  readonly accesses: number;
  readonly observed_ms: number;
  readonly withheld?: string | null;
  readonly ladder: readonly TtlRung[];
  readonly advised?: { readonly ttl_ms: number } | null;
}

export interface Alert {
  readonly id: string;
  readonly code: string;
  readonly severity: string;
  readonly subject: string;
  readonly message: string;
  readonly opened_at: string;
  readonly closed_at: string | null;
}

export interface HotKey {
  readonly key: string;
  readonly pattern?: string;
  readonly requests?: number;
  readonly count?: number;
}

export interface StrategyReport {
  readonly strategy: string;
  readonly result: string;
  readonly keys_warmed: number;
  readonly keys_skipped: number;
  readonly keys_failed: number;
  readonly duration_ms: number;
  readonly efficiency: number | null;
}

export interface WarmingReport {
  readonly id: string;
  readonly trigger: string;
  readonly status: string;
  readonly started_at: string;
  readonly strategies: readonly StrategyReport[];
}

export interface WarmingProgress {
  readonly type: string;
  readonly run_id: string;
  readonly trigger: string;
  readonly report: StrategyReport;
}

export interface Context {
  readonly service: string;
  readonly version: string | null;
  readonly library_version: string;
  readonly started_at: string;
  readonly enabled: boolean;
  readonly metrics: boolean;
  readonly fleet: boolean;
  readonly profiling: boolean;
  readonly caches: readonly string[];
  readonly strategies: readonly string[];
}

export interface PolicyOverride {
  readonly values: Readonly<Record<string, unknown>>;
  readonly set_by: string;
  readonly set_at: string;
  readonly expires_at: string | null;
}

/** The policy of a pattern: as it is declared, overridden, and in force. */
export interface PolicyReport {
  readonly pattern: string;
  readonly declared: Readonly<Record<string, unknown>>;
  readonly override: PolicyOverride | null;
  readonly automatic: PolicyOverride | null;
  readonly effective: Readonly<Record<string, unknown>>;
  readonly predicted?: { readonly hit_rate: number | null; readonly stale_share: number | null } | null;
  readonly realised?: { readonly hit_rate: number | null; readonly stale_share: number | null } | null;
}
