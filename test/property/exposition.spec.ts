import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { MissReason, Outcome } from '../../lib/cache/base/observer.js';
import { PrometheusExposition, prometheusText, type TextFormat } from '../../lib/exporters/prometheus/text.js';
import { createCacheMetrics } from '../../lib/insight/create-cache-metrics.js';
import { duration } from '../../lib/metrics/family.js';
import { Histogram } from '../../lib/metrics/windows/histogram.js';

const START = 1_700_000_003_210;

const recordings = fc.array(
  fc.record({
    series: fc.integer({ min: 0, max: 3 }),
    ms: fc.double({ min: 0, max: 20_000, noNaN: true }),
    weight: fc.integer({ min: 1, max: 3_000 }),
  }),
  { minLength: 1, maxLength: 12 },
);

describe('a reused exposition', () => {
  it('a reused exposition equals a freshly rendered one while histograms grow and begin anew', () => {
    fc.assert(
      fc.property(
        fc.array(recordings, { minLength: 1, maxLength: 12 }),
        fc.constantFrom<TextFormat>('prometheus', 'openmetrics'),
        fc.integer({ min: 2, max: 8 }),
        (scrapes, format, resetEvery) => {
          const histograms = ['plain', 'größe "1"', 'back\\slash', ''].map((label) => ({
            labels: [label],
            histogram: new Histogram(),
          }));
          const source = { families: () => [duration('wait_seconds', 'Waits.', ['of'], () => histograms)] };
          const kept = new PrometheusExposition(source, { format });
          scrapes.forEach((recorded, scrape) => {
            if (scrape % resetEvery === resetEvery - 1) for (const { histogram } of histograms) histogram.clear();
            for (const { series, ms, weight } of recorded) histograms[series]!.histogram.record(ms, weight);
            expect(kept.render()).toBe(new PrometheusExposition(source, { format }).render());
          });
        },
      ),
    );
  });

  it('a reused exposition counts and sums all accesses, however their slots were closed, and is repeatable', () => {
    const waits = fc.oneof(
      { weight: 8, arbitrary: fc.integer({ min: 0, max: 25_000 }) },
      { weight: 3, arbitrary: fc.integer({ min: 0, max: 400_000 }) },
      { weight: 1, arbitrary: fc.integer({ min: 0, max: 10_000_000 }) },
    );
    fc.assert(
      fc.property(fc.array(fc.record({ wait: waits, ms: fc.integer({ min: 1, max: 5_000 }) })), (accesses) => {
        let now = START;
        const { observer, metrics } = createCacheMetrics({ clock: { now: () => now, after: () => () => undefined } });
        const series = observer.series('feed:*', 'GET /feed');
        let sumMs = 0;
        accesses.forEach(({ wait, ms }, at) => {
          now += wait;
          observer.access(series, Outcome.miss, -1, ms, ms, MissReason.cold);
          sumMs += ms;
          const text = prometheusText(metrics);
          expect(text).toContain(`cache_operation_duration_seconds_count{operation="get"} ${at + 1}\n`);
          expect(Number(/_duration_seconds_sum\{operation="get"\} (.*)/.exec(text)?.[1])).toBeCloseTo(sumMs / 1000, 6);
          expect(metrics.getPatternStats('feed:*').avgResponseTimeMs).toBeCloseTo(sumMs / (at + 1), 6);
          expect(metrics.getEndpointStats()[0]).toMatchObject({ avgTotalTimeMs: expect.closeTo(sumMs / (at + 1), 6) });
        });
        expect(prometheusText(metrics)).toBe(new PrometheusExposition(metrics).render());
      }),
    );
  });
});
