import { milliseconds, type Duration } from '../../cache/base/duration.js';
import type { MetricFamily, MetricPoint } from '../../metrics/family.js';
import { timesOf } from '../../metrics/windows/histogram.js';
import { forEachInSlices, TimeSlice } from '../../cache/base/slices.js';
import { Deltas } from '../deltas.js';
import { dottedName, type DottedName } from '../metric-names.js';
import { EXPORT_EVERY } from '../export-schedule.js';
import type { ExportSource, MetricsExporter, MetricsSnapshot } from '../metrics-exporter.js';
import { optionalPackage } from '../../cache/optional-package.js';

/** The methods of a hot-shots client that the exporter calls. */
export interface StatsdClient {
  increment(name: string, value: number, tags?: Record<string, string>): void;
  gauge(name: string, value: number, tags?: Record<string, string>): void;
  close?(callback: (error?: Error) => void): void;
}

export interface StatsdExporterOptions {
  /** `'dogstatsd'` sends labels as tags. `'statsd'` puts them into the name: `cache.operations.get.hit`. @default 'dogstatsd' */
  readonly dialect?: 'dogstatsd' | 'statsd';
  /** The host of the server. @default '127.0.0.1' */
  readonly host?: string;
  /** @default 8125 */
  readonly port?: number;
  /** Prepended to every name, with a dot. @default none */
  readonly prefix?: string;
  /** Sent with every metric; DogStatsD only. @default none */
  readonly tags?: Readonly<Record<string, string>>;
  /** The interval between exports. Each export sends what was added since the last one. @default '10s' */
  readonly interval?: Duration;
  /** A hot-shots client of the application. The exporter does not close it. @default the exporter creates a client */
  readonly client?: StatsdClient;
}

/** This many bytes fit into one UDP packet on any network. */
const PACKET_BYTES = 1_432;
const LONGEST_CLOSE = 1_000;

/**
 * Sends figures to StatsD or DogStatsD (Datadog's agent, Telegraf) at an interval, never per operation. Counters are sent as the increase
 * since the last export, gauges as they are. For durations, gauges hold the interval's mean, median, 95th and 99th percentile and maximum,
 * in milliseconds (`cache.operation.duration.p95`), and a counter holds their number (`….count`).
 */
export class StatsdExporter implements MetricsExporter {
  readonly name: string;
  readonly intervalMs: number;
  readonly #options: StatsdExporterOptions;
  readonly #deltas = new Deltas();
  readonly #prefix: string;
  #client: StatsdClient | undefined;
  #failure: Error | undefined;

  constructor(options: StatsdExporterOptions = {}) {
    this.#options = options;
    this.name = options.dialect ?? 'dogstatsd';
    this.intervalMs = options.interval === undefined ? EXPORT_EVERY : milliseconds(options.interval, 'interval');
    this.#prefix = options.prefix === undefined || options.prefix === '' ? '' : `${options.prefix.replace(/\.$/, '')}.`;
    this.#client = options.client;
  }

  /** @throws CacheError `MISSING_PACKAGE` if hot-shots is not installed. */
  async start(source: ExportSource): Promise<void> {
    this.#deltas.startFrom(source);
    if (this.#client !== undefined) return;
    const { StatsD } = await optionalPackage('hot-shots', 'The StatsD exporter', () => import('hot-shots'));
    const { host = '127.0.0.1', port = 8125, tags } = this.#options;
    const client = new StatsD({
      host,
      port,
      maxBufferSize: PACKET_BYTES,
      bufferFlushInterval: 500,
      errorHandler: (error) => (this.#failure = error),
      ...(tags === undefined || this.name === 'statsd' ? {} : { globalTags: { ...tags } }),
    });
    this.#client = client;
  }

  /** Runs in slices, so that the event loop stays free. @throws the client's last error since the last export, if it could not send. */
  async export(snapshot: MetricsSnapshot): Promise<void> {
    const client = this.#client;
    if (client === undefined) return;
    const { families, commit } = await this.#deltas.collect(snapshot);
    const slice = new TimeSlice();
    for (const { family, points } of families) {
      const dotted = dottedName(family);
      await forEachInSlices(points, (point) => this.#send(client, family, dotted, point), slice);
    }
    commit();
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure !== undefined) throw failure;
  }

  async stop(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    if (client === undefined || client === this.#options.client) return;
    // If the client cannot reach its server, it may never report that it is closed.
    await new Promise<void>((resolve) => {
      const limit = setTimeout(resolve, LONGEST_CLOSE);
      limit.unref();
      client.close?.(() => {
        clearTimeout(limit);
        resolve();
      });
    });
  }

  #send(
    client: StatsdClient,
    family: MetricFamily,
    dotted: DottedName,
    { labels, value, histogram }: MetricPoint,
  ): void {
    const tags: Record<string, string> = {};
    family.labelNames.forEach((label, at) => (tags[label] = tagValue(labels[at] ?? '')));
    if (dotted.implied !== undefined) tags[dotted.implied[0]] = dotted.implied[1];
    const send = (kind: 'increment' | 'gauge', part: string, figure: number): void => {
      if (!Number.isFinite(figure)) return;
      const name = `${this.#prefix}${dotted.name}`;
      if (this.name === 'statsd') client[kind](`${name}${segments(tags)}${part}`, figure);
      else client[kind](`${name}${part}`, figure, tags);
    };
    if (histogram !== undefined) {
      send('increment', '.count', histogram.count);
      for (const [part, ms] of Object.entries(timesOf([histogram]))) send('gauge', `.${part}`, ms);
    } else send(family.type === 'counter' ? 'increment' : 'gauge', '', value ?? 0);
  }
}

/** Replaces characters that would end a tag or a line with `_`. */
function tagValue(value: string): string {
  return value.replace(/[|,#@\s]+/g, '_') || 'none';
}

/** Returns labels as parts of a name. Characters with a meaning in StatsD or Graphite become `_`. */
function segments(tags: Readonly<Record<string, string>>): string {
  return Object.values(tags)
    .map((value) => `.${value.replace(/[^\w-]+/g, '_') || 'none'}`)
    .join('');
}
