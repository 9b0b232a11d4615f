import { BUCKETS, MIN_INDEX } from './buckets.js';
import { type Histogram, HistogramTotal } from './histogram.js';
import { DumpFault, type DumpReader, type DumpWriter } from '../dumps/dump-bytes.js';
import { NIBBLE, PackedReader, type PackedWriter } from '../dumps/packing.js';

/** Durations are packed in nanoseconds, because whole numbers pack well. */
const NS = 1_000_000;

/** Counters and histograms by their indices. */
export interface Figures {
  readonly counters: Float64Array;
  readonly histograms: readonly (Histogram | HistogramTotal)[];
}

/** The part of a packed frame that is read. */
export type FramePart = 'all' | 'counters' | 'times';

/** A sum of counters and histograms over some time. */
export class WindowSum implements Figures {
  readonly counters: Float64Array;
  readonly histograms: readonly HistogramTotal[];

  constructor(counters: number, histograms: number) {
    this.counters = new Float64Array(counters);
    this.histograms = Array.from({ length: histograms }, () => new HistogramTotal());
  }

  clear(): void {
    this.counters.fill(0);
    for (const histogram of this.histograms) histogram.clear();
  }

  add(figures: Figures, countersOnly = false): void {
    const { counters, histograms } = figures;
    const into = this.counters;
    for (let at = 0; at < counters.length; at++) into[at]! += counters[at]!;
    if (countersOnly) return;
    for (let at = 0; at < histograms.length; at++) this.histograms[at]!.add(histograms[at]!);
  }

  /** Adds figures as {@link add} does, with only some of the histograms. */
  addOnly({ counters, histograms }: WindowSum, which: readonly number[]): void {
    for (let at = 0; at < counters.length; at++) this.counters[at]! += counters[at]!;
    for (const at of which) this.histograms[at]!.add(histograms[at]!);
  }

  /** Subtracts figures that were added before. No count becomes less than zero. */
  subtract({ counters, histograms }: WindowSum, which: readonly number[]): void {
    for (let at = 0; at < counters.length; at++) this.counters[at] = Math.max(0, this.counters[at]! - counters[at]!);
    for (const at of which) this.histograms[at]!.subtract(histograms[at]!);
  }

  /** Adds a packed frame. A frame does not hold the minimum of durations. */
  addPacked(reader: PackedReader, part: FramePart): void {
    for (let left = reader.read(); left > 0; left--) {
      const counter = reader.read();
      const count = reader.read();
      if (part !== 'times') this.counters[counter]! += count;
    }
    if (part === 'counters') return;
    for (let at = 0; at < this.histograms.length; at++) addPackedHistogram(this.histograms[at]!, reader);
  }
}

/** Returns true if nothing was counted or timed. */
export function isEmpty({ counters, histograms }: Figures): boolean {
  for (let at = 0; at < counters.length; at++) if (counters[at] !== 0) return false;
  return histograms.every(({ count }) => count === 0);
}

/** Packs the figures that are not zero. */
export function pack(figures: Figures, writer: PackedWriter): void {
  const { counters, histograms } = figures;
  let filled = 0;
  for (let at = 0; at < counters.length; at++) if (counters[at] !== 0) filled++;
  writer.write(filled);
  for (let at = 0; at < counters.length; at++) {
    if (counters[at] === 0) continue;
    writer.write(at);
    writer.write(counters[at]!);
  }
  for (const histogram of histograms) packHistogram(histogram, writer);
}

/** Writes figures, including the minima of their durations. */
export function saveFigures(figures: Figures, dump: DumpWriter): void {
  const writer = dump.scratch;
  writer.clear();
  pack(figures, writer);
  dump.bytes(writer.bytes.subarray(0, writer.length));
  for (const { count, minMs } of figures.histograms) if (count > 0) dump.duration(minMs);
}

/** Adds the figures that {@link saveFigures} wrote. */
export function restoreFigures(sum: WindowSum, dump: DumpReader): void {
  const part = dump.part();
  const reader = new PackedReader();
  reader.open(part.packed.bytes, part.packed.position);
  checkFigures(part, sum.counters.length, sum.histograms.length);
  const before = sum.histograms.map(({ count }) => count);
  sum.addPacked(reader, 'all');
  sum.histograms.forEach((histogram, at) => {
    if (histogram.count > before[at]!) histogram.minMs = Math.min(histogram.minMs, dump.duration());
  });
}

/**
 * Writes the number of filled buckets with their encoding, the figures of all values, and then the buckets in the shorter of two forms: one
 * count per bucket from the first filled bucket to the last, or one byte per filled bucket with its count and its distance from the one
 * before.
 */
