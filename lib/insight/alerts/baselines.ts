/*
 * Stores the usual figures as bytes for the next run. Format: mark u32, time of writing f64, number of series u16. For each series: length
 * of the name u16, name, number of values u16, values f32. The bytes that are read may come from another program: every length
 * is checked against its limit, and bytes with any error are refused as a whole.
 */

const MARK = 0x4142_3031;
const HEAD = 14;
const MOST_SERIES = 128;
const MOST_NAME = 1_024;
const MOST_NUMBERS = 4_096;

/** Reads numbers in the order in which they were written. */
export class Numbers {
  #at = 0;

  constructor(private readonly values: ArrayLike<number>) {}

  /** Returns the next number; NaN after the last. */
  next(): number {
    return this.values[this.#at++] ?? NaN;
  }

  /** Returns the next number if it is between 0 and `most`, otherwise 0. */
  count(most = Infinity): number {
    const value = this.next();
    return value >= 0 && value <= most ? value : 0;
  }

  /** True if exactly as many numbers were read as there are. */
  get isOver(): boolean {
    return this.#at === this.values.length;
  }
}

export interface Baselines {
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** Values by pattern; '' is the whole cache. */
  readonly series: ReadonlyMap<string, ArrayLike<number>>;
}

export function baselinesBytes({ at, series }: Baselines): Uint8Array {
  const all = [...series].filter(([name]) => Buffer.byteLength(name) <= MOST_NAME).slice(0, MOST_SERIES);
  const size = all.reduce((sum, [name, { length }]) => sum + 4 + Buffer.byteLength(name) + 4 * length, HEAD);
  const bytes = Buffer.allocUnsafe(size);
  let to = bytes.writeUInt16BE(all.length, bytes.writeDoubleBE(at, bytes.writeUInt32BE(MARK)));
  for (const [name, numbers] of all) {
    to = bytes.writeUInt16BE(Buffer.byteLength(name), to);
    to += bytes.write(name, to);
    to = bytes.writeUInt16BE(numbers.length, to);
    for (let index = 0; index < numbers.length; index++) to = bytes.writeFloatBE(numbers[index]!, to);
  }
  return bytes;
}

/** Reads the result of {@link baselinesBytes}; undefined for any other bytes. */
export function readBaselines(from: Uint8Array): Baselines | undefined {
  const bytes = Buffer.from(from.buffer, from.byteOffset, from.byteLength);
  if (bytes.length < HEAD || bytes.readUInt32BE(0) !== MARK) return undefined;
  const [at, count] = [bytes.readDoubleBE(4), bytes.readUInt16BE(12)];
  if (!Number.isFinite(at) || count > MOST_SERIES) return undefined;
  const series = new Map<string, Float32Array>();
  let next = HEAD;
  for (let left = count; left > 0; left--) {
    if (next + 2 > bytes.length) return undefined;
    const named = next + 2 + bytes.readUInt16BE(next);
    if (named - next > 2 + MOST_NAME || named + 2 > bytes.length) return undefined;
    const numbers = new Float32Array(bytes.readUInt16BE(named));
    const end = named + 2 + 4 * numbers.length;
    if (numbers.length > MOST_NUMBERS || end > bytes.length) return undefined;
    for (let index = 0; index < numbers.length; index++) {
      const value = bytes.readFloatBE(named + 2 + 4 * index);
      // NaN stands for an unknown value.
      if (Math.abs(value) === Infinity) return undefined;
      numbers[index] = value;
    }
    series.set(bytes.toString('utf8', next + 2, named), numbers);
    next = end;
  }
  return next === bytes.length ? { at, series } : undefined;
}
