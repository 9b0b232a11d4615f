import { beforeAll, describe, expect, it } from '@jest/globals';
import { MissReason, Operation, Outcome, Result, type Series } from '../../../lib/cache/base/observer.js';
import { CloudWatchExporter } from '../../../lib/exporters/cloudwatch/index.js';
import type { MetricsExporter } from '../../../lib/exporters/metrics-exporter.js';
import { CacheMetricProducer } from '../../../lib/exporters/otel/index.js';
import { PrometheusExposition } from '../../../lib/exporters/prometheus/text.js';
import { StatsdExporter } from '../../../lib/exporters/statsd/index.js';
import { createCacheMetrics } from '../../../lib/insight/create-cache-metrics.js';
import type { CacheMetrics } from '../../../lib/metrics/cache-metrics.js';
import type { MetricFamily } from '../../../lib/metrics/family.js';
import { collectInSlices } from '../../../lib/cache/base/slices.js';
import { presentedText } from '../../../lib/monitoring/presenter.js';
import { leastWorkMs, turnsDuring } from '../../support/loop-turns.js';
import { ManualClock } from '../../support/manual-clock.js';

const MANY = 1_000;
/** The allowed share of the work without a turn: 1 without slices, a few hundredths with slices. */
const MUCH = 0.4;

/** Every family with its points. */
const walked = (families: Iterable<MetricFamily>) =>
  [...families].map(({ name, points }) => ({ name, points: [...points()] }));
