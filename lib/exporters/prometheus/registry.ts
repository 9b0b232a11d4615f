import pLimit, { type LimitFunction } from 'p-limit';
import type { FamilySource, MetricFamily } from '../../metrics/family.js';
import { eachInPortions, inPortions, type Portions } from '../../metrics/reading/portions.js';
import { type PrometheusSample, samplesOf } from './samples.js';
import { type Scrape, Scrapes } from './scrape.js';

/** The part of prom-client's registry that is needed, and that its successor has too. */
export interface PrometheusRegistry {
  getSingleMetric(name: string): unknown;
  registerMetric(metric: never): void;
  removeSingleMetric(name: string): void;
}

/**
 * Puts every family of a source into a registry, to be read when that is scraped; families that come later are there from
 * the scrape after. Names that somebody else has registered are left to them. Two applications of one process share
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
  readonly aggregator = 'sum';
  readonly #name: string;
  readonly #sources = new Map<FamilySource, { readonly family: string; readonly scrapes: Scrapes }>();
  readonly #oneAtATime: LimitFunction;

  constructor(name: string, family: MetricFamily, oneAtATime: LimitFunction) {
    this.#oneAtATime = oneAtATime;
    this.name = name;
    this.#name = name;
    this.help = family.help;
    this.type = family.type;
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

  /** A portion at a time: between them the event loop is free. */
  async #read(asked: readonly { readonly family: string; readonly scrape: Promise<Scrape> }[]): Promise<unknown> {
    let values: readonly PrometheusSample[] = [];
    for (const { family: name, scrape } of asked) {
      const { families, portions } = await scrape;
      for (const family of families.get(name) ?? []) {
        const samples = await inPortions(samplesOf(family, this.#name), portions);
        values = values.length === 0 ? samples : await together([...values, ...samples], family.type, portions);
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
  portions: Portions,
): Promise<readonly PrometheusSample[]> {
  const bySeries = new Map<string, PrometheusSample>();
  const add = (sample: PrometheusSample): void => {
    const series = `${sample.metricName} ${JSON.stringify(sample.labels)}`;
    const before = type === 'gauge' ? 0 : (bySeries.get(series)?.value ?? 0);
    bySeries.set(series, { ...sample, value: sample.value + before });
  };
  await eachInPortions(all, add, portions);
  return [...bySeries.values()];
}
