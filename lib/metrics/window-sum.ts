import { MIN_INDEX } from './buckets.js';
import { type Histogram, HistogramTotal } from './histogram.js';
import type { PackedReader, PackedWriter } from './packing.js';

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

function packHistogram(histogram: Histogram | HistogramTotal, writer: PackedWriter): void {
  if (histogram.count === 0) return writer.write(0);
  const { counts } = histogram;
  let filled = 0;
  for (let at = 0; at < counts.length; at++) if (counts[at] !== 0) filled++;
  writer.write(filled + 1);
  writer.write(histogram.zeroCount);
  writer.write(Math.round(histogram.sumMs * NS));
  writer.write(Math.round(histogram.maxMs * NS));
  let last = MIN_INDEX;
  for (let at = 0; at < counts.length; at++) {
    if (counts[at] === 0) continue;
    const index = at + histogram.offset;
    writer.write(index - last);
    writer.write(counts[at]!);
    last = index;
  }
}

function addPackedHistogram(histogram: HistogramTotal, reader: PackedReader): void {
  const filled = reader.read() - 1;
  if (filled < 0) return;
  const zeroCount = reader.read();
  let count = zeroCount;
  histogram.zeroCount += zeroCount;
  histogram.sumMs += reader.read() / NS;
  const maxMs = reader.read() / NS;
  if (maxMs > histogram.maxMs) histogram.maxMs = maxMs;
  let index = MIN_INDEX;
  for (let left = filled; left > 0; left--) {
    index += reader.read();
    const added = reader.read();
    let at = index - histogram.offset;
    if (at < 0 || at >= histogram.counts.length) {
      histogram.include(index, index + 1);
      at = index - histogram.offset;
    }
    histogram.counts[at]! += added;
    count += added;
  }
  histogram.count += count;
}
