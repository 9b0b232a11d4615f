import { PackedReader, PackedWriter } from './packing.js';
import { WindowSum } from './window-sum.js';

/** How many counters and histograms the tracks of one kind have, and the buffers they share while they rotate. */
export class TrackShape {
  readonly counters: number;
  readonly histograms: number;
  readonly sum: WindowSum;
  readonly writer = new PackedWriter();
  readonly reader = new PackedReader();

  constructor(counters: number, histograms: number) {
    this.counters = counters;
    this.histograms = histograms;
    this.sum = new WindowSum(counters, histograms);
  }
}
