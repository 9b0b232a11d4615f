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

/** The part of prom-client's registry that is needed, and that its successor has too. */
export interface PrometheusRegistry {
  getSingleMetric(name: string): unknown;
  registerMetric(metric: never): void;
  removeSingleMetric(name: string): void;
}

/**
 * Puts every family of a source into a registry, to be read when that is scraped; families that come later are there from
 * the scrape after. Names that are registered already are left alone. Two applications of one process share
 * the metrics: what counts is added up, of a gauge with the same labels the later application's value is shown.
 * @returns what takes them out again.
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

/** One metric as prom-client's registries take it: its values are asked for when they are rendered. */
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

  /** @returns whether any source is left. */
  remove(source: FamilySource): boolean {
    this.#sources.delete(source);
    return this.#sources.size > 0;
  }

  get(): Promise<unknown> {
    const asked = [...this.#sources.values()].map(({ family, scrapes }) => ({ family, scrape: scrapes.begun() }));
    return this.#oneAtATime(() => this.#read(asked));
  }

  /** In slices: between them the event loop is free. */
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

  /** The figures are the cache's: a registry that is reset resets nothing here. */
  reset(): void {}
}

/** Samples of several families: what counts is added up, of a gauge the last is shown. */
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

/** One source's families as they were collected for one scrape, and the turns of the event loop that all of its metrics share. */
interface Scrape {
  readonly families: ReadonlyMap<string, readonly MetricFamily[]>;
  readonly slice: TimeSlice;
}

/** Collects a source once for all metrics of a scrape: a registry asks all of its metrics in the same turn of the event loop. */
class Scrapes {
  #begun: Promise<Scrape> | undefined;

  /** @param collected called with the families of every scrape. */
  constructor(
    private readonly source: FamilySource,
    private readonly collected: (families: readonly MetricFamily[]) => void,
  ) {}

  /** The scrape that the running code began, or a new one. */
  begun(): Promise<Scrape> {
    if (this.#begun === undefined) {
      this.#begun = this.#collect();
      // It is awaited later, when each metric's turn comes.
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

/** One sample of a family in the classic format: what a line of the exposition says, before it is text. */
interface PrometheusSample {
  /** The family's own name, or that with `_bucket`, `_sum`, `_count`; left out where it is the family's own. */
  readonly metricName?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Every sample of a family under its full name; histograms as cumulative buckets, in seconds. */
export function* samplesOf(family: MetricFamily, name: string): Iterable<PrometheusSample> {
  for (const point of family.points()) {
    const labels = Object.fromEntries(family.labelNames.map((label, index) => [label, point.labels[index] ?? '']));
    if (point.histogram === undefined) {
      yield { labels, value: point.value ?? 0 };
      continue;
    }
    // Read before the first sample: the reader may rest between two, and the histogram may change meanwhile.
    const { sumMs, count: all } = point.histogram;
    for (const { le, count } of classicBuckets(point.histogram)) {
      yield { metricName: `${name}_bucket`, labels: { ...labels, le }, value: count };
    }
    yield { metricName: `${name}_sum`, labels, value: sumMs / 1000 };
    yield { metricName: `${name}_count`, labels, value: all };
  }
}
