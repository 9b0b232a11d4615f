import { milliseconds, type Duration } from '../../cache/base/duration.js';
import { CacheError } from '../../cache/base/errors.js';
import type { MetricFamily, MetricPoint } from '../../metrics/family.js';
import { timesOf } from '../../metrics/windows/histogram.js';
import { forEachInSlices, TimeSlice } from '../../cache/base/slices.js';
import { type Delta, Deltas } from '../deltas.js';
import { dottedName, type DottedName } from '../metric-names.js';
import type { ExportSource, MetricsExporter, MetricsSnapshot } from '../metrics-exporter.js';
import { embeddedMetrics, MOST_DIMENSIONS, type EmfMetric, type EmfUnit } from './embedded-metrics.js';

export interface CloudWatchExporterOptions {
  /** @default the application's serviceName */
  readonly namespace?: string;
  /** Dimensions of every metric, such as `{ environment: 'production' }`. @default { service: serviceName } */
  readonly dimensions?: Readonly<Record<string, string>>;
  /**
   * Labels that are written as properties, which can be searched in the logs, instead of dimensions: CloudWatch bills each value of a
   * dimension as a metric. @default ['pattern', 'method', 'route', 'table']
   */
  readonly properties?: readonly string[];
  /** The interval between exports. Each export writes what was added since the last one. @default '60s', the resolution of CloudWatch */
  readonly interval?: Duration;
  /** Called with each event. @default writes a line to standard output, which Lambda, ECS and the CloudWatch agent read */
  readonly write?: (event: string) => void;
}

/** The number of dimensions that is reserved for labels. No family has more labels. */
const SPARE_DIMENSIONS = 5;

type Labels = readonly (readonly [name: string, value: string])[];

interface NamedFamily {
  readonly family: MetricFamily;
  readonly dotted: DottedName;
  readonly points: readonly MetricPoint[];
}

interface Group {
  readonly dimensions: Record<string, string>;
  readonly properties: Record<string, string>;
  readonly metrics: EmfMetric[];
}

/**
 * Writes figures in CloudWatch's embedded metric format. Counters are written as the increase since the last export. Durations are written
 * as the interval's mean, median, 95th and 99th percentile and maximum, in milliseconds, and as their number.
 */
export class CloudWatchExporter implements MetricsExporter {
  readonly name = 'cloudwatch';
  readonly intervalMs: number;
  readonly #options: CloudWatchExporterOptions;
  readonly #properties: ReadonlySet<string>;
  readonly #write: (event: string) => void;
  readonly #deltas = new Deltas();
  #service = 'nestjs-cache-observability';

  /** @throws CacheError `INVALID_OPTIONS` if there are more dimensions than CloudWatch accepts. */
  constructor(options: CloudWatchExporterOptions = {}) {
    this.#options = options;
    this.intervalMs = milliseconds(options.interval ?? '60s', 'interval');
    this.#properties = new Set(options.properties ?? ['pattern', 'method', 'route', 'table']);
    this.#write = options.write ?? ((event) => void process.stdout.write(`${event}\n`));
    const dimensions = Object.keys(options.dimensions ?? {}).length;
    if (dimensions > MOST_DIMENSIONS - SPARE_DIMENSIONS) {
      throw new CacheError(
        'INVALID_OPTIONS',
        `dimensions: ${dimensions} are too many. CloudWatch accepts ${MOST_DIMENSIONS}, of which labels need ${SPARE_DIMENSIONS}.`,
      );
    }
  }

  start(source: ExportSource): void {
    this.#service = source.serviceName;
    this.#deltas.startFrom(source);
  }

  /** Runs in slices, so that the event loop stays free. */
  async export(snapshot: MetricsSnapshot): Promise<void> {
    const { families, commit } = await this.#deltas.collect(snapshot);
    const slice = new TimeSlice();
    const namespace = this.#options.namespace ?? this.#service;
    const write = (group: Group): void => {
      for (const event of embeddedMetrics(namespace, snapshot.at, group)) this.#write(event);
    };
    for (const alike of byLabelNames(families)) {
      const groups = new Map<string, Group>();
      // If no other family has the same labels, each point is a group of its own and is written at once.
      const alone = alike.length === 1;
      for (const { family, dotted, points } of alike) {
        const add = (point: MetricPoint): void => {
          const labels = labelsOf(family, dotted, point);
          const group = alone ? this.#group(labels) : this.#groupOf(groups, labels);
          addMetrics(group, dotted, point);
          if (alone) write(group);
        };
        await forEachInSlices(points, add, slice);
      }
      await forEachInSlices(groups.values(), write, slice);
    }
    commit();
  }

  stop(): void {}

  #groupOf(groups: Map<string, Group>, labels: Labels): Group {
    const key = JSON.stringify(labels);
    const known = groups.get(key);
    if (known !== undefined) return known;
    const group = this.#group(labels);
    groups.set(key, group);
    return group;
  }

  #group(labels: Labels): Group {
    const dimensions = { ...(this.#options.dimensions ?? { service: this.#service }) };
    const properties: Record<string, string> = {};
    for (const [label, value] of labels) (this.#properties.has(label) ? properties : dimensions)[label] = value;
    return { dimensions, properties, metrics: [] };
  }
}

/** Groups families with the same labels, because their metrics can share an event. */
function byLabelNames(families: Delta['families']): Iterable<readonly NamedFamily[]> {
  const together = new Map<string, NamedFamily[]>();
  for (const { family, points } of families) {
    const dotted = dottedName(family);
    const key = JSON.stringify([...family.labelNames, dotted.implied?.[0]]);
    const alike = together.get(key) ?? [];
    together.set(key, [...alike, { family, dotted, points }]);
  }
  return together.values();
}

function labelsOf({ labelNames }: MetricFamily, { implied }: DottedName, { labels }: MetricPoint): Labels {
  const named = labelNames.map((label, at) => [label, labels[at] ?? ''] as const);
  return implied === undefined ? named : [...named, implied];
}

function addMetrics({ metrics }: Group, { name, unit }: DottedName, { value, histogram }: MetricPoint): void {
  const add = (metric: string, of: EmfUnit, figure: number): void => {
    if (Number.isFinite(figure)) metrics.push({ name: metric, unit: of, value: figure });
  };
  if (histogram !== undefined) {
    add(`${name}.count`, 'Count', histogram.count);
    for (const [part, ms] of Object.entries(timesOf([histogram]))) add(`${name}.${part}`, 'Milliseconds', ms);
  } else add(name, emfUnit(unit), value ?? 0);
}

function emfUnit(unit: string): EmfUnit {
  if (unit === 's') return 'Seconds';
  if (unit === 'By') return 'Bytes';
  return unit === '1' ? 'None' : 'Count';
}