function packHistogram(histogram: Histogram | HistogramTotal, writer: PackedWriter): void {
  if (histogram.count === 0) return writer.write(0);
  const { counts, offset } = histogram;
  let filled = 0;
  let many = 0;
  let first = 0;
  let last = 0;
  for (let at = 0; at < counts.length; at++) {
    const count = counts[at]!;
    if (count === 0) continue;
    if (filled++ === 0) first = at;
    if (count >= NIBBLE) many++;
    last = at;
  }
  const span = last - first + 1;
  const dense = span <= filled + many;
  writer.write(1 + 2 * filled + (dense ? 1 : 0));
  writer.write(histogram.zeroCount);
  writer.write(Math.round(histogram.sumMs * NS));
  writer.write(Math.round(histogram.maxMs * NS));
  if (filled === 0) return;
  writer.write(first + offset - MIN_INDEX);
  writer.write(span);
  let before = first;
  for (let at = first; at <= last; at++) {
    const count = counts[at]!;
    if (dense) writer.write(count);
    else if (count !== 0) {
      writer.writePair(at - before, count);
      before = at;
    }
  }
}

function addPackedHistogram(histogram: HistogramTotal, reader: PackedReader): void {
  const kind = reader.read() - 1;
  if (kind < 0) return;
  const zeroCount = reader.read();
  histogram.zeroCount += zeroCount;
  histogram.count += zeroCount;
  histogram.sumMs += reader.read() / NS;
  const maxMs = reader.read() / NS;
  if (maxMs > histogram.maxMs) histogram.maxMs = maxMs;
  const filled = kind >>> 1;
  if (filled === 0) return;
  const first = reader.read() + MIN_INDEX;
  const span = reader.read();
  histogram.include(first, first + span);
  histogram.count +=
    (kind & 1) === 1
      ? addDense(histogram.counts, first - histogram.offset, span, reader)
      : addSparse(histogram.counts, first - histogram.offset, filled, reader);
}

// Both loops repeat the reader's code, unrolled for the usual case of numbers of one byte.

/** @returns the number of values in the buckets. */
function addDense(counts: Float64Array, first: number, span: number, reader: PackedReader): number {
  const { bytes } = reader;
  let { position } = reader;
  let count = 0;
  for (let at = first; at < first + span; at++) {
    let added = bytes[position++]!;
    if (added >= 0x80) {
      reader.position = position - 1;
      added = reader.read();
      position = reader.position;
    }
    counts[at]! += added;
    count += added;
  }
  reader.position = position;
  return count;
}

/** @returns the number of values in the buckets. */
function addSparse(counts: Float64Array, first: number, filled: number, reader: PackedReader): number {
  const { bytes } = reader;
  let { position } = reader;
  let at = first;
  let count = 0;
  for (let left = filled; left > 0; left--) {
    const pair = bytes[position++]!;
    let step = pair >>> 4;
    let added = pair & NIBBLE;
    if (step === NIBBLE || added === NIBBLE) {
      reader.position = position;
      if (step === NIBBLE) step += reader.read();
      if (added === NIBBLE) added += reader.read();
      position = reader.position;
    }
    at += step;
    counts[at]! += added;
    count += added;
  }
  reader.position = position;
  return count;
}

/**
 * Checks packed figures of a dump, which are untrusted, without adding them. Every later read of a window depends on this check: indices
 * are within the counters, buckets are within their range, and their number matches its count.
 * @throws DumpFault for other figures, and if they do not end where the reader does.
 */
export function checkFigures(figures: DumpReader, counters: number, histograms: number): void {
  for (let left = figures.count(counters); left > 0; left--) {
    figures.count(counters - 1);
    figures.number();
  }
  for (let left = histograms; left > 0; left--) checkHistogram(figures);
  if (!figures.done) throw new DumpFault('Its figures do not fill their bytes.');
}

function checkHistogram(figures: DumpReader): void {
  const kind = figures.count(1 + 2 * BUCKETS + 1) - 1;
  if (kind < 0) return;
  // The number of values outside the buckets, their sum, and the largest.
  for (let left = 3; left > 0; left--) figures.number();
  const filled = kind >>> 1;
  if (filled === 0) return;
  const first = figures.count(BUCKETS - 1);
  const span = figures.count(BUCKETS - first);
  if (filled > span) throw new DumpFault('It fills more buckets than there are.');
  if ((kind & 1) === 1) for (let left = span; left > 0; left--) figures.number();
  else checkPairs(figures, filled, span);
}

/** Checks pairs of distance and count, one per filled bucket. */
function checkPairs(figures: DumpReader, filled: number, span: number): void {
  let at = 0;
  for (let left = filled; left > 0; left--) {
    const [step] = figures.pair();
    at += step;
    if (at >= span) throw new DumpFault('It counts in a bucket that does not exist.');
  }
}
