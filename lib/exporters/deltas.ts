import { lowerBound } from '../metrics/windows/buckets.js';
import type { HistogramView, MetricFamily, MetricPoint } from '../metrics/family.js';
import { runAtOnce, runInSlices } from '../cache/base/slices.js';
import { KeptBySeries } from './kept-by-series.js';
import type { ExportSource, MetricsSnapshot } from './metrics-exporter.js';

/** What was added between two exports. */
export interface Delta {
  /**
   * Counters and histograms hold the increase, gauges the current value. Counters and histograms without an increase are left out. The
   * points are valid until the next delta is read.
   */
  readonly families: readonly { readonly family: MetricFamily; readonly points: readonly MetricPoint[] }[];
  /** Marks this delta as exported: the next one begins where it ends. Otherwise the next delta includes this one. */
  commit(): void;
}

/** The series of one family. */
interface FamilySeries {
  readonly byLabels: Map<string, DeltaSeries>;
  readonly byPlace: KeptBySeries<DeltaSeries>;
}

/**
 * Turns cumulative figures into the increase since the last export. A series whose value fell was reset and counts from zero. The
 * objects of a series are created once and reused, to save garbage collection with many series.
 */
export class Deltas {
  readonly #families = new Map<string, FamilySeries>();
  /** The number of the last reading. */
  #last = 0;
  #committed = 0;

  /** Sets the start of the first delta. Present figures belong to it, unless an earlier run has exported them. */
  startFrom({ restored, families }: Pick<ExportSource, 'restored' | 'families'>): void {
    if (restored === true) this.of({ families: [...families()] }).commit();
  }

  of(snapshot: Pick<MetricsSnapshot, 'families'>): Delta {
    return runAtOnce(this.#steps(snapshot));
  }

  /** As {@link of}, in slices, so that the event loop stays free. */
  collect(snapshot: Pick<MetricsSnapshot, 'families'>): Promise<Delta> {
    return runInSlices(this.#steps(snapshot));
  }

  *#steps(snapshot: Pick<MetricsSnapshot, 'families'>): Generator<void, Delta> {
    const reading = ++this.#last;
    const families: { family: MetricFamily; points: MetricPoint[] }[] = [];
    for (const family of snapshot.families) {
      const points: MetricPoint[] = [];
      families.push({ family, points });
      const { byPlace } = this.#seriesOf(family);
      let place = 0;
      for (const point of family.points()) {
        const series = byPlace.at(place++, point.labels);
        series.read(point, family.type === 'gauge', reading, this.#committed);
        if (series.hasChanges) points.push(series);
        yield;
      }
      byPlace.cutTo(place);
    }
    return { families, commit: () => this.#commit(reading) };
  }

  /** Drops series that were absent from the reading. If such a series returns, it counts from zero. */
  #commit(reading: number): void {
    this.#committed = reading;
    for (const [name, { byLabels }] of this.#families) {
      for (const [labels, series] of byLabels) if (series.reading !== reading) byLabels.delete(labels);
      if (byLabels.size === 0) this.#families.delete(name);
    }
  }

  #seriesOf({ name }: MetricFamily): FamilySeries {
    const known = this.#families.get(name);
    if (known !== undefined) return known;
    const byLabels = new Map<string, DeltaSeries>();
    const byPlace = new KeptBySeries((labels) => {
      const key = labels.join('\0');
      const series = byLabels.get(key) ?? new DeltaSeries(labels);
      byLabels.set(key, series);
      return series;
    });
    const made = { byLabels, byPlace };
    this.#families.set(name, made);
    return made;
  }
}

/** One series: its last exported values, and the increase since then, as a point. */
class DeltaSeries implements MetricPoint {
  readonly labels: readonly string[];
  value?: number;
  histogram?: HistogramView;
  /** True if there is something to export. */
  hasChanges = false;
  /** The last reading that contained it. */
  reading = 0;
  #before = 0;
  #histogramBefore: HistogramView | undefined;
  #now = 0;
  #histogramNow: HistogramView | undefined;

  constructor(labels: readonly string[]) {
    this.labels = labels;
  }

  /** @param committed the last reading that was exported; later readings were not. */
  read({ value = 0, histogram }: MetricPoint, gauge: boolean, reading: number, committed: number): void {
    if (this.reading <= committed) {
      this.#before = this.#now;
      this.#histogramBefore = this.#histogramNow;
    }
    this.reading = reading;
    this.#now = histogram?.count ?? value;
    // The view may change later, so keep a copy.
    if (histogram !== undefined) this.#histogramNow = { ...plain(histogram), counts: histogram.counts.slice() };
    const anew = gauge || this.#before > this.#now;
    const added = this.#now - (anew ? 0 : this.#before);
    this.hasChanges = gauge || added > 0;
    if (!this.hasChanges) return;
    if (this.#histogramNow === undefined) this.value = added;
    else this.histogram = subtract(this.#histogramNow, anew ? undefined : this.#histogramBefore);
  }
}

function subtract(now: HistogramView, before: HistogramView | undefined): HistogramView {
  if (before === undefined) return now;
  const counts = Float64Array.from(now.counts, (count, at) => {
    const then = before.counts[at + now.offset - before.offset] ?? 0;
    return Math.max(0, count - then);
  });
  // The extremes of an interval are unknown: use the bounds of its outermost buckets.
  let first = 0;
  while (first < counts.length && counts[first] === 0) first++;
  let last = counts.length - 1;
  while (last >= first && counts[last] === 0) last--;
  const zeroCount = Math.max(0, now.zeroCount - before.zeroCount);
  const empty = last < first;
  return {
    ...plain(now),
    counts,
    zeroCount,
    count: now.count - before.count,
    sumMs: Math.max(0, now.sumMs - before.sumMs),
    minMs: zeroCount > 0 || empty ? now.minMs : Math.max(now.minMs, lowerBound(now.offset + first)),
    maxMs: empty ? 0 : Math.min(now.maxMs, lowerBound(now.offset + last + 1)),
  };
}

/** Copies the view to a plain object: spreading would lose the getters of a class. */
function plain(view: HistogramView): HistogramView {
  const { scale, offset, counts, zeroCount, count, sumMs, minMs, maxMs } = view;
  return { scale, offset, counts, zeroCount, count, sumMs, minMs, maxMs };
}
