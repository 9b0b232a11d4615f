import pLimit, { type LimitFunction } from 'p-limit';
import {
  type Aggregation,
  aggregationOf,
  collectedFamilies,
  type FamilySource,
  type MetricFamily,
} from '../../metrics/family.js';
import { forEachInSlices, collectInSlices, TimeSlice } from '../../cache/base/slices.js';
import { classicBuckets } from './classic-buckets.js';

/** The part of prom-client's registry that is used. The registry of its successor has it, too. */
export interface PrometheusRegistry {
  getSingleMetric(name: string): unknown;
  registerMetric(metric: never): void;
  removeSingleMetric(name: string): void;
}

/**
 * Registers every family of a source. Its values are read when the registry is scraped. A family that is added later appears with the next
 * scrape. A name that the application has registered itself is skipped. If two applications of one process share the registry, counters
 * are added up; of gauges with the same labels, the value of the later application is shown.
 * @returns a function that unregisters the families.
 */
export function registerFamilies(registry: PrometheusRegistry, source: FamilySource, prefix = ''): () => void {
  const registered = new Map<string, PulledMetric>();
  const oneAtATime = pLimit(1);
  let withdrawn = false;
  const register = (families: Iterable<MetricFamily>): void => {
    for (const family of families) {
      const name = prefix + family.name;
      if (registered.has(name)) continue;
      const known = registry.getSingleMetric(name);
      const metric = known instanceof PulledMetric ? known : new PulledMetric(name, family, oneAtATime);
      if (known !== undefined && known !== metric) continue;
      registry.registerMetric(metric as never);
      metric.add(source, family.name, scrapes);
      registered.set(name, metric);
    }
  };
  const scrapes = new Scrapes(source, (families) => {
    if (!withdrawn) register(families);
  });
  register(source.families());
  return () => {
    withdrawn = true;
    for (const [name, metric] of registered) {
      if (!metric.remove(source) && registry.getSingleMetric(name) === metric) registry.removeSingleMetric(name);
    }
    registered.clear();
  };
}

/** One metric in the form that prom-client's registries accept. Its values are read when it is rendered. */
class PulledMetric {
  readonly name: string;
  readonly help: string;
  readonly type: MetricFamily['type'];
  readonly aggregator: Aggregation;
  readonly #name: string;
  readonly #sources = new Map<FamilySource, { readonly family: string; readonly scrapes: Scrapes }>();
  readonly #oneAtATime: LimitFunction;

  constructor(name: string, family: MetricFamily, oneAtATime: LimitFunction) {
    this.#oneAtATime = oneAtATime;
    this.name = name;
    this.#name = name;
    this.help = family.help;
    this.type = family.type;
    this.aggregator = aggregationOf(family);
  }

  add(source: FamilySource, family: string, scrapes: Scrapes): void {
    this.#sources.set(source, { family, scrapes });
  }

  /** Removes a source. @returns true if another source is left. */
  remove(source: FamilySource): boolean {
    this.#sources.delete(source);
    return this.#sources.size > 0;
  }

  get(): Promise<unknown> {
    const asked = [...this.#sources.values()].map(({ family, scrapes }) => ({ family, scrape: scrapes.begun() }));
    return this.#oneAtATime(() => this.#read(asked));
  }

  /** Runs in slices, so that the event loop stays free. */
  async #read(asked: readonly { readonly family: string; readonly scrape: Promise<Scrape> }[]): Promise<unknown> {
    let values: readonly PrometheusSample[] = [];
    for (const { family: name, scrape } of asked) {
      const { families, slice } = await scrape;
      for (const family of families.get(name) ?? []) {
        const samples = await collectInSlices(samplesOf(family, this.#name), slice);
        values = values.length === 0 ? samples : await together([...values, ...samples], family.type, slice);
      }
    }
    const { help, type, aggregator } = this;
    return { name: this.name, help, type, aggregator, values };
  }

  /** Does nothing: a reset of the registry must not reset the figures of the cache. */
  reset(): void {}
}

/** Merges the samples of several sources: counters are added up, and of gauges the last one is used. */
async function together(
  all: readonly PrometheusSample[],
  type: MetricFamily['type'],
  slice: TimeSlice,
): Promise<readonly PrometheusSample[]> {
  const bySeries = new Map<string, PrometheusSample>();
  const add = (sample: PrometheusSample): void => {
    const series = `${sample.metricName} ${JSON.stringify(sample.labels)}`;
    const before = type === 'gauge' ? 0 : (bySeries.get(series)?.value ?? 0);
    bySeries.set(series, { ...sample, value: sample.value + before });
  };
  await forEachInSlices(all, add, slice);
  return [...bySeries.values()];
}

/** The families of one source, collected for one scrape, and the time slice that all its metrics share. */
interface Scrape {
  readonly families: ReadonlyMap<string, readonly MetricFamily[]>;
  readonly slice: TimeSlice;
}

/** Collects a source once for all metrics of a scrape: a registry reads all its metrics in the same turn of the event loop. */
class Scrapes {
  #begun: Promise<Scrape> | undefined;

  /** @param collected called with the families of each scrape. */
  constructor(
    private readonly source: FamilySource,
    private readonly collected: (families: readonly MetricFamily[]) => void,
  ) {}

  /** Returns the scrape that began in this turn of the event loop, or a new scrape. */
  begun(): Promise<Scrape> {
    if (this.#begun === undefined) {
      this.#begun = this.#collect();
      // Each metric awaits it later. Until then, a rejection must not count as unhandled.
      this.#begun.catch(() => undefined);
      queueMicrotask(() => (this.#begun = undefined));
    }
    return this.#begun;
  }

  async #collect(): Promise<Scrape> {
    await this.source.refresh?.();
    const all = [...(await collectedFamilies(this.source))];
    this.collected(all);
    const families = new Map<string, MetricFamily[]>();
    for (const family of all) families.set(family.name, [...(families.get(family.name) ?? []), family]);
    return { families, slice: new TimeSlice() };
  }
}

/** One sample of a family in the classic format, before it is rendered. */
interface PrometheusSample {
  /** The name of the sample, such as the family's name with `_bucket`; left out if it is the family's name. */
  readonly metricName?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Yields every sample of a family under its full name; histograms as cumulative buckets, in seconds. */
export function* samplesOf(family: MetricFamily, name: string): Iterable<PrometheusSample> {
  for (const point of family.points()) {
    const labels = Object.fromEntries(family.labelNames.map((label, index) => [label, point.labels[index] ?? '']));
    if (point.histogram === undefined) {
      yield { labels, value: point.value ?? 0 };
      continue;
    }
    // Read both before the first sample: the histogram may change if the reader pauses between samples.
    const { sumMs, count: all } = point.histogram;
    for (const { le, count } of classicBuckets(point.histogram)) {
      yield { metricName: `${name}_bucket`, labels: { ...labels, le }, value: count };
    }
    yield { metricName: `${name}_sum`, labels, value: sumMs / 1000 };
    yield { metricName: `${name}_count`, labels, value: all };
  }
}
