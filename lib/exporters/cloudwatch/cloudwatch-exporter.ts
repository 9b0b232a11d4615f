import { milliseconds, type Duration } from '../../cache/duration.js';
import { CacheError } from '../../cache/errors.js';
import type { MetricFamily, MetricPoint } from '../../metrics/family.js';
import { Portions } from '../../metrics/reading/portions.js';
import { Deltas } from '../deltas.js';
import { intervalSummary } from '../interval-summary.js';
import { dottedName } from '../metric-names.js';
import type { ExportSource, MetricsExporter, MetricsSnapshot } from '../metrics-exporter.js';
import { embeddedMetrics, MOST_DIMENSIONS, type EmfMetric, type EmfUnit } from './embedded-metrics.js';

export interface CloudWatchExporterOptions {
  /** @default the application's serviceName */
  readonly namespace?: string;
  /** Dimensions of every metric, such as `{ environment: 'production' }`. @default { service: serviceName } */
  readonly dimensions?: Readonly<Record<string, string>>;
  /** Labels told as properties, to be searched in the logs: each value of a dimension is billed as a metric.
   *  @default ['pattern', 'method', 'route', 'table'] */
  readonly properties?: readonly string[];
  /** How often what was added since is written. @default '60s', the resolution of CloudWatch's metrics */
  readonly interval?: Duration;
  /** Takes one event. @default a line of standard output, where Lambda, ECS and the CloudWatch agent read it */
  readonly write?: (event: string) => void;
}

/** More labels than any family has. */
const SPARE_DIMENSIONS = 5;

interface Group {
  readonly dimensions: Record<string, string>;
  readonly properties: Record<string, string>;
  readonly metrics: EmfMetric[];
}

/**
 * Writes figures in CloudWatch's embedded metric format. Counters are told as what was added; of durations the interval's
 * mean, median, 95th and 99th percentile and maximum, in milliseconds, and how many there were.
 */
export class CloudWatchExporter implements MetricsExporter {
  readonly name = 'cloudwatch';
  readonly intervalMs: number;
  readonly #options: CloudWatchExporterOptions;
  readonly #properties: ReadonlySet<string>;
  readonly #write: (event: string) => void;
  readonly #deltas = new Deltas();
  #service = 'nestjs-cache-observability';

  /** @throws CacheError `INVALID_OPTIONS` for more dimensions than CloudWatch takes. */
  constructor(options: CloudWatchExporterOptions = {}) {
    this.#options = options;
    this.intervalMs = milliseconds(options.interval ?? '60s', 'interval');
    this.#properties = new Set(options.properties ?? ['pattern', 'method', 'route', 'table']);
    this.#write = options.write ?? ((event) => void process.stdout.write(`${event}\n`));
    const dimensions = Object.keys(options.dimensions ?? {}).length;
    if (dimensions > MOST_DIMENSIONS - SPARE_DIMENSIONS) {
      throw new CacheError(
        'INVALID_OPTIONS',
        `dimensions: ${dimensions} are too many; CloudWatch takes ${MOST_DIMENSIONS}, of which labels need ${SPARE_DIMENSIONS}.`,
      );
    }
  }

  start(source: ExportSource): void {
    this.#service = source.serviceName;
    this.#deltas.startFrom(source);
  }

  /** A portion at a time: between them the event loop is free. */
  async export(snapshot: MetricsSnapshot): Promise<void> {
    const { families, commit } = await this.#deltas.collect(snapshot);
    const portions = new Portions();
    const groups = new Map<string, Group>();
    for (const { family, points } of families) {
      for (const point of points) {
        this.#add(groups, family, point);
        if (portions.over) await portions.rest();
      }
    }
    const namespace = this.#options.namespace ?? this.#service;
    for (const group of groups.values()) {
      for (const event of embeddedMetrics(namespace, snapshot.at, group)) this.#write(event);
      if (portions.over) await portions.rest();
    }
    commit();
  }

  stop(): void {}

  #add(groups: Map<string, Group>, family: MetricFamily, { labels, value, histogram }: MetricPoint): void {
    const { name, unit, implied } = dottedName(family);
    const named = family.labelNames.map((label, at) => [label, labels[at] ?? ''] as const);
    const group = this.#groupOf(groups, implied === undefined ? named : [...named, implied]);
    const add = (metric: string, of: EmfUnit, figure: number): void => {
      if (Number.isFinite(figure)) group.metrics.push({ name: metric, unit: of, value: figure });
    };
    if (histogram !== undefined) {
      add(`${name}.count`, 'Count', histogram.count);
      for (const [part, ms] of intervalSummary(histogram)) add(`${name}.${part}`, 'Milliseconds', ms);
    } else add(name, emfUnit(unit), value ?? 0);
  }

  #groupOf(groups: Map<string, Group>, labels: readonly (readonly [string, string])[]): Group {
    const key = JSON.stringify(labels);
    let group = groups.get(key);
    if (group === undefined) {
      group = {
        dimensions: { ...(this.#options.dimensions ?? { service: this.#service }) },
        properties: {},
        metrics: [],
      };
      for (const [label, value] of labels) {
        (this.#properties.has(label) ? group.properties : group.dimensions)[label] = value;
      }
      groups.set(key, group);
    }
    return group;
  }
}

function emfUnit(unit: string): EmfUnit {
  if (unit === 's') return 'Seconds';
  if (unit === 'By') return 'Bytes';
  return unit === '1' ? 'None' : 'Count';
}
