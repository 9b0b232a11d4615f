import type { HistogramView } from '../../metrics/family.js';
import { CLASSIC_BOUNDS, classicCounts } from './classic-buckets.js';
import { braced, numeral } from './escaping.js';
import { type Exemplar, exemplarText } from './exemplars.js';

/** Upper bounds as they are written. */
const LE = [...CLASSIC_BOUNDS.map(String), '+Inf'];

/** Spare bytes, in case the sum gets more digits. */
const SPARE = 24;
const ZERO = 48;
const NEWLINE = 10;

/**
 * The lines of one histogram as bytes. A changed count usually has as many digits as before. It is then overwritten in place, without
 * allocation.
 */
export class HistogramText {
  readonly #counts: number[] = LE.map(() => 0);
  /** The offsets at which the count of each bucket begins and ends. */
  readonly #starts: number[] = [];
  readonly #ends: number[] = [];
  #bytes = Buffer.alloc(0);
  #shown = this.#bytes;
  #sumAt = 0;
  /** The offsets of the text before the count, and of the count. */
  #countLineAt = 0;
  #countAt = 0;
  /** True if every number can be overwritten in place. */
  #fixed = false;

  /** The text before each value: of the buckets, then of sum and count. */
  readonly #lines: readonly string[];

  /** @param name the name of the family, with its prefix. @param labels `name="value"` each. */
  constructor(name: string, labels: readonly string[]) {
    this.#lines = [
      ...LE.map((le) => `${name}_bucket${braced([...labels, `le="${le}"`])} `),
      `${name}_sum${braced(labels)} `,
      `${name}_count${braced(labels)} `,
    ];
  }

  /** The lines; valid until the next {@link update}. */
  get bytes(): Uint8Array {
    return this.#shown;
  }

  update(histogram: HistogramView, exemplars?: readonly (Exemplar | undefined)[]): void {
    classicCounts(histogram, this.#counts);
    if (exemplars !== undefined) this.#writeWith(exemplars, histogram);
    else if (!this.#fixed || !this.#overwrite(histogram)) this.#write(histogram);
  }

  /** Overwrites the numbers. @returns false if a count needs more or fewer digits than it has room for. */
  #overwrite(histogram: HistogramView): boolean {
    for (let at = 0; at < LE.length; at++) {
      if (!this.#putDigits(this.#counts[at]!, this.#starts[at]!, this.#ends[at]!)) return false;
    }
    const bytes = this.#bytes;
    const sum = numeral(histogram.sumMs / 1000);
    const count = String(histogram.count);
    const countLineAt = this.#sumAt + sum.length + 1;
    const countAt = countLineAt + this.#countAt - this.#countLineAt;
    if (countAt + count.length + 1 > bytes.length) return false;
    bytes.copyWithin(countLineAt, this.#countLineAt, this.#countAt);
    this.#put(sum, this.#sumAt);
    this.#put(count, countAt);
    this.#countLineAt = countLineAt;
    this.#countAt = countAt;
    this.#show(countAt + count.length + 1);
    return true;
  }

  #putDigits(value: number, start: number, end: number): boolean {
    const bytes = this.#bytes;
    let rest = value;
    let at = end;
    do {
      const higher = Math.floor(rest / 10);
      bytes[--at] = ZERO + rest - higher * 10;
      rest = higher;
    } while (rest > 0 && at > start);
    return rest === 0 && at === start;
  }

  /** Writes ASCII text and a line end. */
  #put(text: string, at: number): void {
    for (let index = 0; index < text.length; index++) this.#bytes[at + index] = text.charCodeAt(index);
    this.#bytes[at + text.length] = NEWLINE;
  }

  #write(histogram: HistogramView): void {
    const buckets = LE.map((_, at) => `${this.#lines[at]!}${this.#counts[at]!}\n`);
    const sum = numeral(histogram.sumMs / 1000);
    const sumLine = `${this.#lines[LE.length]!}${sum}\n`;
    const countLine = this.#lines[LE.length + 1]!;
    this.#keep(`${buckets.join('')}${sumLine}${countLine}${histogram.count}\n`);
    let at = 0;
    buckets.forEach((line, bucket) => {
      at += Buffer.byteLength(line);
      this.#ends[bucket] = at - 1;
      this.#starts[bucket] = at - 1 - String(this.#counts[bucket]!).length;
    });
    this.#countLineAt = at + Buffer.byteLength(sumLine);
    this.#sumAt = this.#countLineAt - 1 - sum.length;
    this.#countAt = this.#countLineAt + Buffer.byteLength(countLine);
    this.#fixed = this.#counts.every((count) => Number.isSafeInteger(count));
  }

  #writeWith(exemplars: readonly (Exemplar | undefined)[], histogram: HistogramView): void {
    let text = '';
    let below = 0;
    // A value close to a bound may be counted in the next bucket. Its exemplar then belongs there.
    let waiting: Exemplar | undefined;
    for (let at = 0; at < LE.length; at++) {
      const count = this.#counts[at]!;
      waiting = exemplars[at] ?? waiting;
      const exemplar = count > below ? waiting : undefined;
      if (exemplar !== undefined) waiting = undefined;
      text += `${this.#lines[at]!}${count}${exemplar === undefined ? '' : exemplarText(exemplar)}\n`;
      below = count;
    }
    const sum = numeral(histogram.sumMs / 1000);
    this.#keep(`${text}${this.#lines[LE.length]!}${sum}\n${this.#lines[LE.length + 1]!}${histogram.count}\n`);
    this.#fixed = false;
  }

  #keep(text: string): void {
    const length = Buffer.byteLength(text);
    if (length > this.#bytes.length) this.#bytes = Buffer.alloc(length + SPARE);
    this.#bytes.write(text);
    this.#show(length);
  }

  #show(length: number): void {
    if (this.#shown.length !== length || this.#shown.buffer !== this.#bytes.buffer) {
      this.#shown = this.#bytes.subarray(0, length);
    }
  }
}
