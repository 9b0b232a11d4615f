import { describe, expect, it } from '@jest/globals';
import { CircuitState, MissReason, Outcome } from '../../../lib/cache/base/observer.js';
import { createCacheMetrics } from '../../../lib/insight/create-cache-metrics.js';
import type { HealthThresholds } from '../../../lib/insight/health.js';
import { ManualClock } from '../../support/manual-clock.js';

interface Requests {
  readonly hits?: number;
  readonly misses?: number;
  readonly ms?: number;
  /** How many of the hits took 150 ms. */
  readonly slow?: number;
  /** Of the misses. */
  readonly reason?: MissReason;
}

function health(
  { hits = 0, misses = 0, ms = 1, slow = 0, reason = MissReason.cold }: Requests,
  thresholds: HealthThresholds = {},
  trouble: (made: ReturnType<typeof createCacheMetrics>) => void = () => undefined,
) {
  const clock = new ManualClock();
  const made = createCacheMetrics({ clock, health: thresholds });
  made.observer.attach([
    { name: 'memory', shared: false },
    { name: 'redis', shared: true },
  ]);
  const series = made.observer.series('feed:*');
  const access = (outcome: Outcome, took: number) =>
    made.observer.access(series, outcome, 0, took, took, outcome === Outcome.hit ? MissReason.none : reason);
  for (let at = 0; at < hits; at++) access(Outcome.hit, at < slow ? 150 : ms);
  for (let at = 0; at < misses; at++) access(Outcome.miss, ms);
  trouble(made);
  return made.metrics.getHealth();
}

const codes = (report: ReturnType<typeof health>) => report.warnings.map(({ code }) => code);

