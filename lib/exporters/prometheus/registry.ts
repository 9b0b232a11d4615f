import pLimit, { type LimitFunction } from 'p-limit';
import type { FamilySource, MetricFamily } from '../../metrics/family.js';
import { Portions } from '../../metrics/reading/portions.js';
import { type PrometheusSample, samplesOf } from './samples.js';

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
  // A registry asks all of its metrics in the same turn of the event loop.
  const oneAtATime = pLimit(1);
  const synchronize = () => {
    for (const family of source.families()) {
      const name = prefix + family.name;
      if (registered.has(name)) continue;
      const known = registry.getSingleMetric(name);
      const metric = known instanceof PulledMetric ? known : new PulledMetric(name, family, oneAtATime);
      if (known !== undefined && known !== metric) continue;
      registry.registerMetric(metric as never);
      metric.add(source, prefix, synchronize);
      registered.set(name, metric);
    }
  };
  synchronize();
  return () => {
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
  readonly #sources = new Map<FamilySource, { family: string; scraped: () => void }>();
  readonly #oneAtATime: LimitFunction;

  constructor(name: string, family: MetricFamily, oneAtATime: LimitFunction) {
    this.#oneAtATime = oneAtATime;
    this.name = name;
    this.#name = name;
    this.help = family.help;
    this.type = family.type;
  }

  add(source: FamilySource, prefix: string, scraped: () => void): void {
    this.#sources.set(source, { family: this.#name.slice(prefix.length), scraped });
  }

  /** @returns whether any source is left. */
  remove(source: FamilySource): boolean {
    this.#sources.delete(source);
    return this.#sources.size > 0;
  }

  get(): Promise<unknown> {
    return this.#oneAtATime(() => this.#read());
  }

  /** A portion at a time: between them the event loop is free. */
  async #read(): Promise<unknown> {
    const portions = new Portions();
    const samples = new Map<string, PrometheusSample>();
    for (const [source, { family: name, scraped }] of this.#sources) {
      scraped();
      // One question for all families: whoever is asked keeps the answer.
      await source.refresh?.();
      for (const family of source.families()) {
        if (family.name !== name) continue;
        for (const sample of samplesOf(family, this.#name)) {
          const series = `${sample.metricName} ${JSON.stringify(sample.labels)}`;
          const before = family.type === 'gauge' ? 0 : (samples.get(series)?.value ?? 0);
          samples.set(series, { ...sample, value: sample.value + before });
          if (portions.over) await portions.rest();
        }
      }
    }
    const { help, type, aggregator } = this;
    return { name: this.name, help, type, aggregator, values: [...samples.values()] };
  }

  /** The figures are the cache's: a registry that is reset resets nothing here. */
  reset(): void {}
}
