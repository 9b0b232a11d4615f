// The Grafana dashboard as code: node grafana/make-dashboard.mjs writes dashboard.json beside this file.
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const SELECTOR = 'job=~"$job", instance=~"$instance"';
/** Warming and databases belong to no cache alone. The label is absent where an application has one cache: `.*` matches that too. */
const selectorOf = (name) => (/^(db|cache_warm)/.test(name) ? SELECTOR : `${SELECTOR}, cache=~"$cache"`);
const WIDTH = 24;

/** A metric of the chosen jobs and instances, with further matchers. */
const metric = (name, matchers = '') => `${name}{${selectorOf(name)}${matchers && `, ${matchers}`}}`;
const rate = (name, matchers) => `rate(${metric(name, matchers)}[$__rate_interval])`;
const quantile = (q, name, by, matchers) =>
  `histogram_quantile(${q}, sum by (le${by && `, ${by}`}) (${rate(`${name}_bucket`, matchers)}))`;
const share = (part, whole) => `${part} / ${whole}`;

const series = (...targets) => ({ type: 'timeseries', targets });
const figure = (...targets) => ({ type: 'stat', targets });
const target = (expr, legendFormat = '') => ({ expr, legendFormat });
const percentiles = (name, matchers) =>
  series(...[0.5, 0.95, 0.99].map((q) => target(quantile(q, name, '', matchers), `p${q * 100}`)));

