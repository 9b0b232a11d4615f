import { aggregationOf, type MetricFamily } from '../metrics/family.js';

/** A family's name and unit for exporters that separate words by dots: OpenTelemetry, StatsD, CloudWatch. */
export interface DottedName {
  readonly name: string;
  /** UCUM, as OpenTelemetry writes units. */
  readonly unit: string;
  /** True for a gauge whose values may be added up over series and processes, such as bytes or connections. */
  readonly additive: boolean;
  /** A label implied by the name: several families become one metric, distinguished by this label. */
  readonly implied?: readonly [label: string, value: string];
}

type Row = readonly [name: string, unit: string, implied?: readonly [label: string, value: string]];

/** Database names are those of OpenTelemetry's semantic conventions for database clients. */
const NAMES: Readonly<Record<string, Row>> = {
  cache_operations_total: ['cache.operations', '{operation}'],
  cache_operation_duration_seconds: ['cache.operation.duration', 's'],
  cache_hit_rate: ['cache.hit_rate', '1'],
  cache_memory_usage_bytes: ['cache.memory.usage', 'By'],
  cache_entries: ['cache.entry.count', '{entry}'],
  cache_evicted_worth: ['cache.evicted.worth', 'ms/MiBy/min'],
  cache_layer_hits_total: ['cache.layer.hits', '{key}'],
  cache_layer_misses_total: ['cache.layer.misses', '{key}'],
  cache_layer_errors_total: ['cache.layer.errors', '{error}'],
  cache_layer_operation_duration_seconds: ['cache.layer.operation.duration', 's'],
  cache_layer_queue_depth: ['cache.layer.queue.depth', '{write}'],
  cache_layer_writes_dropped_total: ['cache.layer.writes.dropped', '{write}'],
  cache_layer_writes_failed_total: ['cache.layer.writes.failed', '{write}'],
  cache_layer_async_write_duration_seconds: ['cache.layer.async_write.duration', 's'],
  cache_layer_circuit_state: ['cache.layer.circuit.state', '1'],
  cache_layer_circuit_transitions_total: ['cache.layer.circuit.transitions', '{transition}'],
  cache_layer_undecodable_total: ['cache.layer.undecodable', '{value}'],
  cache_callback_errors_total: ['cache.callback.errors', '{error}'],
  cache_misses_by_reason_total: ['cache.misses', '{miss}'],
  cache_bypasses_total: ['cache.bypasses', '{request}'],
  cache_evictions_total: ['cache.evictions', '{entry}'],
  cache_pattern_operations_total: ['cache.pattern.operations', '{operation}'],
  cache_endpoint_operations_total: ['cache.endpoint.operations', '{operation}'],
  cache_load_saved_seconds_total: ['cache.load.saved', 's'],
  cache_size_limit_rejections_total: ['cache.size_limit.rejections', '{value}'],
  cache_wait_timeouts_total: ['cache.wait.timeouts', '{timeout}'],
  cache_warming_runs_total: ['cache.warming.runs', '{run}'],
  cache_warmed_entries_total: ['cache.warming.entries', '{entry}'],
  cache_warming_duration_seconds: ['cache.warming.duration', 's'],
  cache_metrics_series: ['cache.metrics.series', '{series}'],
  cache_metrics_overflow_total: ['cache.metrics.overflow', '{access}'],
  db_connection_pool_size: ['db.client.connection.max', '{connection}'],
  db_connection_pool_available: ['db.client.connection.available', '{connection}'],
  db_connection_pool_in_use: ['db.client.connection.count', '{connection}', ['state', 'used']],
  db_connection_pool_idle: ['db.client.connection.count', '{connection}', ['state', 'idle']],
  db_connection_pool_pending: ['db.client.connection.pending_requests', '{request}'],
  db_connection_pool_utilization_ratio: ['db.client.connection.utilization', '1'],
  db_connection_pool_wait_seconds: ['db.client.connection.wait_time', 's'],
  db_connection_pool_timeouts_total: ['db.client.connection.timeouts', '{timeout}'],
  db_queries_total: ['db.client.operations', '{operation}'],
  db_query_duration_seconds: ['db.client.operation.duration', 's'],
  db_slow_queries_total: ['db.client.slow_operations', '{operation}'],
};

const UNITS = { seconds: 's', bytes: 'By', ratio: '1' } as const;

/** Returns the dotted name of a family; a family missing from the table keeps its name, with dots for underscores. */
export function dottedName(family: MetricFamily): DottedName {
  const additive = family.type === 'gauge' && aggregationOf(family) === 'sum';
  const row = Object.hasOwn(NAMES, family.name) ? NAMES[family.name] : undefined;
  if (row === undefined) {
    const name = family.name.replace(/_(total|seconds|bytes|ratio)$/, '').replace(/_(seconds|bytes)$/, '');
    return {
      name: name.replaceAll('_', '.'),
      unit: family.unit === undefined ? '1' : UNITS[family.unit],
      additive,
    };
  }
  const [name, unit, implied] = row;
  return { name, unit, additive, ...(implied === undefined ? {} : { implied }) };
}
