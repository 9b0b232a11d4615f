import { beforeAll, describe, expect, it } from '@jest/globals';
import { MissReason, Operation, Outcome, Result, type Series } from '../../../lib/cache/observer.js';
import { PrometheusExposition } from '../../../lib/exporters/prometheus/text.js';
import { createCacheMetrics } from '../../../lib/insight/create-cache-metrics.js';
import type { CacheMetrics } from '../../../lib/metrics/cache-metrics.js';
import type { MetricFamily } from '../../../lib/metrics/family.js';
import { inPortions } from '../../../lib/metrics/reading/portions.js';
import { presentedText } from '../../../lib/monitoring/presenter.js';
import { calmest } from '../../support/loop-pause.js';
import { ManualClock } from '../../support/manual-clock.js';

const MANY = 1_000;

/** Every family with its points. */
const walked = (families: Iterable<MetricFamily>) =>
  [...families].map(({ name, points }) => ({ name, points: [...points()] }));
const walkedInPortions = async (metrics: CacheMetrics) => {
  const families = await metrics.collectFamilies();
  return await Promise.all(
    [...families].map(async ({ name, points }) => ({ name, points: await inPortions(points()) })),
  );
};

describe('a thousand patterns and a thousand endpoints', () => {
  const clock = new ManualClock();
  const { observer, metrics } = createCacheMetrics({ clock, metrics: { maxPatterns: MANY, maxEndpoints: MANY } });
  let series: Series[];

  const traffic = (): void => {
    for (const each of series) {
      for (let hit = 0; hit < 5; hit++) observer.hit(each, 0, clock.now() - hit);
      observer.access(each, Outcome.miss, -1, 1, 40, MissReason.cold);
      observer.load(each, Operation.load, Result.ok, 40);
      observer.operation(each, Operation.set, Result.ok, 1, 100);
    }
  };

  beforeAll(async () => {
    observer.attach([
      { name: 'memory', shared: false },
      { name: 'redis', shared: true },
    ]);
    series = Array.from({ length: MANY * 3 }, (_, n) => observer.series(`pattern${n}:*`, `GET /route${n}`));
    for (let slot = 0; slot < 6; slot++) {
      await clock.advance(slot < 3 ? 3_600_000 : 10_000);
      traffic();
    }
  }, 60_000);

  it('are kept under the cap, and what comes after them is counted together', () => {
    expect(metrics.getAllPatternStats()).toHaveLength(MANY + 1);
    expect(metrics.getEndpointStats()).toHaveLength(MANY + 1);
    expect(metrics.getPatternStats('__other__').totalRequests).toBe(MANY * 2 * 6 * 6);
    const text = new PrometheusExposition(metrics).render();
    expect(text).toMatch(/^cache_metrics_series \d+$/m);
    expect(Number(/^cache_metrics_overflow_total (\d+)$/m.exec(text)?.[1])).toBeGreaterThanOrEqual(MANY * 2);
    // Rows of a pattern and of an endpoint, and not one more for what has no room.
    expect(text.split('\n').length).toBeLessThan(MANY * 20);
    expect(text.length).toBeLessThan(2_000_000);
  });

  it('are scraped without keeping the loop for more than a part of the time', async () => {
    const exposition = new PrometheusExposition(metrics);
    await exposition.collectBytes();
    const { totalMs, longestPauseMs } = await calmest(5, () => {
      traffic();
      return exposition.collectBytes();
    });
    const { longestPauseMs: traffics } = await calmest(5, traffic);
    expect(longestPauseMs).toBeLessThan(Math.max(traffics + totalMs / 2, 50));
  });

  it('cost a scrape after which nothing happened a fraction of the first', async () => {
    const fresh = await calmest(3, () => new PrometheusExposition(metrics).collectBytes());
    const kept = new PrometheusExposition(metrics);
    await kept.collectBytes();
    const again = await calmest(3, () => kept.collectBytes());
    expect(again.totalMs).toBeLessThan(fresh.totalMs);
  });

  it('are the same to a scrape in portions and to one at once', async () => {
    const exposition = new PrometheusExposition(metrics);
    const [one, other] = [exposition.collectBytes(), exposition.collectBytes()];
    expect(exposition.renderBytes()).toEqual(await one);
    expect(await other).toBe(await one);
  });

  it.each<[string, (asked: CacheMetrics) => unknown, (asked: CacheMetrics) => Promise<unknown>]>([
    ['all patterns', (asked) => asked.getAllPatternStats('24h'), (asked) => asked.collectPatternStats('24h')],
    ['all endpoints', (asked) => asked.getEndpointStats('24h'), (asked) => asked.collectEndpointStats('24h')],
    ['everything together', (asked) => asked.getStats('24h'), (asked) => asked.collectStats('24h')],
    ['all layers', (asked) => asked.getLayerStats('24h'), (asked) => asked.collectLayerStats('24h')],
    ['all operations', (asked) => asked.getOperationStats('24h'), (asked) => asked.collectOperationStats('24h')],
    ['health', (asked) => asked.getHealth(), (asked) => asked.collectHealth()],
    ['what happens now', (asked) => asked.getRealtime(), (asked) => asked.collectRealtime()],
    ['the families of an exporter', (asked) => walked(asked.families()), walkedInPortions],
    ['hit rates', (asked) => asked.getHitRates(), (asked) => asked.collectHitRates()],
    [
      'the top patterns',
      (asked) => asked.getTopPatterns(MANY, '24h'),
      (asked) => asked.collectTopPatterns(MANY, '24h'),
    ],
    ['low performers', (asked) => asked.getLowPerformers(1, '24h'), (asked) => asked.collectLowPerformers(1, '24h')],
  ])('answer %s in portions as at once, with the loop free in between', async (_, atOnce, collect) => {
    expect(await collect(metrics)).toEqual(atOnce(metrics));
    const blocking = await calmest(2, () => atOnce(metrics));
    const portioned = await calmest(3, () => collect(metrics));
    // A millisecond a portion; a busy machine may double it a few times.
    expect(portioned.longestPauseMs).toBeLessThan(Math.max(blocking.longestPauseMs / 2, 20));
  });

  it('are written as JSON in portions, the same JSON', async () => {
    const answer = metrics.getHitRates();
    const { result, longestPauseMs, totalMs } = await calmest(3, () => presentedText(answer));
    expect(JSON.parse(result)).toMatchObject({ overall: { '1m': expect.anything() } });
    expect((JSON.parse(result) as { patterns: unknown[] }).patterns).toHaveLength(MANY + 1);
    expect(longestPauseMs).toBeLessThan(Math.max(totalMs / 2, 20));
  });
});
