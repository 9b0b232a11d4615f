import { describe, expect, it } from '@jest/globals';
import { Deltas } from '../../../lib/exporters/deltas.js';
import { dottedName } from '../../../lib/exporters/metric-names.js';
import type { MetricsSnapshot } from '../../../lib/exporters/metrics-exporter.js';
import type { MetricFamily } from '../../../lib/metrics/family.js';
import { quantilesTogether } from '../../../lib/metrics/windows/histogram.js';
import { Figures } from '../../support/figures.js';

const snapshotOf = (figures: Figures): MetricsSnapshot => ({ at: 0, startedAt: 0, families: figures.families() });
const read = (deltas: Deltas, figures: Figures, commit = true): Record<string, unknown> => {
  const delta = deltas.of(snapshotOf(figures));
  if (commit) delta.commit();
  return Object.fromEntries(
    delta.families.flatMap(({ family, points }) =>
      points.map(({ labels, value, histogram }) => [`${family.name} ${labels.join(' ')}`, value ?? histogram!.count]),
    ),
  );
};

describe('the delta since the last export', () => {
  it('a delta contains the increments of counters, without those that did not change, and the values of gauges', () => {
    const [deltas, figures] = [new Deltas(), new Figures()];
    figures.operations = { hit: 5, miss: 2 };
    expect(read(deltas, figures)).toMatchObject({
      'cache_operations_total get hit': 5,
      'cache_operations_total get miss': 2,
    });
    figures.operations = { hit: 9, miss: 2 };
    figures.bytes = 77;
    expect(read(deltas, figures)).toEqual({
      'cache_operations_total get hit': 4,
      'cache_pattern_operations_total feed:* get hit': 4,
      'cache_memory_usage_bytes memory': 77,
    });
  });

  it('a delta starts from zero if figures were reset', () => {
    const [deltas, figures] = [new Deltas(), new Figures()];
    figures.operations.hit = 100;
    figures.record(5);
    read(deltas, figures);
    figures.operations.hit = 3;
    figures.duration.clear();
    expect(read(deltas, figures)['cache_operations_total get hit']).toBe(3);
    figures.record(7);
    expect(read(deltas, figures)['cache_operation_duration_seconds get']).toBe(1);
  });

  it('a delta is returned again if the export failed', () => {
    const [deltas, figures] = [new Deltas(), new Figures()];
    figures.operations.hit = 5;
    read(deltas, figures, false);
    figures.operations.hit = 6;
    expect(read(deltas, figures)['cache_operations_total get hit']).toBe(6);
  });

  it('a delta contains only the distribution of the interval', () => {
    const [deltas, figures] = [new Deltas(), new Figures()];
    for (let n = 0; n < 1_000; n++) figures.record(1_000);
    read(deltas, figures);
    for (let n = 1; n <= 100; n++) figures.record(n);
    const histogram = deltas
      .of(snapshotOf(figures))
      .families.flatMap(({ points }) => points)
      .find((point) => point.histogram !== undefined)!.histogram!;
    const [p50, p99] = quantilesTogether([histogram], [0.5, 0.99]) as [number, number];
    expect(histogram.count).toBe(100);
    expect(histogram.sumMs).toBeCloseTo(5_050, 6);
    expect(Math.abs(p50 / 50 - 1)).toBeLessThan(0.022);
    expect(Math.abs(p99 / 99 - 1)).toBeLessThan(0.022);
    expect(histogram.maxMs / 100).toBeGreaterThanOrEqual(1);
    expect(histogram.maxMs / 100).toBeLessThan(1.045);
  });

  it('a delta does not change when more is counted in the same buckets', () => {
    const [deltas, figures] = [new Deltas(), new Figures()];
    figures.record(5);
    read(deltas, figures);
    figures.record(5);
    figures.record(5);
    const histogram = deltas
      .of(snapshotOf(figures))
      .families.flatMap(({ points }) => points)
      .find((point) => point.histogram !== undefined)!.histogram!;
    expect([...histogram.counts].reduce((sum, count) => sum + count)).toBe(2);
  });

  describe('the delta of series that come and go', () => {
    const counted = (values: Readonly<Record<string, number>>): MetricFamily => ({
      name: 'some_total',
      help: 'Some.',
      type: 'counter',
      labelNames: ['name'],
      points: () => Object.entries(values).map(([name, value]) => ({ labels: [name], value })),
    });
    const added = (deltas: Deltas, values: Readonly<Record<string, number>>, commit = true) => {
      const { families, commit: exported } = deltas.of({ families: [counted(values)] });
      if (commit) exported();
      return Object.fromEntries(
        families.flatMap(({ points }) => points.map(({ labels, value }) => [labels[0], value])),
      );
    };

    it('the delta of a series belongs to its series, whatever its position', () => {
      const deltas = new Deltas();
      added(deltas, { a: 10, c: 30 });
      expect(added(deltas, { a: 11, b: 20, c: 33 })).toEqual({ a: 1, b: 20, c: 3 });
      expect(added(deltas, { c: 37, a: 16 })).toEqual({ c: 4, a: 5 });
    });

    it('the delta of a series starts from zero after the series was absent, even for one failed export', () => {
      const deltas = new Deltas();
      added(deltas, { a: 10, b: 20 });
      added(deltas, { a: 10 });
      expect(added(deltas, { a: 12, b: 21 }, false)).toEqual({ a: 2, b: 21 });
      expect(added(deltas, { a: 13, b: 22 })).toEqual({ a: 3, b: 22 });
      expect(added(deltas, { a: 13, b: 23 })).toEqual({ b: 1 });
    });

    it('a delta includes the figures that an interrupted attempt had read', () => {
      const deltas = new Deltas();
      added(deltas, { a: 10, b: 20 });
      const broken: MetricFamily = {
        ...counted({}),
        *points() {
          yield { labels: ['a'], value: 15 };
          throw new Error('broken');
        },
      };
      expect(() => deltas.of({ families: [broken] })).toThrow('broken');
      expect(added(deltas, { a: 16, b: 21 })).toEqual({ a: 6, b: 1 });
    });
  });

  it('deltas keep memory for current series only', () => {
    const [deltas, figures] = [new Deltas(), new Figures()];
    figures.operations.hit = 1;
    read(deltas, figures);
    figures.pattern = 'other:*';
    read(deltas, figures);
    figures.pattern = 'feed:*';
    // The series was dropped, so it is counted from its beginning.
    expect(read(deltas, figures)['cache_pattern_operations_total feed:* get hit']).toBe(1);
  });
});

describe('dotted names', () => {
  it('dotted names are derived for families without a dotted name', () => {
    const family = { help: '', type: 'counter', labelNames: [], points: () => [], unit: 'seconds' } as const;
    expect(dottedName({ ...family, name: 'my_own_thing_seconds_total' })).toEqual({
      name: 'my.own.thing',
      unit: 's',
      additive: false,
    });
  });
});
