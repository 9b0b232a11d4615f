import { beforeEach, describe, expect, it } from '@jest/globals';
import {
  LayerOperation,
  LayerResult,
  MissReason,
  Operation,
  Outcome,
  Result,
} from '../../../lib/cache/base/observer.js';
import { createCacheMetrics } from '../../../lib/insight/create-cache-metrics.js';
import { ManualClock } from '../../support/manual-clock.js';

describe('CacheMetrics', () => {
  let clock: ManualClock;
  let made: ReturnType<typeof createCacheMetrics>;
  beforeEach(() => {
    clock = new ManualClock();
    made = createCacheMetrics({ clock });
    made.observer.attach([{ name: 'memory', shared: false }]);
  });

  const asked = (pattern: string, hits: number, misses: number, reason: MissReason = MissReason.cold) => {
    const series = made.observer.series(pattern);
    for (let hit = 0; hit < hits; hit++) made.observer.hit(series, 0, clock.now());
    for (let miss = 0; miss < misses; miss++) made.observer.access(series, Outcome.miss, -1, 1, 10, reason);
  };

  it('CacheMetrics returns zeros for a pattern without accesses', () => {
    expect(made.metrics.getPatternStats('feed:*', '5m')).toMatchObject({
      pattern: 'feed:*',
      totalRequests: 0,
      hitRate: null,
      p95ResponseTimeMs: null,
      avgValueBytes: null,
      window: '5m',
    });
  });

  it('CacheMetrics freezes every snapshot', () => {
    asked('feed:*', 1, 1);
    const { metrics } = made;
    for (const snapshot of [
      metrics.getStats(),
      metrics.getStats().missReasons,
      metrics.getAllPatternStats(),
      metrics.getAllPatternStats()[0],
      metrics.getLayerStats(),
      metrics.getOperationStats()[0],
      metrics.getHitRates(),
      metrics.getHitRates().patterns[0]!.hitRates,
      metrics.getRealtime(),
      metrics.getHealth(),
      metrics.getLowPerformers(1),
    ]) {
      expect(Object.isFrozen(snapshot)).toBe(true);
    }
  });

  it('CacheMetrics lists the windows in the error for an unknown one', () => {
    expect(() => made.metrics.getStats('2m' as never)).toThrow(
      expect.objectContaining({ code: 'UNKNOWN_WINDOW', message: expect.stringContaining('1m, 5m, 1h, 24h, all') }),
    );
  });

  it('CacheMetrics leaves out accesses older than the window, and returns how much of it was observed', async () => {
    asked('feed:*', 3, 1);
    await clock.advance(30_000);
    expect(made.metrics.getStats('1m')).toMatchObject({ totalRequests: 4, coverageSeconds: 30 });
    await clock.advance(31_000);
    expect(made.metrics.getStats('1m').totalRequests).toBe(0);
    expect(made.metrics.getStats('5m')).toMatchObject({ totalRequests: 4, coverageSeconds: 61 });
    await clock.advance(25 * 3_600_000);
    expect(made.metrics.getStats('24h').totalRequests).toBe(0);
    expect(made.metrics.getStats()).toMatchObject({ totalRequests: 4, window: 'all' });
  });

  it('CacheMetrics ranks patterns by requests', () => {
    asked('a:*', 1, 0);
    asked('b:*', 5, 5);
    asked('c:*', 4, 0);
    made.observer.series('never:*');
    expect(made.metrics.getTopPatterns(2).map(({ pattern }) => pattern)).toEqual(['b:*', 'c:*']);
    expect(made.metrics.getTopPatterns(10)).toHaveLength(3);
  });

  it('CacheMetrics finds low performers, lowest first, with evidence', () => {
    asked('feed:*', 1, 9, MissReason.expired);
    asked('search:*', 4, 6);
    asked('good:*', 9, 1);
    asked('rare:*', 0, 1);
    made.metrics.declare('feed:*', { ttlMs: 60_000 });
    const low = made.metrics.getLowPerformers(0.5, 'all', 5);
    expect(low.map(({ pattern }) => pattern)).toEqual(['feed:*', 'search:*']);
    expect(low[0]).toMatchObject({ hitRate: 0.1, totalRequests: 10, ttlMs: 60_000, missReasons: { expired: 9 } });
    expect(low[0]!.recommendation).toMatch(/the TTL is 1m/);
  });

  it('CacheMetrics shows hit rates over all windows', async () => {
    asked('feed:*', 1, 1);
    await clock.advance(120_000);
    asked('feed:*', 1, 0);
    const { overall, patterns, operations } = made.metrics.getHitRates();
    expect(overall).toEqual({ '1m': 1, '5m': 2 / 3, '1h': 2 / 3, '24h': 2 / 3, all: 2 / 3 });
    expect(patterns).toEqual([{ pattern: 'feed:*', hitRates: overall }]);
    expect(operations.find(({ operation }) => operation === 'get')!.hitRates).toEqual(overall);
  });

  it('CacheMetrics returns loads in flight, rates and warnings of the last minute', async () => {
    await clock.advance(60_000);
    asked('feed:*', 30, 0);
    made.observer.inFlight(1);
    const remove = made.metrics.addAlerts(() => [
      { code: 'LOW_HIT_RATE', message: 'seen elsewhere', value: 0, threshold: 1 },
    ]);
    const realtime = made.metrics.getRealtime();
    expect(realtime).toMatchObject({ operationsInFlight: 1, hitRate: 1, alerts: [{ message: 'seen elsewhere' }] });
    expect(realtime.requestsPerSecond).toBeCloseTo(30 / made.metrics.getStats('1m').coverageSeconds, 6);
    remove();
    expect(made.metrics.getRealtime().alerts).toEqual([]);
  });

  it('CacheMetrics reads entries and bytes from the layers', () => {
    made.metrics.watchLayers(() => [
      { entries: 7, bytes: 900, connected: false, circuitState: 0, queueDepth: 0, writesDropped: 0 },
    ]);
    expect(made.metrics.getLayerStats()).toMatchObject([{ entryCount: 7, totalSizeBytes: 900, connected: false }]);
    expect(made.metrics.getStats()).toMatchObject({ entryCount: 7, totalSizeBytes: 900 });
  });

  it('CacheMetrics sets every figure to zero on reset, and continues to count', () => {
    asked('feed:*', 3, 3);
    made.observer.layer(0, LayerOperation.get, LayerResult.miss, 1, 1, 0);
    made.observer.operation(made.observer.series('feed:*'), Operation.set, Result.ok, 1, 10);
    made.metrics.reset();
    expect(made.metrics.getStats()).toMatchObject({ totalRequests: 0, sets: 0, coverageSeconds: 0 });
    expect(made.metrics.getLayerStats()).toMatchObject([{ cacheMisses: 0 }]);
    asked('feed:*', 1, 0);
    expect(made.metrics.getPatternStats('feed:*').cacheHits).toBe(1);
  });

  it('CacheMetrics reads many patterns without blocking the event loop', async () => {
    for (let at = 0; at < 60; at++) asked(`p${at}:*`, 1, 0);
    let turns = 0;
    const turn = setInterval(() => turns++, 0);
    const all = await made.metrics.collectPatternStats('5m');
    clearInterval(turn);
    expect(all).toEqual(made.metrics.getAllPatternStats('5m'));
  });

  describe('record', () => {
    it('record() counts accesses to another cache', () => {
      const { metrics } = made;
      metrics.record({
        operation: 'get',
        key: 'user:42',
        result: 'hit',
        responseTimeMs: 3,
        endpoint: 'GET /users/:id',
      });
      metrics.record({ operation: 'get', key: 'user:43', result: 'miss', responseTimeMs: 5 });
      metrics.record({ operation: 'set', pattern: 'user:*', result: 'ok', responseTimeMs: 1, sizeBytes: 512 });
      metrics.record({ operation: 'load', pattern: 'user:*', result: 'ok', responseTimeMs: 80 });
      metrics.record({ operation: 'invalidate', result: 'ok', responseTimeMs: 1 });
      expect(metrics.getPatternStats('user:*')).toMatchObject({
        cacheHits: 1,
        cacheMisses: 1,
        sets: 1,
        avgValueBytes: 512,
        avgLoadTimeMs: 80,
        maxResponseTimeMs: 5,
      });
      expect(metrics.getEndpointStats()).toMatchObject([{ endpoint: 'GET /users/:id', cacheHits: 1 }]);
      expect(metrics.getStats().invalidations).toBe(1);
    });

    it.each([
      [{ operation: 'fetch' }, /operation "fetch" is unknown; give one of get, set/],
      [{ result: 'ok' }, /result "ok" is invalid for get; give one of hit, stale/],
      [{ responseTimeMs: -1 }, /responseTimeMs -1/],
      [{ responseTimeMs: NaN }, /responseTimeMs NaN/],
      [{ sizeBytes: -5 }, /sizeBytes -5/],
      [{ key: undefined }, /neither key nor pattern/],
      [{ key: '' }, /key must be a non-empty string/],
    ])('record() refuses %j', (fault, message) => {
      const good = { operation: 'get', key: 'a', result: 'hit', responseTimeMs: 1 };
      expect(() => made.metrics.record({ ...good, ...fault } as never)).toThrow(
        expect.objectContaining({ code: 'INVALID_RECORD', message: expect.stringMatching(message) }),
      );
      expect(made.metrics.getStats().totalRequests).toBe(0);
    });
  });

  describe('startTimer', () => {
    it('startTimer() records the time until end, once', async () => {
      const timer = made.metrics.startTimer({ operation: 'get', key: 'user:1' });
      await clock.advance(12);
      expect(timer.end('hit')).toBe(12);
      await clock.advance(12);
      expect(timer.end('miss')).toBe(12);
      expect(made.metrics.getStats()).toMatchObject({ cacheHits: 1, totalRequests: 1, avgResponseTimeMs: 12 });
    });

    it('startTimer() records at the end of the block that declared it', async () => {
      {
        using _timer = made.metrics.startTimer({ operation: 'set', pattern: 'user:*' });
        await clock.advance(4);
      }
      expect(made.metrics.getStats().sets).toBe(1);
    });

    it('startTimer() refuses an invalid subject at once', () => {
      expect(() => made.metrics.startTimer({ operation: 'get' })).toThrow(/neither key nor pattern/);
    });
  });

  describe('the view of a method', () => {
    it('the view of a method contains only its own accesses, although other methods share its pattern', () => {
      const { observer, metrics } = made;
      const one = observer.series('product:{0}', undefined, { subject: 'Products.one' });
      const other = observer.series('product:{0}', undefined, { subject: 'Products.other' });
      observer.hit(one, 0, clock.now());
      observer.hit(other, 0, clock.now());
      observer.hit(other, 0, clock.now());
      const view = metrics.viewOf([one]);
      expect(view.getStats()).toMatchObject({ cacheHits: 1, hitRate: 1 });
      expect(metrics.getPatternStats('product:*').cacheHits).toBe(3);
      view.reset();
      expect(view.getStats('1m').cacheHits).toBe(0);
      expect(metrics.viewOf([other]).getStats().cacheHits).toBe(2);
      expect(metrics.getStats().cacheHits).toBe(3);
    });

    it('the view of a method adds up the endpoints of one handler', () => {
      const { observer, metrics } = made;
      const routes = ['GET /a', 'GET /b'].map((endpoint) => observer.series('feed:*', endpoint));
      for (const series of routes) observer.hit(series, 0, clock.now());
      expect(metrics.viewOf(routes).getStats('5m').cacheHits).toBe(2);
    });
  });

  it('the view of a method returns zeros and counts nothing if metrics are off', () => {
    const { observer, metrics } = createCacheMetrics({ clock, metrics: false });
    observer.attach([{ name: 'memory', shared: false }]);
    observer.hit(observer.series('feed:*', 'GET /feeds'), 0, clock.now());
    metrics.record({ operation: 'get', key: 'a', result: 'hit', responseTimeMs: 1 });
    expect(metrics.getStats()).toMatchObject({ totalRequests: 0, hitRate: null });
    expect(metrics.getAllPatternStats()).toEqual([]);
    expect(metrics.getHealth().status).toBe('healthy');
    metrics.reset();
  });
});