describe('health', () => {
  it('health is healthy from a hit rate of 50 %, below 50 ms on average and 100 ms at the 95th percentile', () => {
    const report = health({ hits: 50, misses: 50, ms: 20 });
    expect(report).toMatchObject({ status: 'healthy', hitRate: 0.5, totalRequests: 100, warnings: [], window: '5m' });
    expect(report.note).toBeUndefined();
    expect(new Date(report.timestamp).getTime()).toBe(1_700_000_000_000);
  });

  it('health is a warning if only the 95th percentile is too high', () => {
    const report = health({ hits: 100, slow: 10 });
    expect(report.status).toBe('warning');
    expect(codes(report)).toEqual(['HIGH_P95_RESPONSE_TIME']);
    expect(report.warnings[0]).toMatchObject({ value: report.p95ResponseTimeMs, threshold: 100 });
  });

  it('health is degraded below the hit rate', () => {
    const report = health({ hits: 49, misses: 51 });
    expect(report.status).toBe('degraded');
    expect(report.warnings).toMatchObject([{ code: 'LOW_HIT_RATE', value: 0.49, threshold: 0.5 }]);
  });

  it('health is degraded from the average threshold on, and names every exceeded threshold', () => {
    expect(codes(health({ hits: 100, ms: 50 }))).toEqual(['HIGH_AVG_RESPONSE_TIME']);
    const report = health({ hits: 1, misses: 99, ms: 200 });
    expect(report.status).toBe('degraded');
    expect(codes(report)).toEqual(['LOW_HIT_RATE', 'HIGH_AVG_RESPONSE_TIME', 'HIGH_P95_RESPONSE_TIME']);
  });

  it('health is healthy with a note while there are too few accesses to judge', () => {
    const report = health({ misses: 19, ms: 500 });
    expect(report).toMatchObject({
      status: 'healthy',
      warnings: [],
      note: expect.stringContaining('19 of at least 20'),
    });
    expect(health({ misses: 20, ms: 500 }).status).toBe('degraded');
    expect(health({ misses: 5 }, { minimumRequests: 5 }).status).toBe('degraded');
    expect(health({}).status).toBe('healthy');
  });

  it('health is degraded by first requests of keys', () => {
    expect(codes(health({ hits: 4, misses: 20, reason: MissReason.cold }))).toEqual(['LOW_HIT_RATE']);
  });

  describe('of a cache whose layer is away', () => {
    const away = (requests: Requests, thresholds?: HealthThresholds) =>
      health({ reason: MissReason.error, ...requests }, thresholds, ({ observer }) =>
        observer.circuit(1, CircuitState.open),
      );

    it('health is not degraded by the misses that follow from that, and says so in a note', () => {
      const report = away({ hits: 4, misses: 20 });
      expect(report).toMatchObject({ status: 'warning', hitRate: 4 / 24 });
      expect(codes(report)).toEqual(['CIRCUIT_OPEN']);
      expect(report.note).toBe(
        '20 of 24 requests in the last 5m missed because a layer was lost. The other 4 are too few to judge the hit rate.',
      );
      const busy = away({ hits: 100, misses: 900 }, { patterns: { 'feed:*': { hitRate: 0.9 } } });
      expect(busy.status).toBe('warning');
      expect(busy.note).toBeUndefined();
    });

    it('health is degraded by other misses', () => {
      const report = away({ hits: 10, misses: 30, reason: MissReason.expired });
      expect(report.status).toBe('degraded');
      expect(codes(report)).toContain('LOW_HIT_RATE');
    });
  });

  it('health is not degraded by the misses after an outage for ten minutes', async () => {
    const clock = new ManualClock();
    const { observer, metrics } = createCacheMetrics({ clock });
    observer.attach([{ name: 'redis', shared: true }]);
    let connected = true;
    const status = { entries: 0, bytes: 0, circuitState: CircuitState.closed, queueDepth: 0, writesDropped: 0 };
    metrics.watchLayers(() => [{ ...status, connected }]);
    const series = observer.series('feed:*');
    const misses = () => {
      for (let at = 0; at < 30; at++) observer.access(series, Outcome.miss, 0, 1, 1, MissReason.error);
    };
    misses();
    expect(codes(metrics.getHealth())).toEqual(['LOW_HIT_RATE']);
    connected = false;
    expect(codes(metrics.getHealth())).toEqual(['LAYER_DOWN']);
    connected = true;
    await clock.advance(599_000);
    misses();
    expect(codes(metrics.getHealth())).toEqual([]);
    await clock.advance(1_000);
    expect(codes(metrics.getHealth())).toEqual(['LOW_HIT_RATE']);
  });

  it.each([
    ['an open circuit', CircuitState.open],
    ['a circuit whose probe is under way', CircuitState.halfOpen],
  ])('health warns of %s and of a layer that is down, however few requests there are', (_, circuitState) => {
    const report = health({}, {}, ({ observer, metrics }) => {
      observer.circuit(1, circuitState);
      const status = { entries: 0, bytes: 0, circuitState, queueDepth: 0, writesDropped: 0 };
      metrics.watchLayers(() => [
        { ...status, connected: true },
        { ...status, connected: false },
      ]);
    });
    expect(report.status).toBe('warning');
    expect(report.warnings).toMatchObject([
      { code: 'CIRCUIT_OPEN', layer: 'redis', value: 'open' },
      { code: 'LAYER_DOWN', layer: 'redis' },
    ]);
  });

  it('health warns of invalidations and messages that a layer refuses, except of an unreachable layer', () => {
    const status = {
      entries: null,
      bytes: null,
      connected: true,
      circuitState: CircuitState.closed,
      queueDepth: 0,
      writesDropped: 0,
    };
    const refusing = { ...status, invalidationsPending: 2, busNotSent: true, busUnreachable: true };
    const reported = (connected: boolean) =>
      health({ hits: 100 }, {}, ({ metrics }) => metrics.watchLayers(() => [status, { ...refusing, connected }]));
    expect(reported(true)).toMatchObject({
      status: 'warning',
      warnings: [
        { code: 'INVALIDATIONS_PENDING', layer: 'redis', value: 2, threshold: 0 },
        { code: 'BUS_NOT_SENT', layer: 'redis' },
        { code: 'BUS_UNREACHABLE', layer: 'redis' },
      ],
    });
    expect(codes(reported(false))).toEqual(['LAYER_DOWN']);
  });

  it.each([
    [1, '1 invalidation'],
    [2, '2 invalidations'],
  ])('health names %d pending as %p', (pending, named) => {
    const status = { entries: null, bytes: null, connected: true, circuitState: CircuitState.closed };
    const behind = {
      ...status,
      queueDepth: 0,
      writesDropped: 0,
      sweepsPending: pending,
      invalidationsPending: pending,
    };
    const { warnings } = health({ hits: 100 }, {}, ({ metrics }) => metrics.watchLayers(() => [behind]));
    expect(warnings.map(({ code }) => code)).toEqual(['SWEEP_PENDING', 'INVALIDATIONS_PENDING']);
    for (const { message } of warnings) expect(message).toMatch(new RegExp(`\\b${named}\\b`));
  });

  it('health warns of a pattern below its target, from enough requests on', () => {
    const patterns = { 'feed:*': { hitRate: 0.8 }, 'never:*': { hitRate: 0.9 } };
    const report = health({ hits: 60, misses: 40 }, { patterns });
    expect(report.status).toBe('warning');
    expect(report.warnings).toMatchObject([
      { code: 'PATTERN_BELOW_TARGET', pattern: 'feed:*', value: 0.6, threshold: 0.8 },
    ]);
    expect(health({ hits: 80, misses: 20 }, { patterns }).status).toBe('healthy');
    expect(health({ hits: 5, misses: 10 }, { patterns }).warnings).toEqual([]);
  });

  it('health judges by the thresholds and the window it is given', () => {
    const thresholds = { minHitRate: 0.9, maxAvgResponseTimeMs: 5, maxP95ResponseTimeMs: 8, window: '1h' as const };
    const report = health({ hits: 80, misses: 20, ms: 9 }, thresholds);
    expect(report.window).toBe('1h');
    expect(report.warnings.map(({ threshold }) => threshold)).toEqual([0.9, 5, 8]);
  });
});
