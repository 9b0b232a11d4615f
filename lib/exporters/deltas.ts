import { lowerBound } from '../metrics/windows/buckets.js';
import type { HistogramView, MetricFamily, MetricPoint } from '../metrics/family.js';
import { takenAtOnce, takenInPortions } from '../metrics/reading/portions.js';
import type { ExportSource, MetricsSnapshot } from './metrics-exporter.js';

/** What a series stood at when it was last exported. */
interface Standing {
  readonly value: number;
  readonly histogram?: HistogramView;
}

/** What happened between two exports. */
export interface Delta {
  /** Counters and histograms hold what was added, gauges what is. Series to which nothing was added are left out. */
  readonly families: readonly { readonly family: MetricFamily; readonly points: readonly MetricPoint[] }[];
  /** Says that it was exported: the next delta begins here. Without it, the next one holds this one too. */
  commit(): void;
}

/** Turns cumulative figures into what was added since the last export; a series that went back began anew. */
export class Deltas {
  #last: ReadonlyMap<string, Standing> = new Map();

  /** What stands there at the start is the first delta, unless an earlier run has exported it. */
  startFrom({ restored, families }: Pick<ExportSource, 'restored' | 'families'>): void {
    if (restored === true) this.of({ families: [...families()] }).commit();
  }

  of(snapshot: Pick<MetricsSnapshot, 'families'>): Delta {
    return takenAtOnce(this.#steps(snapshot));
  }

  /** As {@link of}, a portion at a time: between them the event loop is free. */
  collect(snapshot: Pick<MetricsSnapshot, 'families'>): Promise<Delta> {
    return takenInPortions(this.#steps(snapshot));
  }

  *#steps(snapshot: Pick<MetricsSnapshot, 'families'>): Generator<void, Delta> {
    const next = new Map<string, Standing>();
    const families: { family: MetricFamily; points: MetricPoint[] }[] = [];
    for (const family of snapshot.families) {
      const points: MetricPoint[] = [];
      families.push({ family, points });
      for (const point of family.points()) {
        yield;
        if (family.type === 'gauge') {
          points.push(point);
          continue;
        }
        const key = `${family.name}\0${point.labels.join('\0')}`;
        const standing = standingOf(point);
        next.set(key, standing);
        const added = difference(point.labels, standing, this.#last.get(key));
        if (added !== undefined) points.push(added);
      }
    }
    return {
      families,
      commit: () => {
        this.#last = next;
      },
    };
  }
}

function standingOf({ value = 0, histogram }: MetricPoint): Standing {
  if (histogram === undefined) return { value };
  // A view may be counted in further: what is kept is a copy.
  return { value: histogram.count, histogram: { ...plain(histogram), counts: histogram.counts.slice() } };
}

function difference(labels: readonly string[], now: Standing, before: Standing | undefined): MetricPoint | undefined {
  const since = before !== undefined && before.value <= now.value ? before : undefined;
  const value = now.value - (since?.value ?? 0);
  if (!(value > 0)) return undefined;
  if (now.histogram === undefined) return { labels, value };
  return { labels, histogram: subtract(now.histogram, since?.histogram) };
}

function subtract(now: HistogramView, before: HistogramView | undefined): HistogramView {
  if (before === undefined) return now;
  const counts = Float64Array.from(now.counts, (count, at) => {
    const then = before.counts[at + now.offset - before.offset] ?? 0;
    return Math.max(0, count - then);
  });
  // Nobody keeps the extremes of an interval: the bounds of its outermost buckets stand for them.
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
    minMs: zeroCount > 0 || empty ? Math.max(0, now.minMs) : Math.max(now.minMs, lowerBound(now.offset + first)),
    maxMs: empty ? 0 : Math.min(now.maxMs, lowerBound(now.offset + last + 1)),
  };
}

/** The view as a plain object: one may be a class with getters, which spreading would lose. */
function plain(view: HistogramView): HistogramView {
  const { scale, offset, counts, zeroCount, count, sumMs, minMs, maxMs } = view;
  return { scale, offset, counts, zeroCount, count, sumMs, minMs, maxMs };
}
