import { FrameLog } from './frame-log.js';
import { Histogram, HistogramTotal } from './histogram.js';
import type { ImageReader, ImageWriter } from '../images/image-bytes.js';
import { PackedReader, PackedWriter } from './packing.js';
import type { Window } from '../snapshot.js';
import { type Figures, pack, restoreFigures, saveFigures, WindowSum } from './window-sum.js';
import { levelOf, LEVELS, SLOT_MS, windowStart } from './windows.js';

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

/** Told when a track's open slot closes with something in it. */
export interface SlotListener {
  /** Called before the open slot is read or closed; it still takes figures. */
  settle(): void;
  closed(slot: number, figures: Figures): void;
}

/**
 * Figures over time: an open slot that is written to, a total, and closed slots packed in cascading logs. It rotates by
 * itself when it is touched in a later slot, so that many tracks never rotate at once, and an idle time of any length
 * costs as much as one slot.
 */
export class Track implements Figures {
  readonly counters: Float64Array;
  readonly histograms: readonly Histogram[];
  /** When the open slot ends; who writes at or after it calls {@link advance} first. */
  slotEnd: number;
  /** Since when it counts, milliseconds since the Unix epoch. */
  since: number;
  readonly #shape: TrackShape;
  readonly #listener: SlotListener | undefined;
  /** Everything that was closed, packed. */
  #total = new Uint8Array(0);
  readonly #totalCounters: Float64Array;
  readonly #totalMinMs: number[];
  readonly #logs = LEVELS.map(() => new FrameLog());
  #slot: number;

