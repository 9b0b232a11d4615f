import { execFileSync, spawnSync } from 'node:child_process';
import { beforeEach, describe, expect, it } from '@jest/globals';
import {
  CircuitState,
  LayerOperation,
  LayerResult,
  MissReason,
  Operation,
  Outcome,
  Result,
} from '../../../lib/cache/base/observer.js';
import { serveMetrics } from '../../../lib/exporters/prometheus/serve.js';
import { PrometheusExposition, prometheusText } from '../../../lib/exporters/prometheus/text.js';
import { createCacheMetrics } from '../../../lib/insight/create-cache-metrics.js';
import { Histogram } from '../../../lib/metrics/windows/histogram.js';
import type { FamilySource } from '../../../lib/metrics/family.js';
import { ManualClock } from '../../support/manual-clock.js';

const hasPromtool = spawnSync('promtool', ['--version']).status === 0;

function cacheUnderWork(metrics: { prefix?: string } = {}) {
  const clock = new ManualClock();
  const made = createCacheMetrics({ clock, metrics });
  const { observer } = made;
  observer.attach([
    { name: 'memory', shared: false },
    { name: 'redis', shared: true },
  ]);
  const series = observer.series('feed:*', 'GET /feeds/:id');
  for (let hit = 0; hit < 3; hit++) observer.hit(series, 0, clock.now());
  observer.access(series, Outcome.miss, -1, 4, 100, MissReason.cold);
  observer.load(series, Operation.load, Result.ok, 90);
  observer.operation(series, Operation.set, Result.ok, 1, 100);
  observer.layer(1, LayerOperation.get, LayerResult.miss, 2, 1, 0);
  observer.circuit(1, CircuitState.open);
  return { ...made, series, clock };
}

function valueOf(text: string, sample: string): number | undefined {
  const line = text.split('\n').find((each) => each.startsWith(`${sample} `));
  return line === undefined ? undefined : Number(line.slice(sample.length + 1));
}