const walkedInSlices = async (metrics: CacheMetrics) => {
  const families = await metrics.collectFamilies();
  return await Promise.all(
    [...families].map(async ({ name, points }) => ({ name, points: await collectInSlices(points()) })),
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

  /** An exporter's first export, as the schedule calls it. */
  const exported = async (exporter: MetricsExporter): Promise<void> => {
    await exporter.start({ serviceName: 'shop', families: () => [] });
    await exporter.export({ at: clock.now(), startedAt: 0, families: [...(await metrics.collectFamilies())] });
  };

  it('a thousand patterns are counted separately up to the limit, and further ones together', () => {
    expect(metrics.getAllPatternStats()).toHaveLength(MANY + 1);
    expect(metrics.getEndpointStats()).toHaveLength(MANY + 1);
    expect(metrics.getPatternStats('__other__').totalRequests).toBe(MANY * 2 * 6 * 6);
    const text = new PrometheusExposition(metrics).render();
    expect(text).toMatch(/^cache_metrics_series \d+$/m);
    expect(Number(/^cache_metrics_overflow_total (\d+)$/m.exec(text)?.[1])).toBeGreaterThanOrEqual(MANY * 2);
    // Rows of a pattern and of an endpoint, and no further row for patterns over the limit.
    expect(text.split('\n').length).toBeLessThan(MANY * 20);
    expect(text.length).toBeLessThan(2_000_000);
  });

  it('a thousand patterns are scraped in slices between which the event loop is free', async () => {
    const { turns, largest } = await turnsDuring(() => new PrometheusExposition(metrics).collectBytes());
    const points = [...metrics.families()].reduce((sum, family) => sum + [...family.points()].length, 0);
    // Sixty-four series per step.
    expect(turns).toBeGreaterThan(points / 100);
    expect(largest).toBeLessThan(MUCH);
  });

  it('a thousand patterns cost a second scrape without changes a fraction of the first', () => {
    const kept = new PrometheusExposition(metrics);
    kept.renderBytes();
    const [first, again] = leastWorkMs(
      () => new PrometheusExposition(metrics).renderBytes(),
      () => kept.renderBytes(),
    );
    expect(again).toBeLessThan(first * MUCH);
  });

  it('a thousand patterns give the same exposition in slices and at once', async () => {
    const exposition = new PrometheusExposition(metrics);
    const [one, other] = [exposition.collectBytes(), exposition.collectBytes()];
    expect(exposition.renderBytes().equals(await one)).toBe(true);
    expect(await other).toBe(await one);
  });

  it.each<[string, number, (asked: CacheMetrics) => unknown, (asked: CacheMetrics) => Promise<unknown>]>([
    ['all patterns', 1, (asked) => asked.getAllPatternStats('24h'), (asked) => asked.collectPatternStats('24h')],
    ['all endpoints', 1, (asked) => asked.getEndpointStats('24h'), (asked) => asked.collectEndpointStats('24h')],
    ['everything together', 1, (asked) => asked.getStats('24h'), (asked) => asked.collectStats('24h')],
    ['all layers', 1, (asked) => asked.getLayerStats('24h'), (asked) => asked.collectLayerStats('24h')],
    ['all operations', 1, (asked) => asked.getOperationStats('24h'), (asked) => asked.collectOperationStats('24h')],
    ['health', 1, (asked) => asked.getHealth(), (asked) => asked.collectHealth()],
    ['real-time figures', 2, (asked) => asked.getRealtime(), (asked) => asked.collectRealtime()],
    ['the families of an exporter', 2, (asked) => walked(asked.families()), walkedInSlices],
    ['hit rates', 1, (asked) => asked.getHitRates(), (asked) => asked.collectHitRates()],
    [
      'the top patterns',
      2,
      (asked) => asked.getTopPatterns(MANY, '24h'),
      (asked) => asked.collectTopPatterns(MANY, '24h'),
    ],
    ['low performers', 2, (asked) => asked.getLowPerformers(1, '24h'), (asked) => asked.collectLowPerformers(1, '24h')],
  ])(
    'a thousand patterns return %s in slices as at once, with a free event loop',
    async (_, walks, atOnce, collect) => {
      const { result, turns, largest } = await turnsDuring(() => collect(metrics));
      expect(result).toEqual(atOnce(metrics));
      expect(turns).toBeGreaterThan(0.9 * walks * MANY);
      expect(largest).toBeLessThan(MUCH);
    },
  );

  it.each<[string, number, () => Promise<unknown>]>([
    ['OpenTelemetry', 1, () => new CacheMetricProducer({ source: metrics }).collect()],
    // More than half of the series changed, and each of those is read separately.
    ['StatsD', 1.5, () => exported(new StatsdExporter({ client: { increment() {}, gauge() {} } }))],
    ['CloudWatch', 1.5, () => exported(new CloudWatchExporter({ write() {} }))],
  ])('a thousand patterns are exported to %s with a free event loop', async (_, walks, work) => {
    const points = [...metrics.families()].reduce((sum, family) => sum + [...family.points()].length, 0);
    const { turns, largest } = await turnsDuring(work);
    expect(turns).toBeGreaterThan(0.9 * MANY + 0.95 * walks * points);
    expect(largest).toBeLessThan(MUCH);
  });

  it('a thousand patterns give the same dump in slices as at once, with the event loop free in between', async () => {
    const first = await metrics.collectDump();
    const { result, turns, largest } = await turnsDuring(() => metrics.collectDump());
    // Jest compares byte by byte, which takes seconds.
    expect(Buffer.compare(result, metrics.dump())).toBe(0);
    expect(Buffer.compare(result, first)).toBe(0);
    // Sixteen patterns or endpoints per step, and a megabyte of the checksum.
    expect(turns).toBeGreaterThan((2 * MANY) / 16 + result.length / 2 ** 20);
    expect(largest).toBeLessThan(MUCH);
  });

  it('a thousand patterns give the same JSON in slices as at once', async () => {
    const answer = metrics.getHitRates();
    const { result, turns, largest } = await turnsDuring(() => presentedText(answer));
    expect(JSON.parse(result)).toMatchObject({ overall: { '1m': expect.anything() } });
    expect((JSON.parse(result) as { patterns: unknown[] }).patterns).toHaveLength(MANY + 1);
    expect(turns).toBeGreaterThan(0.9 * MANY);
    expect(largest).toBeLessThan(MUCH);
  });
});