/** Rows of panels: title, what it answers, unit, width in columns of 24, and its queries. */
export const rows = [
  {
    title: 'Is it working?',
    panels: [
      [
        'Hit rate',
        'Share of accesses that the cache answered, stale answers included.',
        'percentunit',
        4,
        figure(
          target(
            share(
              `sum(${rate('cache_operations_total', 'operation="get", result=~"hit|stale"')})`,
              `sum(${rate('cache_operations_total', 'operation="get"')})`,
            ),
          ),
        ),
      ],
      [
        'Accesses',
        'Accesses a second.',
        'reqps',
        4,
        figure(target(`sum(${rate('cache_operations_total', 'operation="get"')})`)),
      ],
      [
        'Response p95',
        "The cache's own time: until it has the value, or knows that it has none.",
        's',
        4,
        figure(target(quantile(0.95, 'cache_operation_duration_seconds', '', 'operation="get"'))),
      ],
      [
        'Origin time saved',
        'Seconds of waiting for the origin that hits saved, per second.',
        's',
        4,
        figure(target(`sum(${rate('cache_load_saved_seconds_total')})`)),
      ],
      [
        'Errors',
        'Share of cache operations that failed; their requests were answered by the origin.',
        'percentunit',
        4,
        figure(
          target(
            share(
              `(sum(${rate('cache_operations_total', 'result="error"')}) or vector(0))`,
              `sum(${rate('cache_operations_total')})`,
            ),
          ),
        ),
      ],
      [
        'Open circuits',
        'Layers that are not asked because they fail or are slow.',
        'short',
        4,
        figure(target(`sum(${metric('cache_layer_circuit_state', 'state=~"open|half_open"')}) or vector(0)`)),
      ],
    ],
  },
  {
    title: 'Hit rate and latency',
    panels: [
      [
        'Hit rate by layer',
        'Each layer is asked only for what the nearer ones did not have.',
        'percentunit',
        8,
        series(
          target(
            share(
              `sum by (cache, layer) (${rate('cache_layer_hits_total')})`,
              `(sum by (cache, layer) (${rate('cache_layer_hits_total')}) + sum by (cache, layer) (${rate('cache_layer_misses_total')}))`,
            ),
            '{{cache}} {{layer}}',
          ),
        ),
      ],
      [
        'Response time',
        "Percentiles of the cache's own response time.",
        's',
        8,
        percentiles('cache_operation_duration_seconds', 'operation="get"'),
      ],
      [
        'Load time',
        'Percentiles of what the origin takes, for misses and refreshes.',
        's',
        8,
        percentiles('cache_operation_duration_seconds', 'operation=~"load|refresh"'),
      ],
      [
        'Accesses by result',
        'How accesses ended.',
        'reqps',
        8,
        series(target(`sum by (result) (${rate('cache_operations_total', 'operation="get"')})`, '{{result}}')),
      ],
      [
        'Misses by reason',
        'Cold: never seen. Expired: a longer TTL would have hit. Evicted: more room would have hit.',
        'reqps',
        8,
        series(target(`sum by (reason) (${rate('cache_misses_by_reason_total')})`, '{{reason}}')),
      ],
      [
        'Error rate',
        'Failed operations a second.',
        'ops',
        8,
        series(
          target(`sum by (operation) (${rate('cache_operations_total', 'result=~"error|timeout"')})`, '{{operation}}'),
        ),
      ],
    ],
  },
  {
    title: 'Named caches',
    panels: [
      [
        'Hit rate by cache',
        "The application's own cache is default; the others are those of forFeature().",
        'percentunit',
        8,
        series(
          target(
            share(
              `sum by (cache) (${rate('cache_operations_total', 'operation="get", result=~"hit|stale"')})`,
              `sum by (cache) (${rate('cache_operations_total', 'operation="get"')})`,
            ),
            '{{cache}}',
          ),
        ),
      ],
      [
        'Accesses by cache',
        'Accesses a second of each cache.',
        'reqps',
        8,
        series(target(`sum by (cache) (${rate('cache_operations_total', 'operation="get"')})`, '{{cache}}')),
      ],
      [
        'Memory by cache',
        "Bytes of the entries that a cache's layers hold in this process.",
        'bytes',
        8,
        series(target(`sum by (cache) (${metric('cache_memory_usage_bytes')})`, '{{cache}}')),
      ],
    ],
  },
  {
    title: 'Affected keys',
    panels: [
      [
        'Hit rate by pattern',
        'Declared patterns, and those detected in keys.',
        'percentunit',
        8,
        series(
          target(
            share(
              `sum by (cache, pattern) (${rate('cache_pattern_operations_total', 'operation="get", result=~"hit|stale"')})`,
              `sum by (cache, pattern) (${rate('cache_pattern_operations_total', 'operation="get"')})`,
            ),
            '{{cache}} {{pattern}}',
          ),
        ),
      ],
      [
        'Misses by pattern',
        'Where callers wait for an origin.',
        'reqps',
        8,
        series(
          target(
            `sum by (cache, pattern) (${rate('cache_pattern_operations_total', 'operation="get", result!~"hit|stale"')})`,
            '{{cache}} {{pattern}}',
          ),
        ),
      ],
      [
        'Hit rate by endpoint',
        'Routes by template, never by address.',
        'percentunit',
        8,
        series(
          target(
            share(
              `sum by (method, route) (${rate('cache_endpoint_operations_total', 'result=~"hit|stale"')})`,
              `sum by (method, route) (${rate('cache_endpoint_operations_total', 'result!="bypass"')})`,
            ),
            '{{method}} {{route}}',
          ),
        ),
      ],
      [
        'Origin time saved by pattern',
        'Seconds of waiting for the origin that hits saved, per second.',
        's',
        8,
        series(target(`sum by (cache, pattern) (${rate('cache_load_saved_seconds_total')})`, '{{cache}} {{pattern}}')),
      ],
      [
        'Value size by pattern',
        'Mean size of the values set.',
        'bytes',
        8,
        series(target(`max by (cache, pattern) (${metric('cache_pattern_value_bytes')})`, '{{cache}} {{pattern}}')),
      ],
      [
        'Bypasses',
        'Requests that went past the cache, by why.',
        'reqps',
        8,
        series(target(`sum by (reason) (${rate('cache_bypasses_total')})`, '{{reason}}')),
      ],
    ],
  },
  {
    title: 'Layers',
    panels: [
      [
        'Circuit state',
        "One where a layer's circuit is in that state.",
        'short',
        8,
        series(
          target(
            `max by (cache, layer, state) (${metric('cache_layer_circuit_state')})`,
            '{{cache}} {{layer}} {{state}}',
          ),
        ),
      ],
      [
        'Queue depth',
        'Writes that wait for a layer.',
        'short',
        8,
        series(target(`sum by (cache, layer) (${metric('cache_layer_queue_depth')})`, '{{cache}} {{layer}}')),
      ],
      [
        'Dropped and failed writes',
        'Writes given up: the queue was full, or the layer refused them.',
        'wps',
        8,
        series(
          target(`sum by (cache, layer) (${rate('cache_layer_writes_dropped_total')})`, '{{cache}} {{layer}} dropped'),
          target(`sum by (cache, layer) (${rate('cache_layer_writes_failed_total')})`, '{{cache}} {{layer}} failed'),
        ),
      ],
      [
        'Layer latency p95',
        'What one call to a layer takes.',
        's',
        8,
        series(
          target(
            quantile(0.95, 'cache_layer_operation_duration_seconds', 'cache, layer, operation'),
            '{{cache}} {{layer}} {{operation}}',
          ),
        ),
      ],
      [
        'Memory',
        'Bytes of the entries a layer holds.',
        'bytes',
        8,
        series(target(`sum by (cache, layer) (${metric('cache_memory_usage_bytes')})`, '{{cache}} {{layer}}')),
      ],
      [
        'Evictions',
        'Entries that left by themselves.',
        'ops',
        8,
        series(
          target(`sum by (cache, layer, reason) (${rate('cache_evictions_total')})`, '{{cache}} {{layer}} {{reason}}'),
        ),
      ],
      [
        'Asynchronous writes p95',
        'What a batch of writes behind the caller takes.',
        's',
        8,
        series(
          target(quantile(0.95, 'cache_layer_async_write_duration_seconds', 'cache, layer'), '{{cache}} {{layer}}'),
        ),
      ],
      [
        'Server memory',
        'Memory of the whole server behind a layer, and its limit where it has one.',
        'bytes',
        8,
        series(
          target(`max by (cache, layer) (${metric('cache_server_memory_used_bytes')})`, '{{cache}} {{layer}} used'),
          target(`max by (cache, layer) (${metric('cache_server_memory_limit_bytes')})`, '{{cache}} {{layer}} limit'),
        ),
      ],
      [
        'Server evictions and hit rate',
        'Keys a second that the server evicted for want of memory, and its share of lookups that found one.',
        'short',
        8,
        series(
          target(`max by (cache, layer) (${rate('cache_server_evicted_keys_total')})`, '{{cache}} {{layer}} evictions'),
          target(`max by (cache, layer) (${metric('cache_server_hit_ratio')})`, '{{cache}} {{layer}} hit rate'),
        ),
      ],
    ],
  },
  {
    title: 'Warming',
    panels: [
      [
        'Entries warmed',
        'Entries written by each strategy.',
        'wps',
        8,
        series(target(`sum by (strategy) (${rate('cache_warmed_entries_total')})`, '{{strategy}}')),
      ],
      [
        'Runs',
        'Runs of each strategy by result.',
        'short',
        8,
        series(
          target(
            `sum by (strategy, result) (increase(${metric('cache_warming_runs_total')}[$__range]))`,
            '{{strategy}} {{result}}',
          ),
        ),
      ],
      [
        'Efficiency',
        'Share of warmed entries that were hit before they expired.',
        'percentunit',
        8,
        series(target(`avg by (strategy) (${metric('cache_warming_efficiency_ratio')})`, '{{strategy}}')),
      ],
    ],
  },
  {
    title: 'Databases',
    panels: [
      [
        'Pool utilisation',
        'Connections in use over the size of the pool.',
        'percentunit',
        8,
        series(target(`max by (pool) (${metric('db_connection_pool_utilization_ratio')})`, '{{pool}}')),
      ],
      [
        'Callers waiting',
        'Callers that wait for a connection.',
        'short',
        8,
        series(target(`sum by (pool) (${metric('db_connection_pool_pending')})`, '{{pool}}')),
      ],
      [
        'Wait for a connection p95',
        'What callers wait for a connection.',
        's',
        8,
        series(target(quantile(0.95, 'db_connection_pool_wait_seconds', 'pool'), '{{pool}}')),
      ],
      [
        'Connection timeouts',
        'Callers a second who got no connection in time.',
        'ops',
        8,
        series(target(`sum by (pool) (${rate('db_connection_pool_timeouts_total')})`, '{{pool}}')),
      ],
      [
        'Queries',
        'Queries a second by type and table.',
        'ops',
        8,
        series(target(`sum by (query_type, table) (${rate('db_queries_total')})`, '{{query_type}} {{table}}')),
      ],
      [
        'Query time p95',
        'By type and table.',
        's',
        8,
        series(target(quantile(0.95, 'db_query_duration_seconds', 'query_type, table'), '{{query_type}} {{table}}')),
      ],
      [
        'Slow queries',
        'Queries over the threshold, a second.',
        'ops',
        8,
        series(target(`sum by (query_type, table) (${rate('db_slow_queries_total')})`, '{{query_type}} {{table}}')),
      ],
    ],
  },
];

