import pLimit from 'p-limit';
import type { Attributes, HrTime, ValueType } from '@opentelemetry/api';
import type {
  AggregationTemporality,
  CollectionResult,
  DataPoint,
  DataPointType,
  ExponentialHistogram,
  MetricData,
  MetricProducer,
} from '@opentelemetry/sdk-metrics';
import { systemClock, type Clock } from '../../cache/base/clock.js';
import {
  collectedFamilies,
  type FamilySource,
  type HistogramView,
  type MetricFamily,
  type MetricPoint,
} from '../../metrics/family.js';
import { forEachInSlices, TimeSlice } from '../../cache/base/slices.js';
import { KeptBySeries } from '../kept-by-series.js';
import { dottedName, type DottedName } from '../metric-names.js';
import type { MetricsExporter } from '../metrics-exporter.js';
import { attributesOf } from './attributes.js';

/** Values of the SDK's enumerations. They are repeated here because this file does not load the SDK; the application's reader does. */
const CUMULATIVE = 1 as AggregationTemporality.CUMULATIVE;
const EXPONENTIAL_HISTOGRAM = 1 as DataPointType.EXPONENTIAL_HISTOGRAM;
const GAUGE = 2 as DataPointType.GAUGE;
const SUM = 3 as DataPointType.SUM;
const DOUBLE = 1 as ValueType.DOUBLE;

const SCOPE = { name: 'nestjs-cache-observability' };

export interface CacheMetricProducerOptions {
  /** The source of the figures, such as `cache.metrics`. Needed only if no module starts the producer. */
  readonly source?: FamilySource;
  readonly clock?: Clock;
}

/**
 * Gives all figures, cumulative, to a metric reader of OpenTelemetry. Histograms stay exponential, with scale 4, in seconds. Pass the
 * producer to the reader and to the module, which starts it:
 *
 * ```ts
 * const producer = new CacheMetricProducer();
 * const reader = new PeriodicExportingMetricReader({ exporter, metricProducers: [producer] });
 * CacheObservabilityModule.forRoot({ exporters: [producer] });
 * ```
 */
export class CacheMetricProducer implements MetricProducer, MetricsExporter {
  readonly name = 'opentelemetry';
  /** No interval, because the reader calls {@link collect}. */
  readonly intervalMs = 0;
  readonly #clock: Clock;
  #source: FamilySource | undefined;
  #startedAt: number;
  #collectedAt: number;
  #counted = 0;
  /** Runs one collection at a time: in overlapping collections, figures could seem to fall. */
  readonly #oneAtATime = pLimit(1);
  /** The attributes of every series, by the name of its family. */
  readonly #attributes = new Map<string, KeptBySeries<Attributes>>();

  constructor(options: CacheMetricProducerOptions = {}) {
    this.#clock = options.clock ?? systemClock;
    this.#source = options.source;
    this.#startedAt = this.#collectedAt = this.#clock.now();
  }

  start(source: FamilySource): void {
    this.#source = source;
  }

  export(): void {}

  stop(): void {
    this.#source = undefined;
  }

  /** Runs in slices, so that the event loop stays free. */
  async collect(): Promise<CollectionResult> {
    const errors: unknown[] = [];
    const metrics: MetricData[] = [];
    try {
      metrics.push(...(await this.#oneAtATime(() => this.#collect())));
    } catch (error) {
      errors.push(error);
    }
    const resource = { attributes: {}, merge: (other: unknown) => other, getRawAttributes: () => [] };
    return {
      resourceMetrics: {
        resource,
        scopeMetrics: [{ scope: SCOPE, metrics }],
      } as unknown as CollectionResult['resourceMetrics'],
      errors,
    };
  }

  async #collect(): Promise<Iterable<MetricData>> {
    const now = this.#clock.now();
    const slice = new TimeSlice();
    // All points share this object. Its value is set after all points have been read.
    const startTime: HrTime = [0, 0];
    const endTime = hrTime(now);
    const byName = new Map<string, MetricData>();
    let counted = 0;
    for (const family of this.#source === undefined ? [] : await collectedFamilies(this.#source)) {
      const dotted = dottedName(family);
      const known = byName.get(dotted.name);
      const data = known ?? dataOf(family, dotted);
      if (known === undefined) byName.set(dotted.name, data);
      const dataPoints = data.dataPoints as DataPoint<unknown>[];
      const attributes = this.#attributesOf(family, dotted);
      let place = 0;
      const add = ({ labels, value, histogram }: MetricPoint): void => {
        if (family.type !== 'gauge') counted += value ?? histogram?.count ?? 0;
        const shown = family.type === 'histogram' ? exponential(histogram) : (value ?? 0);
        dataPoints.push({ startTime, endTime, attributes: attributes.at(place++, labels), value: shown });
      };
      await forEachInSlices(family.points(), add, slice);
      attributes.cutTo(place);
    }
    this.#noticeReset(counted);
    this.#collectedAt = now;
    [startTime[0], startTime[1]] = hrTime(this.#startedAt);
    return byName.values();
  }

  #attributesOf(family: MetricFamily, dotted: DottedName): KeptBySeries<Attributes> {
    const known = this.#attributes.get(family.name);
    if (known !== undefined) return known;
    const made = new KeptBySeries<Attributes>((labels) => Object.freeze(attributesOf(family, dotted, labels)));
    this.#attributes.set(family.name, made);
    return made;
  }

  /** Detects a reset: if cumulative figures fell, they count from the time of the last collection. */
  #noticeReset(counted: number): void {
    if (counted < this.#counted) this.#startedAt = this.#collectedAt;
    this.#counted = counted;
  }
}

/** Creates a metric without points. */
function dataOf(family: MetricFamily, dotted: DottedName): MetricData {
  const descriptor = { name: dotted.name, description: family.help, unit: dotted.unit, valueType: DOUBLE };
  const base = { descriptor, aggregationTemporality: CUMULATIVE, dataPoints: [] };
  if (family.type === 'histogram') return { ...base, dataPointType: EXPONENTIAL_HISTOGRAM };
  if (family.type === 'counter') return { ...base, dataPointType: SUM, isMonotonic: true };
  if (dotted.additive) return { ...base, dataPointType: SUM, isMonotonic: false };
  return { ...base, dataPointType: GAUGE };
}

/** Copies the buckets without the empty ones at both ends. Converts the sum and the extremes to seconds. */
function exponential(histogram: HistogramView | undefined): ExponentialHistogram {
  const negative = { offset: 0, bucketCounts: [] };
  if (histogram === undefined || histogram.count === 0) {
    return { count: 0, sum: 0, scale: 4, zeroCount: 0, positive: { offset: 0, bucketCounts: [] }, negative };
  }
  const { counts, offset } = histogram;
  let first = 0;
  let end = counts.length;
  while (first < end && counts[first] === 0) first++;
  while (end > first && counts[end - 1] === 0) end--;
  return {
    count: histogram.count,
    sum: histogram.sumMs / 1000,
    scale: histogram.scale,
    zeroCount: histogram.zeroCount,
    positive: { offset: first === end ? 0 : offset + first, bucketCounts: Array.from(counts.subarray(first, end)) },
    negative,
    min: histogram.minMs / 1000,
    max: histogram.maxMs / 1000,
  };
}

function hrTime(ms: number): HrTime {
  const seconds = Math.floor(ms / 1000);
  return [seconds, Math.floor((ms - seconds * 1000) * 1e6)];
}
