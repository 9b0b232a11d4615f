import { describe, expect, it, jest } from '@jest/globals';
import { Counter, Registry } from 'prom-client';
import { registerFamilies, samplesOf } from '../../../lib/exporters/prometheus/registry.js';
import type { FamilySource, HistogramView, MetricFamily } from '../../../lib/metrics/family.js';
import { Histogram } from '../../../lib/metrics/windows/histogram.js';

const counter = (value: number, name = 'cache_operations_total'): MetricFamily => ({
  name,
  help: 'operations',
  type: 'counter',
  labelNames: ['operation'],
  points: () => [{ labels: ['get'], value }],
});
const gauge = (value: number): MetricFamily => ({ ...counter(value, 'cache_entries'), type: 'gauge' });
const histogram = (count: number): MetricFamily => ({
  ...counter(0, 'cache_operation_duration_seconds'),
  type: 'histogram',
  points: () => [
    {
      labels: ['get'],
      histogram: {
        scale: 4,
        offset: -160, // just above 0.977 ms
        counts: new Uint32Array([count]),
        zeroCount: 0,
        count,
        sumMs: count * 2,
        minMs: 1,
        maxMs: 1,
      } satisfies HistogramView,
    },
  ],
});
const source = (...families: MetricFamily[]): FamilySource => ({ families: () => families });

