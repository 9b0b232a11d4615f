import type { HistogramView, MetricFamily, MetricPoint } from '../../metrics/family.js';
import { CLASSIC_BOUNDS, classicBuckets } from './classic-buckets.js';
import { escapeHelp, escapeLabel, numeral } from './escaping.js';
import { type Exemplar, type ExemplarSource, exemplarText } from './exemplars.js';

/** One series as it was rendered last. */
interface SeriesText {
  readonly labels: readonly string[];
  /** What stands before each value: one line of a counter or gauge; those of the buckets, sum and count of a histogram. */
  readonly lines: readonly string[];
  value: number;
  sumMs: number;
  /** The line of a counter or gauge. */
  text: string;
  /** The lines of a histogram. */
  bytes: Uint8Array;
}

/** Series between two yields. */
const BETWEEN = 64;

const NOTHING = new Uint8Array(0);

const LE = [...CLASSIC_BOUNDS.map(String), '+Inf'];

/** The text of one family; series are known by their place and labels, and rendered anew where their value changed. */
export class FamilyText {
  readonly #name: string;
  readonly #head: Uint8Array;
  #bytes: Uint8Array = NOTHING;
  readonly #sample: string;
  #series: SeriesText[] = [];

  constructor(prefix: string, family: MetricFamily, openMetrics: boolean) {
    const name = prefix + family.name;
    // OpenMetrics names a counter's family without the suffix that its samples carry.
    const named = openMetrics && family.type === 'counter' ? name.replace(/_total$/, '') : name;
    const unit =
      openMetrics && family.unit !== undefined && named.endsWith(`_${family.unit}`)
        ? `# UNIT ${named} ${family.unit}\n`
        : '';
    this.#name = name;
    this.#sample = openMetrics && family.type === 'counter' ? `${named}_total` : name;
    this.#head = Buffer.from(
      `# HELP ${named} ${escapeHelp(family.help, openMetrics)}\n# TYPE ${named} ${family.type}\n${unit}`,
    );
  }

  /**
   * Adds the family's bytes to `out`; of histograms each series' own, of the others all in one. Yields now and then, where
   * others may have their turn.
   */
  *render(family: MetricFamily, out: Uint8Array[], exemplars?: ExemplarSource): Iterable<void> {
    let place = 0;
    let changed = false;
    const head = out.push(this.#head);
    for (const point of family.points()) {
      if (place % BETWEEN === BETWEEN - 1) yield;
      const before = this.#series[place];
      const series = this.#seriesAt(place++, point, family);
      if (series !== before) changed = true;
      const { histogram, value = 0 } = point;
      if (histogram === undefined) {
        if (Object.is(series.value, value)) continue;
        series.value = value;
        series.text = `${series.lines[0]!}${numeral(value)}\n`;
        changed = true;
      } else {
        if (series.value !== histogram.count || series.sumMs !== histogram.sumMs) {
          series.value = histogram.count;
          series.sumMs = histogram.sumMs;
          series.bytes = Buffer.from(
            histogramText(series.lines, histogram, exemplars?.exemplarsOf(family.name, point.labels)),
          );
        }
        out.push(series.bytes);
      }
    }
    if (place < this.#series.length) {
      this.#series = this.#series.slice(0, place);
      changed = true;
    }
    // A family without series is left out: parsers of OpenMetrics want no empty ones.
    if (place === 0) out.length = head - 1;
    else if (family.type !== 'histogram') {
      if (changed) this.#bytes = Buffer.from(this.#series.map(({ text }) => text).join(''));
      out.push(this.#bytes);
    }
  }

  #seriesAt(place: number, point: MetricPoint, family: MetricFamily): SeriesText {
    const known = this.#series[place];
    if (known !== undefined && same(known.labels, point.labels)) return known;
    const labels = family.labelNames.map((name, at) => `${name}="${escapeLabel(point.labels[at] ?? '')}"`);
    const lines =
      point.histogram === undefined
        ? [`${this.#sample}${braced(labels)} `]
        : [
            ...LE.map((le) => `${this.#name}_bucket${braced([...labels, `le="${le}"`])} `),
            `${this.#name}_sum${braced(labels)} `,
            `${this.#name}_count${braced(labels)} `,
          ];
    const made: SeriesText = { labels: point.labels, lines, value: NaN, sumMs: NaN, text: '', bytes: NOTHING };
    if (point.histogram === undefined) made.text = `${lines[0]!}NaN\n`;
    this.#series[place] = made;
    return made;
  }
}

function histogramText(
  lines: readonly string[],
  histogram: HistogramView,
  exemplars: readonly (Exemplar | undefined)[] = [],
): string {
  const buckets = classicBuckets(histogram);
  let text = '';
  let below = 0;
  // A value close to a bound may be counted on its far side: its exemplar goes along.
  let waiting: Exemplar | undefined;
  for (let at = 0; at < buckets.length; at++) {
    const { count } = buckets[at]!;
    waiting = exemplars[at] ?? waiting;
    const exemplar = count > below ? waiting : undefined;
    if (exemplar !== undefined) waiting = undefined;
    text += `${lines[at]!}${count}${exemplar === undefined ? '' : exemplarText(exemplar)}\n`;
    below = count;
  }
  return `${text}${lines[buckets.length]!}${numeral(histogram.sumMs / 1000)}\n${lines[buckets.length + 1]!}${histogram.count}\n`;
}

function braced(labels: readonly string[]): string {
  return labels.length === 0 ? '' : `{${labels.join(',')}}`;
}

function same(known: readonly string[], labels: readonly string[]): boolean {
  return known === labels || (known.length === labels.length && known.every((label, at) => label === labels[at]));
}
