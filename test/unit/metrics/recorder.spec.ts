import { beforeEach, describe, expect, it } from '@jest/globals';
import {
  BypassReason,
  CircuitState,
  EvictionReason,
  LayerOperation,
  LayerResult,
  MissReason,
  Operation,
  Outcome,
  Result,
} from '../../../lib/cache/base/observer.js';
import { createCacheMetrics } from '../../../lib/insight/create-cache-metrics.js';
import { ManualClock } from '../../support/manual-clock.js';

/** A generator with a seed (mulberry32), so that sampling is the same in every run. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** A clock that advances a little with every reading. */
function steppingClock(stepMs: () => number) {
  let now = 1_700_000_000_000;
  return { now: () => (now += stepMs()), after: () => () => undefined };
}

describe('MetricsRecorder', () => {
  let clock: ManualClock;
  beforeEach(() => {
    clock = new ManualClock();
  });

  const started = (metrics: Parameters<typeof createCacheMetrics>[0]['metrics'] = {}) => {
    const made = createCacheMetrics({ clock, metrics });
    made.observer.attach([
      { name: 'memory', shared: false },
      { name: 'redis', shared: true },
    ]);
    return made;
  };

  it('MetricsRecorder returns the same series for the same pattern and endpoint', () => {
    const { observer } = started();
    expect(observer.series('feed:*', 'GET /feeds')).toBe(observer.series('feed:*', 'GET /feeds'));
    expect(observer.series('feed:*')).not.toBe(observer.series('feed:*', 'GET /feeds'));
    expect(observer.seriesOf('user:1:cart')).toBe(observer.seriesOf('user:2:cart'));
  });

  it('MetricsRecorder counts each access once, in its pattern and its endpoint', async () => {
    const { observer, metrics } = started();
    const series = observer.series('feed:*', 'GET /feeds');
    const asked = clock.now();
    await clock.advance(2);
    observer.hit(series, 0, asked);
    observer.access(series, Outcome.miss, -1, 1, 100, MissReason.expired);
    observer.access(series, Outcome.stale, 0, 1, 1, MissReason.none);
    observer.access(series, Outcome.coalesced, -1, 1, 80, MissReason.expired);
    observer.access(series, Outcome.error, -1, 3, 90, MissReason.error);
    observer.bypass(series, BypassReason.authorization);
    const expected = {
      totalRequests: 5,
      cacheHits: 2,
      cacheMisses: 3,
      staleHits: 1,
      coalesced: 1,
      errors: 1,
      bypasses: 1,
      hitRate: 0.4,
      missRate: 0.6,
      maxResponseTimeMs: 3,
      missReasons: { cold: 0, expired: 2, evicted: 0, invalidated: 0, error: 1, unknown: 0 },
    };
    expect(metrics.getStats()).toMatchObject(expected);
    expect(metrics.getPatternStats('feed:*')).toMatchObject(expected);
    expect(metrics.getEndpointStats()).toMatchObject([{ endpoint: 'GET /feeds', ...expected }]);
    expect(metrics.getEndpointStats()[0]!.avgTotalTimeMs).toBeCloseTo((2 + 100 + 1 + 80 + 90) / 5, 6);
  });

  it('MetricsRecorder counts loads, their time, and the time that hits saved', () => {
    const { observer, metrics } = started();
    const series = observer.series('feed:*');
    observer.load(series, Operation.load, Result.ok, 100);
    for (let hit = 0; hit < 3; hit++) observer.hit(series, 0, clock.now());
    observer.load(series, Operation.refresh, Result.ok, 300);
    observer.load(series, Operation.load, Result.timeout, 30_000);
    observer.load(series, Operation.load, Result.rejected, 5);
    observer.hit(series, 0, clock.now());
    expect(metrics.getPatternStats('feed:*')).toMatchObject({
      recalculations: 4,
      loadErrors: 1,
      loadRejections: 1,
      avgLoadTimeMs: 200,
      timeSavedMs: 3 * 100 + 200,
    });
    expect(metrics.getStats().timeSavedMs).toBe(500);
  });

  it('MetricsRecorder counts the time that hits saved before the first load', async () => {
    const { observer, metrics } = started();
    const series = observer.series('feed:*');
    observer.hit(series, 0, clock.now());
    await clock.advance(60_000);
    observer.load(series, Operation.load, Result.ok, 50);
    expect(metrics.getStats().timeSavedMs).toBe(50);
  });

  it('MetricsRecorder counts operations, sizes and rejections', () => {
    const { observer, metrics } = started();
    const series = observer.series('feed:*');
    observer.operation(series, Operation.set, Result.ok, 2, 1000);
    observer.operation(series, Operation.set, Result.ok, 4, 3000);
    observer.operation(series, Operation.set, Result.rejected, 1, 9000);
    observer.operation(series, Operation.delete, Result.absent, 1, 0);
    observer.operation(series, Operation.warm, Result.ok, 1, 0);
    observer.sizeRejected(series, 9000);
    observer.waitTimeout(series);
    observer.invalidation(Result.ok, 5, 12);
    observer.inFlight(1);
    expect(metrics.getPatternStats('feed:*')).toMatchObject({
      sets: 2,
      deletes: 1,
      avgValueBytes: 2000,
      sizeLimitRejections: 1,
      waitTimeouts: 1,
      totalRequests: 0,
      hitRate: null,
      avgResponseTimeMs: null,
    });
    expect(metrics.getStats()).toMatchObject({ invalidations: 1, operationsInFlight: 1 });
    const set = metrics.getOperationStats().find(({ operation }) => operation === 'set');
    expect(set).toMatchObject({ count: 3, errors: 0, hitRate: 2 / 3, maxResponseTimeMs: 4 });
  });

  it('MetricsRecorder counts operations of layers, and keeps their state', () => {
    const { observer, metrics } = started();
    observer.hit(observer.series('feed:*'), 0, clock.now());
    observer.layer(0, LayerOperation.get, LayerResult.miss, 0.1, 1, 0);
    observer.layer(1, LayerOperation.get, LayerResult.hit, 2, 10, 7);
    observer.layer(1, LayerOperation.get, LayerResult.timeout, 500, 1, 0);
    observer.layer(1, LayerOperation.set, LayerResult.error, 1, 1, 0);
    observer.layer(1, LayerOperation.set, LayerResult.refused, 0, 1, 0);
    observer.evicted(0, EvictionReason.capacity, 4);
    observer.circuit(1, CircuitState.open);
    observer.circuit(1, CircuitState.open);
    observer.queueDepth(1, 17);
    observer.writeDropped(1, 3);
    observer.asyncWrite(1, Result.error, 20, 5);
    observer.layer(7, LayerOperation.get, LayerResult.hit, 1, 1, 1);
    const [memory, redis] = metrics.getLayerStats();
    expect(memory).toMatchObject({ layer: 'memory', cacheHits: 1, cacheMisses: 1, hitRate: 0.5, evictions: 4 });
    expect(redis).toMatchObject({
      cacheHits: 7,
      cacheMisses: 3,
      errors: 2,
      timeouts: 1,
      circuitState: 'open',
      queueDepth: 17,
      writesDropped: 3,
      writesFailed: 5,
      maxResponseTimeMs: 500,
    });
    expect(metrics.getStats().evictions).toBe(4);
  });

  it('MetricsRecorder counts a hit of a later layer as a hit of that layer', () => {
    const { observer, metrics } = started();
    observer.hit(observer.series('feed:*'), 1, clock.now());
    expect(metrics.getLayerStats()).toMatchObject([{ cacheHits: 0 }, { cacheHits: 1 }]);
    expect(metrics.getStats().cacheHits).toBe(1);
  });

  it('MetricsRecorder counts everything and times nothing with a sampling rate of 0', () => {
    const { observer, metrics } = started({ samplingRate: 0 });
    const series = observer.series('feed:*', 'GET /feeds');
    observer.hit(series, 0, clock.now() - 5);
    observer.access(series, Outcome.miss, -1, 5, 50, MissReason.cold);
    observer.load(series, Operation.load, Result.ok, 45);
    observer.layer(1, LayerOperation.get, LayerResult.miss, 5, 1, 0);
    expect(metrics.getStats()).toMatchObject({
      totalRequests: 2,
      recalculations: 1,
      avgResponseTimeMs: null,
      avgLoadTimeMs: null,
    });
    expect(metrics.getLayerStats()[1]!.avgResponseTimeMs).toBeNull();
  });

  it('MetricsRecorder counts nothing of a disabled series, and takes no memory for it', () => {
    const { observer, metrics } = started();
    const series = observer.series('feed:*', 'GET /feeds', { enabled: false });
    observer.hit(series, 0, clock.now());
    observer.access(series, Outcome.miss, -1, 5, 50, MissReason.cold);
    observer.load(series, Operation.load, Result.ok, 45);
    observer.operation(series, Operation.set, Result.ok, 1, 10);
    observer.bypass(series, BypassReason.method);
    expect(metrics.getStats()).toMatchObject({ totalRequests: 0, bypasses: 0, sets: 0, recalculations: 0 });
    expect(metrics.getAllPatternStats()).toEqual([]);
    expect(metrics.getOperationStats().every(({ count }) => count === 0)).toBe(true);
  });

  it.each([0.5, 0.3, 0.05])('MetricsRecorder keeps count, mean and quantiles right at sampling rate %p', (rate) => {
    const next = seeded(7);
    let reading = 0;
    // Every second reading ends an access: its time is drawn from 1 to 11 ms.
    const stepping = steppingClock(() => (reading++, 1 + next() * 10));
    const { observer, metrics } = createCacheMetrics({
      clock: stepping,
      metrics: { samplingRate: rate, random: seeded(3) },
    });
    const series = observer.series('feed:*');
    for (let access = 0; access < 40_000; access++) observer.hit(series, 0, stepping.now());
    const stats = metrics.getStats();
    expect(stats.cacheHits).toBe(40_000);
    expect(stats.avgResponseTimeMs! / 6).toBeGreaterThan(0.95);
    expect(stats.avgResponseTimeMs! / 6).toBeLessThan(1.05);
    expect(stats.p95ResponseTimeMs! / 10.5).toBeGreaterThan(0.95);
    expect(stats.p95ResponseTimeMs! / 10.5).toBeLessThan(1.05);
    const family = [...metrics.families()].find(({ name }) => name === 'cache_operation_duration_seconds')!;
    const [get] = [...family.points()];
    expect(get!.histogram!.count / 40_000).toBeGreaterThan(0.94);
    expect(get!.histogram!.count / 40_000).toBeLessThan(1.06);
    expect(reading).toBeLessThan(40_000 * (1 + rate) * 1.1 + 400);
  });

  it('MetricsRecorder refuses a sampling rate outside 0 to 1', () => {
    expect(() => started({ samplingRate: 1.5 }).observer.series('feed:*')).toThrow(/from 0 to 1/);
  });

  it('MetricsRecorder counts patterns and endpoints separately up to the limit, and further ones together', () => {
    const { observer, metrics } = started({ maxPatterns: 3, maxEndpoints: 2 });
    const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
    for (let round = 0; round < 200; round++) {
      for (const name of names) observer.hit(observer.series(`${name}:*`, `GET /${name}`), 0, clock.now());
    }
    expect(metrics.getAllPatternStats().map(({ pattern, cacheHits }) => [pattern, cacheHits])).toEqual([
      ['a:*', 200],
      ['b:*', 200],
      ['c:*', 200],
      ['__other__', 800],
    ]);
    expect(metrics.getEndpointStats().map(({ endpoint }) => endpoint)).toEqual(['GET /a', 'GET /b', '__other__']);
    expect(metrics.getStats().cacheHits).toBe(1400);
    const value = (name: string) =>
      [...[...metrics.families()].find((each) => each.name === name)!.points()][0]!.value!;
    expect(value('cache_metrics_series')).toBe(7);
    expect(value('cache_metrics_overflow_total')).toBeGreaterThan(0);
  });

  it('MetricsRecorder does not grow with an endless stream of keys, patterns or endpoints', () => {
    const { observer, metrics } = started({ maxPatterns: 5, maxEndpoints: 5 });
    for (let key = 0; key < 20_000; key++) {
      observer.hit(observer.seriesOf(`word${String.fromCharCode(97 + (key % 26))}:${key}`), 0, clock.now());
      observer.hit(observer.series(`p${key}:*`, `GET /e${key}`), 0, clock.now());
    }
    expect(metrics.getAllPatternStats()).toHaveLength(6);
    expect(metrics.getEndpointStats()).toHaveLength(6);
    expect(metrics.getStats().cacheHits).toBe(40_000);
  });

  it('MetricsRecorder calls patternOf first, and detects the pattern if patternOf throws', () => {
    const logged: string[] = [];
    const { observer } = createCacheMetrics({
      clock,
      metrics: {
        patternOf: (key) => {
          if (key.startsWith('bad')) throw new Error('secret-key');
          return key.startsWith('own') ? 'mine' : undefined;
        },
      },
      log: (_level, code, message) => logged.push(`${code} ${message}`),
    });
    expect(observer.seriesOf('own:7').pattern).toBe('mine');
    expect(observer.seriesOf('user:7').pattern).toBe('user:*');
    expect(observer.seriesOf('bad:7').pattern).toBe('bad:*');
    expect(observer.seriesOf('bad:seven').pattern).toBe('bad:*');
    expect(logged).toHaveLength(1);
    expect(logged[0]).not.toContain('secret-key');
  });

  it('MetricsRecorder counts a key under the most specific declared pattern that fits', () => {
    const { observer, metrics } = started();
    expect(observer.seriesOf('product:lamp:price').pattern).toBe('product:*:*');
    metrics.declare('product:*', { ttlMs: null });
    metrics.declare('product:*:price', { ttlMs: null });
    metrics.declare('*', { ttlMs: null });
    expect(observer.seriesOf('product:lamp').pattern).toBe('product:*');
    expect(observer.seriesOf("product:'7'").pattern).toBe('product:*');
    expect(observer.seriesOf('product:lamp:price').pattern).toBe('product:*:price');
    expect(observer.seriesOf('user:42').pattern).toBe('user:*');
  });

  it('MetricsRecorder groups declared templates by the text before their inputs', () => {
    const { observer } = started();
    expect(observer.series('product:{params.id}').pattern).toBe('product:*');
    expect(observer.series('seller:{0.id}:{query.page}').pattern).toBe('seller:*:*');
  });
});
