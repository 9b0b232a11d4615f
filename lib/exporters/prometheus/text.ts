import { collectedFamilies, type FamilySource, type MetricFamily } from '../../metrics/family.js';
import { takenAtOnce, takenInPortions } from '../../metrics/reading/portions.js';
import type { ExemplarSource } from './exemplars.js';
import { FamilyText } from './family-text.js';

/** `prometheus`: classic text format 0.0.4; `openmetrics`: OpenMetrics 1.0. */
export type TextFormat = 'prometheus' | 'openmetrics';

/** What to send as `Content-Type` with a format. */
export const CONTENT_TYPES: Readonly<Record<TextFormat, string>> = {
  prometheus: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
};

export interface PrometheusTextOptions {
  /** @default 'prometheus' */
  readonly format?: TextFormat;
  /** Put before every name. @default the prefix of the metrics */
  readonly prefix?: string;
  /** Shown beside the buckets, in OpenMetrics. @default none */
  readonly exemplars?: ExemplarSource;
}

/** Ways of rendering one source that are kept. */
const MOST_KEPT = 4;

/** A source whose metrics have a prefix of their own, as `CacheMetrics` has. */
export type PrefixedSource = FamilySource & { readonly prefix?: string };

/**
 * The exposition of a source, kept between scrapes: only series that changed are rendered anew. Hold one for each source
 * and format.
 */
export class PrometheusExposition {
  readonly #source: PrefixedSource;
  readonly #format: TextFormat;
  readonly #prefix: string;
  readonly #exemplars: ExemplarSource | undefined;
  readonly #options: PrometheusTextOptions;
  #rendering: Promise<Buffer> | undefined;
  readonly #families = new Map<string, FamilyText>();

  constructor(source: PrefixedSource, options: PrometheusTextOptions = {}) {
    this.#source = source;
    this.#options = options;
    this.#format = options.format ?? 'prometheus';
    this.#prefix = options.prefix ?? source.prefix ?? '';
    if (this.#format === 'openmetrics') this.#exemplars = options.exemplars;
  }

  get contentType(): string {
    return CONTENT_TYPES[this.#format];
  }

  render(): string {
    return this.renderBytes().toString();
  }

  /** As {@link render}, ready to send: what did not change is copied as it is. */
  renderBytes(): Buffer {
    if (this.#rendering !== undefined) return new PrometheusExposition(this.#source, this.#options).renderBytes();
    const parts: Uint8Array[] = [];
    takenAtOnce(this.#render(this.#source.families(), parts));
    return Buffer.concat(parts);
  }

  /** As {@link renderBytes}, a portion at a time: between them the event loop is free. Who asks meanwhile gets the same. */
  collectBytes(): Promise<Buffer> {
    this.#rendering ??= this.#collect().finally(() => (this.#rendering = undefined));
    return this.#rendering;
  }

  async #collect(): Promise<Buffer> {
    const parts: Uint8Array[] = [];
    await takenInPortions(this.#render(await collectedFamilies(this.#source), parts));
    return Buffer.concat(parts);
  }

  *#render(families: Iterable<MetricFamily>, parts: Uint8Array[]): Generator<void, void> {
    for (const family of families) {
      yield* this.#textOf(family).render(family, parts, this.#exemplars);
      yield;
    }
    if (this.#format === 'openmetrics') parts.push(Buffer.from('# EOF\n'));
  }

  #textOf(family: MetricFamily): FamilyText {
    const known = this.#families.get(family.name);
    if (known !== undefined) return known;
    const made = new FamilyText(this.#prefix, family, this.#format === 'openmetrics');
    this.#families.set(family.name, made);
    return made;
  }
}

/**
 * What {@link prometheusText} has rendered before, by source: one for each way of rendering it. It goes with its source, and no
 * answer depends on it.
 */
const kept = new WeakMap<PrefixedSource, Map<string, PrometheusExposition>>();

/**
 * The exposition of the metrics as Prometheus reads it, in one go: what did not change since it was asked for last is not
 * rendered again.
 * @publicApi
 */
export function prometheusText(metrics: PrefixedSource, options: PrometheusTextOptions = {}): string {
  const { format = 'prometheus', prefix = metrics.prefix ?? '', exemplars } = options;
  // Whose exemplars they are cannot be told from a name.
  if (format === 'openmetrics' && exemplars !== undefined) return new PrometheusExposition(metrics, options).render();
  const known = kept.get(metrics) ?? new Map<string, PrometheusExposition>();
  const id = `${format}\n${prefix}`;
  const exposition = known.get(id) ?? new PrometheusExposition(metrics, { format, prefix });
  if (!known.has(id) && known.size < MOST_KEPT) kept.set(metrics, known.set(id, exposition));
  return exposition.render();
}