describe('the exposition', () => {
  let cache: ReturnType<typeof cacheUnderWork>;
  beforeEach(() => {
    cache = cacheUnderWork();
  });

  it('the exposition contains the figures under the names of the reference', () => {
    const text = prometheusText(cache.metrics);
    const expected: Record<string, number> = {
      'cache_operations_total{operation="get",result="hit"}': 3,
      'cache_operations_total{operation="get",result="miss"}': 1,
      'cache_operations_total{operation="load",result="timeout"}': 0,
      'cache_operation_duration_seconds_count{operation="get"}': 4,
      'cache_operation_duration_seconds_bucket{operation="load",le="0.05"}': 0,
      'cache_operation_duration_seconds_bucket{operation="load",le="0.1"}': 1,
      'cache_operation_duration_seconds_sum{operation="load"}': 0.09,
      'cache_hit_rate{window="1m"}': 0.75,
      'cache_layer_hits_total{layer="memory"}': 3,
      'cache_layer_misses_total{layer="redis"}': 1,
      'cache_layer_circuit_state{layer="redis",state="open"}': 1,
      'cache_layer_circuit_state{layer="redis",state="closed"}': 0,
      'cache_layer_circuit_transitions_total{layer="redis",to="open"}': 1,
      'cache_misses_by_reason_total{reason="cold"}': 1,
      'cache_pattern_operations_total{pattern="feed:*",operation="get",result="hit"}': 3,
      'cache_endpoint_operations_total{method="GET",route="/feeds/:id",result="miss"}': 1,
      'cache_load_saved_seconds_total{pattern="feed:*"}': 0.27,
      cache_metrics_series: 2,
      cache_metrics_overflow_total: 0,
    };
    for (const [sample, value] of Object.entries(expected))
      expect([sample, valueOf(text, sample)]).toEqual([sample, value]);
  });

  it('the exposition is the same if kept between scrapes or rendered again, whatever changed', () => {
    const kept = new PrometheusExposition(cache.metrics);
    const same = () => expect(kept.render()).toBe(new PrometheusExposition(cache.metrics).render());
    same();
    cache.observer.hit(cache.series, 0, cache.clock.now());
    same();
    cache.observer.hit(cache.observer.series('user:*', 'GET /users'), 0, cache.clock.now());
    same();
    cache.observer.attach([
      { name: 'memory', shared: false },
      { name: 'redis', shared: true },
      { name: 'disk', shared: false },
    ]);
    same();
    cache.metrics.reset();
    same();
  });

  it('the exposition puts the prefix before every name', () => {
    const text = prometheusText(cacheUnderWork({ prefix: 'shop_' }).metrics);
    expect(text).toContain('# TYPE shop_cache_operations_total counter');
    expect(text).not.toMatch(/^cache_/m);
    expect(prometheusText(cache.metrics, { prefix: 'x_' })).toContain('x_cache_hit_rate{');
  });

  it('the exposition escapes labels and help texts', () => {
    const source: FamilySource = {
      families: () => [
        {
          name: 'odd_total',
          help: 'a\\b\nc',
          type: 'counter',
          labelNames: ['pattern'],
          points: () => [{ labels: ['a"b\\c\nd'], value: 1 }],
        },
      ],
    };
    expect(prometheusText(source)).toBe(
      '# HELP odd_total a\\\\b\\nc\n# TYPE odd_total counter\nodd_total{pattern="a\\"b\\\\c\\nd"} 1\n',
    );
  });

  it('the exposition converts exponential buckets to classic ones that never decrease, within one bucket of the exact count', () => {
    const histogram = new Histogram();
    const values = Array.from({ length: 5000 }, (_, at) => 0.01 * 1.002 ** at);
    for (const value of values) histogram.record(value, 1);
    const source: FamilySource = {
      families: () => [
        { name: 'd_seconds', help: 'd', type: 'histogram', labelNames: [], points: () => [{ labels: [], histogram }] },
      ],
    };
    const text = prometheusText(source);
    let last = 0;
    for (const [, le, count] of text.matchAll(/le="([^"]+)"} (\d+)/g)) {
      const limit = le === '+Inf' ? Infinity : Number(le) * 1000;
      const exact = values.filter((value) => value <= limit).length;
      expect(Math.abs(Number(count) - exact)).toBeLessThanOrEqual(23);
      expect(Number(count)).toBeGreaterThanOrEqual(last);
      last = Number(count);
    }
    expect(last).toBe(5000);
  });

  it('the exposition is OpenMetrics on request', () => {
    const text = prometheusText(cache.metrics, { format: 'openmetrics' });
    expect(text).toContain('# TYPE cache_operations counter\n');
    expect(text).toContain('cache_operations_total{operation="get",result="hit"} 3\n');
    expect(text).toContain('# UNIT cache_operation_duration_seconds seconds\n');
    expect(text.endsWith('# EOF\n')).toBe(true);
  });

  it('the exposition contains the families of added sources until they are removed', () => {
    const remove = cache.metrics.addSource({
      families: () => [
        {
          name: 'db_queries_total',
          help: 'Queries.',
          type: 'counter',
          labelNames: [],
          points: () => [{ labels: [], value: 5 }],
        },
      ],
    });
    expect(valueOf(prometheusText(cache.metrics), 'db_queries_total')).toBe(5);
    remove();
    expect(valueOf(prometheusText(cache.metrics), 'db_queries_total')).toBeUndefined();
  });

  (hasPromtool ? it : it.skip)('passes promtool check metrics', () => {
    const output = execFileSync('promtool', ['check', 'metrics'], {
      input: prometheusText(cache.metrics),
      encoding: 'utf8',
    });
    expect(output).toBe('');
  });
});

describe('serveMetrics', () => {
  it('serveMetrics() serves the exposition, as OpenMetrics to clients that accept it, and nothing else', async () => {
    const { metrics } = cacheUnderWork();
    const served = await serveMetrics(metrics, { port: 0 });
    try {
      const classic = await fetch(served.url);
      expect(classic.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
      expect(await classic.text()).toBe(prometheusText(metrics));
      const open = await fetch(served.url, { headers: { accept: 'application/openmetrics-text; version=1.0.0' } });
      expect(open.headers.get('content-type')).toMatch(/^application\/openmetrics-text/);
      expect(await open.text()).toMatch(/# EOF\n$/);
      expect((await fetch(new URL('/other', served.url))).status).toBe(404);
      expect((await fetch(served.url, { method: 'POST' })).status).toBe(405);
    } finally {
      await served.close();
    }
    await expect(fetch(served.url)).rejects.toThrow();
  });

  it('serveMetrics() rejects if it cannot listen', async () => {
    const { metrics } = cacheUnderWork();
    const first = await serveMetrics(metrics, { port: 0 });
    const { port } = new URL(first.url);
    await expect(serveMetrics(metrics, { port: Number(port) })).rejects.toMatchObject({ code: 'EADDRINUSE' });
    await first.close();
  });
});