const variable = (name, label, query) => ({
  name,
  label,
  type: 'query',
  datasource: { type: 'prometheus', uid: '$datasource' },
  query: { query, refId: name },
  includeAll: true,
  multi: true,
  current: { text: 'All', value: '$__all' },
  refresh: 2,
});

export function dashboard() {
  const panels = [];
  let y = 0;
  for (const row of rows) {
    panels.push({
      id: panels.length + 1,
      type: 'row',
      title: row.title,
      gridPos: { x: 0, y, w: WIDTH, h: 1 },
      panels: [],
    });
    y += 1;
    let x = 0;
    let height = 0;
    for (const [title, description, unit, width, { type, targets }] of row.panels) {
      const h = type === 'stat' ? 4 : 8;
      if (x + width > WIDTH) {
        x = 0;
        y += height;
      }
      height = h;
      panels.push({
        id: panels.length + 1,
        type,
        title,
        description,
        datasource: { type: 'prometheus', uid: '$datasource' },
        gridPos: { x, y, w: width, h },
        fieldConfig: { defaults: { unit, min: 0, ...(unit === 'percentunit' ? { max: 1 } : {}) }, overrides: [] },
        targets: targets.map((query, index) => ({
          ...query,
          refId: String.fromCharCode(65 + index),
          datasource: { type: 'prometheus', uid: '$datasource' },
        })),
        options:
          type === 'stat'
            ? { reduceOptions: { calcs: ['lastNotNull'] } }
            : { tooltip: { mode: 'multi', sort: 'desc' } },
      });
      x += width;
    }
    y += height;
  }
  return {
    title: 'Cache',
    uid: 'nestjs-cache-observability',
    schemaVersion: 39,
    version: 1,
    editable: true,
    refresh: '30s',
    time: { from: 'now-1h', to: 'now' },
    tags: ['cache', 'nestjs'],
    templating: {
      list: [
        { name: 'datasource', label: 'Data source', type: 'datasource', query: 'prometheus', current: {} },
        variable('job', 'Job', 'label_values(cache_operations_total, job)'),
        variable('instance', 'Instance', 'label_values(cache_operations_total{job=~"$job"}, instance)'),
        { ...variable('cache', 'Cache', 'label_values(cache_operations_total{job=~"$job"}, cache)'), allValue: '.*' },
      ],
    },
    panels,
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(new URL('dashboard.json', import.meta.url), `${JSON.stringify(dashboard(), null, 2)}\n`);
}
