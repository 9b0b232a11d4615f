import { PackedReader, PackedWriter } from './packing.js';
import { WindowSum } from './window-sum.js';

/** How many counters and histograms the tracks of one kind have, and the buffers they share while they work; nobody else's. */
export class TrackShape {
  readonly counters: number;
  readonly histograms: number;
  readonly sum: WindowSum;
  readonly writer = new PackedWriter();
  readonly reader = new PackedReader();

  constructor(counters: number, histograms: number) {
    this.counters = counters;
    this.histograms = histograms;
    this.sum = this.newSum();
  }

  /** An empty sum for what its tracks hold. */
  newSum(): WindowSum {
    return new WindowSum(this.counters, this.histograms);
  }
}
