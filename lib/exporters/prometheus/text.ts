import { collectedFamilies, type FamilySource, type MetricFamily } from '../../metrics/family.js';
import { runAtOnce, runInSlices } from '../../cache/base/slices.js';
import type { ExemplarSource } from './exemplars.js';
import { FamilyText } from './family-text.js';

/** `prometheus` is the classic text format 0.0.4, `openmetrics` is OpenMetrics 1.0. */
export type TextFormat = 'prometheus' | 'openmetrics';

/** The `Content-Type` of each format. */
export const CONTENT_TYPES: Readonly<Record<TextFormat, string>> = {
  prometheus: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
};

/** The format for a media range; `*` selects the classic one. */
const FORMATS: Readonly<Record<string, TextFormat>> = {
  'application/openmetrics-text': 'openmetrics',
  'text/plain': 'prometheus',
  'text/*': 'prometheus',
  '*/*': 'prometheus',
};

/** The supported versions. A media range that names another version is skipped. */
const VERSIONS: Readonly<Record<TextFormat, readonly string[]>> = {
  openmetrics: ['1.0.0', '0.0.1'],
  prometheus: ['0.0.4'],
};

/**
 * Returns the format that an `Accept` header prefers, by the weights of RFC 9110 §12.5.1. Returns `prometheus` without a header, or if
 * the header contains no supported format.
 */
export function formatFor(accept: string | undefined): TextFormat {
  let best: TextFormat = 'prometheus';
  let bestWeight = 0;
  for (const range of (accept ?? '').toLowerCase().split(',')) {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim());
    const format = FORMATS[type];
    if (format === undefined) continue;
    const version = parameter(parameters, 'version');
    if (version !== undefined && !VERSIONS[format].includes(version)) continue;
    const weight = Number(parameter(parameters, 'q') ?? 1);
    if (weight > bestWeight) [best, bestWeight] = [format, weight];
  }
  return best;
}

function parameter(parameters: readonly string[], name: string): string | undefined {
  return parameters
    .find((each) => each.startsWith(`${name}=`))
    ?.slice(name.length + 1)
    .replace(/^"(.*)"$/, '$1');
}

export interface PrometheusTextOptions {
  /** @default 'prometheus' */
  readonly format?: TextFormat;
  /** Prepended to every name. @default the prefix of the metrics */
  readonly prefix?: string;
  /** Exemplars for the buckets, in OpenMetrics only. @default none */
  readonly exemplars?: ExemplarSource;
}

/** The most renderings kept per source. */
const MOST_KEPT = 4;

/** A source that may have a prefix for its metrics, as `CacheMetrics` does. */
export type PrefixedSource = FamilySource & { readonly prefix?: string };

/**
 * The exposition of a source. It is kept between scrapes, so that only changed series are rendered again. Create one per source and
 * format.
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

  /** Renders the same as {@link render}, as bytes. Unchanged parts are copied. */
  renderBytes(): Buffer {
    if (this.#rendering !== undefined) return new PrometheusExposition(this.#source, this.#options).renderBytes();
    const parts: Uint8Array[] = [];
    runAtOnce(this.#render(this.#source.families(), parts));
    return Buffer.concat(parts);
  }

  /** Renders the same as {@link renderBytes}, in slices, so that the event loop stays free. Concurrent callers get the same bytes. */
  collectBytes(): Promise<Buffer> {
    this.#rendering ??= this.#collect().finally(() => (this.#rendering = undefined));
    return this.#rendering;
  }

  async #collect(): Promise<Buffer> {
    const parts: Uint8Array[] = [];
    await runInSlices(this.#render(await collectedFamilies(this.#source), parts));
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
 * The renderings that {@link prometheusText} keeps to save work, by source: one per format and prefix. They are garbage-collected with
 * the source.
 */
const kept = new WeakMap<PrefixedSource, Map<string, PrometheusExposition>>();

/**
 * Returns the metrics in the Prometheus text format, in one synchronous call. Series that have not changed since the last call
 * are not rendered again.
 * @publicApi
 */
export function prometheusText(metrics: PrefixedSource, options: PrometheusTextOptions = {}): string {
  const { format = 'prometheus', prefix = metrics.prefix ?? '', exemplars } = options;
  // A kept rendering does not record the source of its exemplars, so it cannot be reused.
  if (format === 'openmetrics' && exemplars !== undefined) return new PrometheusExposition(metrics, options).render();
  const known = kept.get(metrics) ?? new Map<string, PrometheusExposition>();
  const id = `${format}\n${prefix}`;
  const exposition = known.get(id) ?? new PrometheusExposition(metrics, { format, prefix });
  if (!known.has(id) && known.size < MOST_KEPT) kept.set(metrics, known.set(id, exposition));
  return exposition.render();
}
