/**
 * The neutral form in which every figure leaves the library: cumulative since start, as Prometheus and OpenTelemetry want
 * it. Exporters render families and compute nothing. Names are without `metrics.prefix`; seconds and bytes are base units.
 */
export interface MetricFamily {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly unit?: 'seconds' | 'bytes' | 'ratio';
  readonly labelNames: readonly string[];
  /** As they are when they are walked; sums over all subjects as they were when the first of their families was, or collected. */
  points(): Iterable<MetricPoint>;
}

export interface MetricPoint {
  /** In the order of `labelNames`. */
  readonly labels: readonly string[];
  /** Counters and gauges. */
  readonly value?: number;
  readonly histogram?: HistogramView;
}

/**
 * A base-2 exponential histogram, 16 buckets an octave: OpenTelemetry's exponential histogram of scale 4, Prometheus'
 * native schema 4. Bucket `i` counts values in (2^(i/16), 2^((i+1)/16)] **seconds**;
 * sum, minimum and maximum are milliseconds.
 */
export interface HistogramView {
  readonly scale: 4;
  /** Index of the first bucket in `counts`. */
  readonly offset: number;
  readonly counts: Readonly<Uint32Array | Float64Array>;
  /** Values of zero or below the first bucket. */
  readonly zeroCount: number;
  readonly count: number;
  readonly sumMs: number;
  readonly minMs: number;
  readonly maxMs: number;
}

/** Whoever has figures to export: the metrics, warming, observed databases. */
export interface FamilySource {
  families(): Iterable<MetricFamily>;
  /** As {@link families}, with what is long to read already read, in portions between which the event loop is free. */
  collectFamilies?(): Promise<Iterable<MetricFamily>>;
  /** Brings up to date what must be asked for elsewhere; awaited before a scrape. Never rejects, and ends by a deadline. */
  refresh?(): Promise<void>;
}

/** The families of a source, in portions where it has that form. */
export async function collectedFamilies(source: FamilySource): Promise<Iterable<MetricFamily>> {
  return source.collectFamilies === undefined ? source.families() : source.collectFamilies();
}
