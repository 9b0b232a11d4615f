import { describe, expect, it } from '@jest/globals';
import { DatabaseMetrics, observeQueries } from '../../../lib/database/index.js';
import { prometheusText } from '../../../lib/exporters/prometheus/text.js';
import { createObservedCache, memoryLayer, redisLayer } from '../../../lib/index.js';
import { CacheProfiler } from '../../../lib/profiling/profiler.js';
import { SpaceSaving } from '../../../lib/metrics/space-saving.js';
import { WarmingMetrics } from '../../../lib/warming/warming-metrics.js';
import { ManualClock, settle } from '../../support/manual-clock.js';
import { freePort } from '../../support/redis.js';

const counted = (text: string, sample: string): number =>
  Number(
    text
      .split('\n')
      .find((line) => line.startsWith(`${sample} `))
      ?.slice(sample.length + 1),
  );

describe('limits', () => {
  it('patterns and endpoints over their limit are counted as __other__, with their number', async () => {
    const cache = createObservedCache({ metrics: { maxPatterns: 3, maxEndpoints: 2 } });
    for (let n = 0; n < 10; n++) {
      const name = String.fromCharCode(97 + n);
      cache.metrics.record({
        operation: 'get',
        pattern: `${name}:*`,
        endpoint: `GET /${name}`,
        result: 'hit',
        responseTimeMs: 1,
      });
    }
    expect(cache.metrics.getAllPatternStats()).toHaveLength(4);
    expect(cache.metrics.getPatternStats('__other__').totalRequests).toBe(7);
    expect(cache.metrics.getEndpointStats()).toHaveLength(3);
    const text = prometheusText(cache.metrics);
    expect(counted(text, 'cache_metrics_series')).toBe(3 + 2 + 2);
    expect(counted(text, 'cache_metrics_overflow_total')).toBe(7 + 8);
    await cache.close();
  });

  it('entries and bytes over their limit in memory are counted as evictions', async () => {
    for (const layer of [memoryLayer({ maxEntries: 10 }), memoryLayer({ maxBytes: 20_000 })]) {
      const cache = createObservedCache({ layers: [layer] });
      for (let n = 0; n < 100; n++) await cache.set(`k:${n}`, 'x'.repeat(1_000));
      const text = prometheusText(cache.metrics);
      const kept = counted(text, 'cache_entries{layer="memory"}');
      expect(kept).toBeLessThan(30);
      expect(counted(text, 'cache_evictions_total{layer="memory",reason="capacity"}')).toBe(100 - kept);
      await cache.close();
    }
  });

  it('a value over maxEntrySize is counted as a rejection, and its caller gets it', async () => {
    const cache = createObservedCache({ policy: { maxEntrySize: 100 } });
    expect(await cache.getOrSet('a', () => 'x'.repeat(1_000))).toHaveLength(1_000);
    expect(counted(prometheusText(cache.metrics), 'cache_size_limit_rejections_total')).toBe(1);
    expect(cache.metrics.getStats().entryCount).toBe(0);
    await cache.close();
  });

  it('queued writes over their limit are counted as dropped', async () => {
    const url = `redis://127.0.0.1:${await freePort()}`;
    const writes = { maxQueue: 10, flushEvery: '1h', drainWithin: 1 } as const;
    const cache = createObservedCache({ layers: [memoryLayer(), redisLayer({ url, writes })] });
    for (let n = 0; n < 50; n++) await cache.set(`k:${n}`, n);
    const text = prometheusText(cache.metrics);
    expect(counted(text, 'cache_layer_queue_depth{layer="redis"}')).toBeLessThanOrEqual(10);
    expect(counted(text, 'cache_layer_writes_dropped_total{layer="redis"}')).toBe(40);
    await cache.close();
  });

  it('tables, pools and shapes of databases over their limit are counted as __other__', async () => {
    const metrics = new DatabaseMetrics({ maxTables: 3, maxPools: 2, slowThreshold: 0, log: () => undefined });
    const client = observeQueries({ query: (_text: string) => Promise.resolve({ rows: [] }) }, { metrics });
    for (let n = 0; n < 200; n++) await client.query(`SELECT c${n} FROM t${n % 10}`);
    const { queries, slowQueries } = metrics.snapshot();
    expect(new Set(queries.map(({ table }) => table))).toEqual(new Set(['t0', 't1', 't2', '__other__']));
    expect(queries.reduce((sum, { count }) => sum + count, 0)).toBe(200);
    expect(slowQueries.length).toBeLessThanOrEqual(50);
    expect(queries.reduce((sum, { slow }) => sum + slow, 0)).toBe(200);
    for (let n = 0; n < 5; n++)
      metrics.pool(`pool${n}`, 'postgresql', () => ({ limit: 1, open: 1, idle: 1, pending: 0 }));
    expect(metrics.snapshot().pools.map(({ pool }) => pool)).toEqual(['pool0', 'pool1', '__other__']);
  });

  it('stacks of the profiler over their limit are added up as __other__', async () => {
    const clock = new ManualClock();
    const profiler = new CacheProfiler(clock, { every: 1, maxStacks: 5 });
    for (let n = 0; n < 20; n++) {
      profiler.span('get', { pattern: `p${n}:*`, endpoint: undefined }, 'key', () => undefined);
    }
    await settle();
    const stacks = profiler.stacks();
    expect(stacks.length).toBeLessThanOrEqual(6);
    expect(stacks.some(({ frames }) => frames.includes('__other__'))).toBe(true);
  });

  it('warming strategies over their limit are counted as __other__', () => {
    const metrics = new WarmingMetrics(() => null);
    for (let n = 0; n < 150; n++) metrics.warmed(`strategy-${n}`, 1);
    const text = prometheusText(metrics);
    expect(text.match(/^cache_warmed_entries_total\{/gm)).toHaveLength(101);
    expect(counted(text, 'cache_warmed_entries_total{strategy="__other__"}')).toBe(50);
  });

  it('the rarest of the popular keys is replaced at their limit', () => {
    const popular = new SpaceSaving(10);
    let gone = 0;
    for (let n = 0; n < 100; n++) if (popular.add(`k:${n}`) !== undefined) gone++;
    expect(popular.size).toBe(10);
    expect(gone).toBe(90);
  });
});