  constructor(shape: TrackShape, now: number, since: number, listener?: SlotListener) {
    this.counters = new Float64Array(shape.counters);
    this.histograms = Array.from({ length: shape.histograms }, () => new Histogram());
    this.#shape = shape;
    this.#listener = listener;
    this.#totalCounters = new Float64Array(shape.counters);
    this.#totalMinMs = this.histograms.map(() => Infinity);
    this.#slot = Math.floor(now / SLOT_MS);
    this.slotEnd = (this.#slot + 1) * SLOT_MS;
    this.since = since;
  }

  /** When the open slot began. */
  get slotStart(): number {
    return this.#slot * SLOT_MS;
  }

  /** Closes the open slot if its time is over. */
  advance(now: number): void {
    const slot = Math.floor(now / SLOT_MS);
    if (!(slot > this.#slot)) return;
    this.#listener?.settle();
    const closed = this.#slot;
    if (this.#written()) {
      const { writer } = this.#shape;
      writer.clear();
      pack(this, writer);
      this.#logs[0]!.append(closed, writer);
      this.#addToTotal();
      this.#listener?.closed(closed, this);
      this.counters.fill(0);
      for (const histogram of this.histograms) histogram.clear();
    }
    this.#cascade(closed, slot);
    this.#slot = slot;
    this.slotEnd = (slot + 1) * SLOT_MS;
  }

  /** Brings derived figures of the open slot up to date. */
  settle(): void {
    this.#listener?.settle();
  }

  /** Adds what happened in a window to `sum`. With `countersOnly`, histograms of closed slots are left out. */
  addTo(sum: WindowSum, window: Window, now: number, countersOnly = false): void {
    this.advance(now);
    this.#listener?.settle();
    sum.add(this, countersOnly);
    if (window === 'all') return this.#addTotalTo(sum, countersOnly);
    const at = Math.max(now, this.#slot * SLOT_MS);
    let from = windowStart(window, at);
    for (let level = levelOf(window); level >= 0; level--) {
      const { slotMs } = LEVELS[level]!;
      this.#logs[level]!.addTo(sum, Math.ceil(from / slotMs), this.#shape.reader, countersOnly);
      // The slot of this level that is not over yet is told by the finer levels.
      from = Math.max(from, Math.floor(at / slotMs) * slotMs);
    }
  }

  /** A counter since {@link since}, the open slot included. */
  totalOf(counter: number): number {
    return this.#totalCounters[counter]! + this.counters[counter]!;
  }

  /** Histogram `at` since {@link since}, the open slot included. */
  totalTimesOf(at: number): HistogramTotal {
    const { sum } = this.#shape;
    sum.clear();
    this.#addTotalTo(sum, false);
    const times = new HistogramTotal();
    times.add(sum.histograms[at]!);
    times.add(this.histograms[at]!);
    return times;
  }

  reset(now: number): void {
    this.counters.fill(0);
    for (const histogram of this.histograms) histogram.clear();
    this.#total = new Uint8Array(0);
    this.#totalCounters.fill(0);
    this.#totalMinMs.fill(Infinity);
    for (const log of this.#logs) log.clear();
    this.#slot = Math.floor(now / SLOT_MS);
    this.slotEnd = (this.#slot + 1) * SLOT_MS;
    this.since = now;
  }

  /** Writes its whole state; rotates nothing. */
  save(image: ImageWriter): void {
    this.#listener?.settle();
    image.number(this.#slot);
    image.number(this.since);
    saveFigures(this, image);
    const { sum } = this.#shape;
    sum.clear();
    this.#addTotalTo(sum, false);
    saveFigures(sum, image);
    for (const log of this.#logs) log.save(image);
  }

  /** Takes the state of another of its shape, in place of its own; what is due rotates when it is touched next. */
  restore(image: ImageReader): void {
    this.#slot = image.number();
    this.slotEnd = (this.#slot + 1) * SLOT_MS;
    this.since = image.number();
    const { sum } = this.#shape;
    sum.clear();
    restoreFigures(sum, image);
    this.counters.set(sum.counters);
    this.histograms.forEach((histogram, at) => histogram.restore(sum.histograms[at]!));
    sum.clear();
    restoreFigures(sum, image);
    this.#keepTotal(sum);
    for (const log of this.#logs) log.restore(image);
  }

  #addToTotal(): void {
    const { sum } = this.#shape;
    sum.clear();
    this.#addTotalTo(sum, false);
    sum.add(this);
    this.#keepTotal(sum);
  }

  #keepTotal(sum: WindowSum): void {
    const { writer } = this.#shape;
    this.#totalCounters.set(sum.counters);
    sum.histograms.forEach(({ minMs }, at) => (this.#totalMinMs[at] = minMs));
    sum.counters.fill(0);
    writer.clear();
    pack(sum, writer);
    if (this.#total.length < writer.length) this.#total = new Uint8Array(Math.ceil(writer.length * 1.125));
    this.#total.set(writer.bytes.subarray(0, writer.length));
  }

  #addTotalTo(sum: WindowSum, countersOnly: boolean): void {
    for (let at = 0; at < this.#totalCounters.length; at++) sum.counters[at]! += this.#totalCounters[at]!;
    if (countersOnly || this.#total.length === 0) return;
    this.#shape.reader.open(this.#total, 0);
    sum.addPacked(this.#shape.reader, false);
    sum.histograms.forEach((histogram, at) => {
      histogram.minMs = Math.min(histogram.minMs, this.#totalMinMs[at]!);
    });
  }

  #written(): boolean {
    for (let at = 0; at < this.counters.length; at++) if (this.counters[at] !== 0) return true;
    return this.histograms.some(({ count }) => count > 0);
  }

  /** Merges the slots of a level whose longer slot is over, and drops what is older than is kept. */
  #cascade(closed: number, open: number): void {
    const { sum, writer, reader } = this.#shape;
    let merged = closed;
    let current = open;
    for (let level = 1; level < LEVELS.length; level++) {
      const { merges } = LEVELS[level]!;
      const longer = Math.floor(merged / merges);
      const openLonger = Math.floor(current / merges);
      if (longer === openLonger) break;
      sum.clear();
      this.#logs[level - 1]!.addTo(sum, longer * merges, reader, false);
      if (sum.counters.some((count) => count !== 0) || sum.histograms.some(({ count }) => count > 0)) {
        writer.clear();
        pack(sum, writer);
        this.#logs[level]!.append(longer, writer);
      }
      merged = longer;
      current = openLonger;
    }
    let slot = open;
    for (let level = 0; level < LEVELS.length; level++) {
      slot = level === 0 ? open : Math.floor(slot / LEVELS[level]!.merges);
      this.#logs[level]!.dropBefore(slot - LEVELS[level]!.slots);
    }
  }
}
