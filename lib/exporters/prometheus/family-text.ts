import type { MetricFamily, MetricPoint } from '../../metrics/family.js';
import { sameLabels } from '../kept-by-series.js';
import { braced, escapeHelp, escapeLabel, numeral } from './escaping.js';
import type { ExemplarSource } from './exemplars.js';
import { HistogramText } from './histogram-text.js';

/** One series and its last rendering. */
interface SeriesText {
  readonly labels: readonly string[];
  /** The text before the value of a counter or gauge. */
  readonly line: string;
  value: number;
  sumMs: number;
  /** The line of a counter or gauge. */
  text: string;
  readonly histogram: HistogramText | undefined;
}

/** The number of series rendered between two yields. */
const BETWEEN = 64;
/** The number of lines of counters and gauges that are encoded together if one of them has changed. */
const BLOCK = 512;

/** The text of one family. A series is identified by its position and labels. It is rendered again if its value has changed. */
export class FamilyText {
  readonly #name: string;
  readonly #head: Uint8Array;
  readonly #sample: string;
  #series: SeriesText[] = [];
  /** Encoded lines of counters and gauges; undefined if a line of the block changed. */
  #blocks: (Uint8Array | undefined)[] = [];

  constructor(prefix: string, family: MetricFamily, openMetrics: boolean) {
    const name = prefix + family.name;
    // In OpenMetrics, the name of a counter's family lacks the suffix that its samples have.
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
   * Adds the family's bytes to `out`: histograms series by series, counters and gauges block by block. Yields regularly, so that
   * other work can run.
   */
  *render(family: MetricFamily, out: Uint8Array[], exemplars?: ExemplarSource): Iterable<void> {
    let place = 0;
    const head = out.push(this.#head);
    for (const point of family.points()) {
      if (place % BETWEEN === BETWEEN - 1) yield;
      const series = this.#seriesAt(place, point, family);
      const { histogram, value = 0 } = point;
      if (histogram !== undefined && series.histogram !== undefined) {
        if (series.value !== histogram.count || series.sumMs !== histogram.sumMs) {
          series.value = histogram.count;
          series.sumMs = histogram.sumMs;
          series.histogram.update(histogram, exemplars?.exemplarsOf(family.name, point.labels));
        }
        out.push(series.histogram.bytes);
      } else if (!Object.is(series.value, value) || series.text === '') {
        series.value = value;
        series.text = `${series.line}${numeral(value)}\n`;
        this.#blocks[Math.floor(place / BLOCK)] = undefined;
      }
      place++;
    }
    if (place < this.#series.length) this.#cutTo(place);
    // Leave out a family without series: OpenMetrics parsers refuse empty families.
    if (place === 0) out.length = head - 1;
    else if (family.type !== 'histogram') this.#addBlocks(out);
  }

  #addBlocks(out: Uint8Array[]): void {
    for (let from = 0; from < this.#series.length; from += BLOCK) {
      out.push((this.#blocks[from / BLOCK] ??= this.#encoded(from, from + BLOCK)));
    }
  }

  #encoded(from: number, end: number): Uint8Array {
    let text = '';
    for (let place = from; place < end && place < this.#series.length; place++) text += this.#series[place]!.text;
    return Buffer.from(text);
  }

  #cutTo(places: number): void {
    this.#series = this.#series.slice(0, places);
    this.#blocks = this.#blocks.slice(0, Math.floor(places / BLOCK));
  }

  #seriesAt(place: number, point: MetricPoint, family: MetricFamily): SeriesText {
    const known = this.#series[place];
    if (known !== undefined && sameLabels(known.labels, point.labels)) return known;
    const labels = family.labelNames.map((name, at) => `${name}="${escapeLabel(point.labels[at] ?? '')}"`);
    const made: SeriesText = {
      labels: point.labels,
      line: `${this.#sample}${braced(labels)} `,
      value: NaN,
      sumMs: NaN,
      text: '',
      histogram: point.histogram === undefined ? undefined : new HistogramText(this.#name, labels),
    };
    this.#series[place] = made;
    return made;
  }
}
