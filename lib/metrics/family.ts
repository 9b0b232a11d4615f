import type { HistogramView } from './windows/histogram.js';

export type { HistogramView };

/**
 * The format of exported figures, for all exporters. Counters and histograms are cumulative since the start, as Prometheus and
 * OpenTelemetry require. Exporters write times in seconds and sizes in bytes, add `metrics.prefix` to names, and compute nothing else.
 */
export interface MetricFamily {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly unit?: 'seconds' | 'bytes' | 'ratio';
  /** How the values of several processes are merged. @default the result of {@link aggregationOf} */
  readonly aggregation?: Aggregation;
  readonly labelNames: readonly string[];
  /**
   * Reads each point when it is iterated. The totals over all patterns are read once, when the first family needs them, and later families
   * show the same totals.
   */
  points(): Iterable<MetricPoint>;
}

/** Ways to merge values. The names are those of prom-client's aggregators. */
export type Aggregation = 'sum' | 'average' | 'min' | 'max';

/**
 * Returns how the values of several processes are merged. Ratios are averaged and other values are added, unless the family says otherwise.
 */
export function aggregationOf({ aggregation, unit }: Pick<MetricFamily, 'aggregation' | 'unit'>): Aggregation {
  return aggregation ?? (unit === 'ratio' ? 'average' : 'sum');
}

export interface MetricPoint {
  /** The label values, in the order of `labelNames`. */
  readonly labels: readonly string[];
  /** Set for counters and gauges. */
  readonly value?: number;
  readonly histogram?: HistogramView;
}

/** A source of figures to export: the metrics, warming, observed databases. */
export interface FamilySource {
  families(): Iterable<MetricFamily>;
  /** Returns the same as {@link families}, after it has read slow figures in slices, so that the event loop stays free. */
  collectFamilies?(): Promise<Iterable<MetricFamily>>;
  /** Updates the figures of another system, such as a server. Await it before a scrape. It never rejects and has a time limit. */
  refresh?(): Promise<void>;
}

/** Returns the families of a source, read in slices if the source supports it. */
export async function collectedFamilies(source: FamilySource): Promise<Iterable<MetricFamily>> {
  return source.collectFamilies === undefined ? source.families() : source.collectFamilies();
}

/** Reads the points of a family. */
type Points = () => Iterable<MetricPoint>;

/** Creates a family of counters. */
export function counter(
  name: string,
  help: string,
  labelNames: string[],
  points: Points,
  unit?: 'seconds',
): MetricFamily {
  return { name, help, type: 'counter', labelNames, points, ...(unit === undefined ? {} : { unit }) };
}

/** Creates a family of gauges. */
export function gauge(
  name: string,
  help: string,
  labelNames: string[],
  points: Points,
  more: Pick<MetricFamily, 'aggregation' | 'unit'> = {},
): MetricFamily {
  return { name, help, type: 'gauge', labelNames, points, ...more };
}

/** Creates a family of histograms of durations, in seconds. */
export function duration(name: string, help: string, labelNames: string[], points: Points): MetricFamily {
  return { name, help, type: 'histogram', labelNames, points, unit: 'seconds' };
}
