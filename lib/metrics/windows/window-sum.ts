import { MIN_INDEX } from './buckets.js';
import { type Histogram, HistogramTotal } from './histogram.js';
import type { ImageReader, ImageWriter } from '../images/image-bytes.js';
import { PackedReader, PackedWriter } from './packing.js';

/** Nanoseconds are whole numbers and pack well. */
const NS = 1_000_000;

/** What a series counts at one moment: counters by their place, histograms by theirs. */
export interface Figures {
  readonly counters: Float64Array;
  readonly histograms: readonly (Histogram | HistogramTotal)[];
}

/** Counters and histograms added up over some time. */
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
    for (let at = 0; at < counters.length; at++) this.counters[at]! += counters[at]!;
    if (countersOnly) return;
    for (let at = 0; at < histograms.length; at++) this.histograms[at]!.add(histograms[at]!);
  }

  /** Adds a packed frame; the minimum of its durations is not kept. */
  addPacked(reader: PackedReader, countersOnly: boolean): void {
    for (let left = reader.read(); left > 0; left--) {
      const counter = reader.read();
      this.counters[counter]! += reader.read();
    }
    if (countersOnly) return;
    for (const histogram of this.histograms) addPackedHistogram(histogram, reader);
  }
}

/** Packs figures: only what is not zero. */
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

/** Writes figures with the minima of their durations. */
export function saveFigures(figures: Figures, image: ImageWriter): void {
  const writer = new PackedWriter();
  pack(figures, writer);
  image.bytes(writer.bytes.subarray(0, writer.length));
  for (const { count, minMs } of figures.histograms) if (count > 0) image.duration(minMs);
}

/** Adds what {@link saveFigures} wrote. */
export function restoreFigures(sum: WindowSum, image: ImageReader): void {
  const reader = new PackedReader();
  reader.open(image.bytes(), 0);
  const before = sum.histograms.map(({ count }) => count);
  sum.addPacked(reader, false);
  sum.histograms.forEach((histogram, at) => {
    if (histogram.count > before[at]!) histogram.minMs = Math.min(histogram.minMs, image.duration());
  });
}

function packHistogram(histogram: Histogram | HistogramTotal, writer: PackedWriter): void {
  if (histogram.count === 0) return writer.write(0);
  const { counts, offset } = histogram;
  let filled = 0;
  let first = 0;
  let last = 0;
  for (let at = 0; at < counts.length; at++) {
    if (counts[at] === 0) continue;
    if (filled++ === 0) first = at;
    last = at;
  }
  writer.write(filled + 1);
  writer.write(histogram.zeroCount);
  writer.write(Math.round(histogram.sumMs * NS));
  writer.write(Math.round(histogram.maxMs * NS));
  if (filled === 0) return;
  writer.write(first + offset - MIN_INDEX);
  writer.write(last - first);
  let before = first;
  for (let at = first; at <= last; at++) {
    if (counts[at] === 0) continue;
    writer.write(at - before);
    writer.write(counts[at]!);
    before = at;
  }
}

function addPackedHistogram(histogram: HistogramTotal, reader: PackedReader): void {
  let left = reader.read() - 1;
  if (left < 0) return;
  const zeroCount = reader.read();
  histogram.zeroCount += zeroCount;
  histogram.count += zeroCount;
  histogram.sumMs += reader.read() / NS;
  const maxMs = reader.read() / NS;
  if (maxMs > histogram.maxMs) histogram.maxMs = maxMs;
  if (left === 0) return;
  const first = reader.read() + MIN_INDEX;
  histogram.include(first, first + reader.read() + 1);
  const { counts, offset } = histogram;
  const { bytes } = reader;
  let { position } = reader;
  let at = first - offset;
  let count = 0;
  // The reader's own work, unrolled for what nearly all buckets are: a step and a count of one byte each.
  for (; left > 0; left--) {
    const step = bytes[position]!;
    const added = bytes[position + 1]!;
    if (step < 0x80 && added < 0x80) {
      position += 2;
      at += step;
      counts[at]! += added;
      count += added;
      continue;
    }
    reader.position = position;
    at += reader.read();
    const many = reader.read();
    position = reader.position;
    counts[at]! += many;
    count += many;
  }
  reader.position = position;
  histogram.count += count;
}