describe('families in a registry', () => {
  it('families in a registry are read when the registry is scraped', async () => {
    const registry = new Registry();
    let operations = 1;
    registerFamilies(registry, { families: () => [counter(operations)] });
    operations = 5;
    expect(await registry.metrics()).toBe(
      '# HELP cache_operations_total operations\n# TYPE cache_operations_total counter\ncache_operations_total{operation="get"} 5\n',
    );
  });

  it('families in a registry have the prefix', async () => {
    const registry = new Registry();
    registerFamilies(registry, source(counter(1)), 'shop_');
    expect(await registry.metrics()).toMatch(/^shop_cache_operations_total\{operation="get"\} 1$/m);
  });

  it('families in a registry show histograms as cumulative buckets, sum in seconds and count', async () => {
    const registry = new Registry();
    registerFamilies(registry, source(histogram(3)));
    const text = await registry.metrics();
    expect(text).toMatch(/^cache_operation_duration_seconds_bucket\{operation="get",le="0.0005"\} 0$/m);
    expect(text).toMatch(/^cache_operation_duration_seconds_bucket\{operation="get",le="0.0025"\} 3$/m);
    expect(text).toMatch(/^cache_operation_duration_seconds_bucket\{operation="get",le="\+Inf"\} 3$/m);
    expect(text).toMatch(/^cache_operation_duration_seconds_sum\{operation="get"\} 0.006$/m);
    expect(text).toMatch(/^cache_operation_duration_seconds_count\{operation="get"\} 3$/m);
  });

  it('families in a registry show a histogram as it was when its reading began', () => {
    const live = new Histogram();
    live.record(5, 1);
    const samples: [string | undefined, number][] = [];
    const family = { ...histogram(0), points: () => [{ labels: ['get'], histogram: live }] };
    for (const { metricName, value } of samplesOf(family, 'd')) {
      samples.push([metricName, value]);
      live.record(5, 1);
    }
    expect(samples.slice(-3)).toEqual([
      ['d_bucket', 1],
      ['d_sum', 0.005],
      ['d_count', 1],
    ]);
  });

  it('families of two sources are added up, except gauges', async () => {
    const registry = new Registry();
    registerFamilies(registry, source(counter(1), gauge(10), histogram(1)));
    registerFamilies(registry, source(counter(2), gauge(20), histogram(2)));
    const text = await registry.metrics();
    expect(text).toMatch(/^cache_operations_total\{operation="get"\} 3$/m);
    expect(text).toMatch(/^cache_entries\{operation="get"\} 20$/m);
    expect(text).toMatch(/^cache_operation_duration_seconds_count\{operation="get"\} 3$/m);
  });

  it('families in a registry are removed with their source, and the name is free after the last', async () => {
    const registry = new Registry();
    const one = registerFamilies(registry, source(counter(1)));
    const two = registerFamilies(registry, source(counter(2)));
    one();
    expect(await registry.metrics()).toMatch(/^cache_operations_total\{operation="get"\} 2$/m);
    two();
    expect(registry.getSingleMetric('cache_operations_total')).toBeUndefined();
  });

  it('families that appear later are shown from the next scrape on', async () => {
    const registry = new Registry();
    const families = [counter(1)];
    registerFamilies(registry, { families: () => families });
    families.push(gauge(7));
    await registry.metrics();
    expect(await registry.metrics()).toMatch(/^cache_entries\{operation="get"\} 7$/m);
  });

  it('families in a registry are collected once for all metrics of a scrape', async () => {
    const registry = new Registry();
    let [asked, refreshed] = [0, 0];
    registerFamilies(registry, {
      families: () => [counter(++asked), counter(asked, 'cache_misses_total'), gauge(asked)],
      refresh: async () => void refreshed++,
    });
    asked = 0;
    const text = await registry.metrics();
    expect([asked, refreshed]).toEqual([1, 1]);
    expect(text.match(/ 1$/gm)).toHaveLength(3);
    await registry.metrics();
    expect([asked, refreshed]).toEqual([2, 2]);
  });

  it('families in a registry leave the event loop free between many metrics and within a large one', async () => {
    const registry = new Registry();
    registerFamilies(registry, source(...Array.from({ length: 20 }, (_, n) => counter(n, `cache_${n}_total`))));
    let [now, turns] = [performance.now(), 0];
    // Three or four metrics to a portion.
    const machine = jest.spyOn(performance, 'now').mockImplementation(() => (now += 0.3));
    let next = setImmediate(function turn() {
      turns++;
      next = setImmediate(turn);
    });
    await registry.metrics();
    clearImmediate(next);
    machine.mockRestore();
    expect(turns).toBeGreaterThanOrEqual(5);
  });

  it('families that cannot be collected fail the scrape, and are shown again in the next', async () => {
    const registry = new Registry();
    let broken = false;
    registerFamilies(registry, source(counter(1), gauge(1)));
    registerFamilies(registry, {
      families: () => {
        if (broken) throw new Error('broken');
        return [counter(2), gauge(2)];
      },
    });
    broken = true;
    await expect(registry.metrics()).rejects.toThrow('broken');
    await new Promise<void>((resolve) => setImmediate(resolve));
    broken = false;
    expect(await registry.metrics()).toMatch(/^cache_operations_total\{operation="get"\} 3$/m);
  });

  it('families in a registry skip a name that another library registered', async () => {
    const registry = new Registry();
    const theirs = new Counter({ name: 'cache_operations_total', help: 'theirs', registers: [registry] });
    theirs.inc(9);
    const withdraw = registerFamilies(registry, source(counter(1)));
    expect(await registry.metrics()).toMatch(/^cache_operations_total 9$/m);
    withdraw();
    expect(registry.getSingleMetric('cache_operations_total')).toBe(theirs);
  });

  it('families in a registry survive a reset of the registry', async () => {
    const registry = new Registry();
    registerFamilies(registry, source(counter(4)));
    registry.resetMetrics();
    expect(await registry.metrics()).toMatch(/^cache_operations_total\{operation="get"\} 4$/m);
  });

  it('counters keep their suffix in an OpenMetrics registry', async () => {
    const registry = new Registry<typeof Registry.OPENMETRICS_CONTENT_TYPE>();
    registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
    registerFamilies(registry, source(counter(4)));
    for (let scrape = 0; scrape < 2; scrape++) {
      expect(await registry.metrics()).toBe(
        '# HELP cache_operations operations\n# TYPE cache_operations counter\ncache_operations_total{operation="get"} 4\n# EOF\n',
      );
    }
  });
});
