import { TrackShape } from './rotating-track.js';
import type { CombinedTrack } from './combined-track.js';
import { type Figures, pack, type WindowSum } from './window-sum.js';
import { levelOf, LEVELS, SLOT_MS, type Window, windowStart } from './window-lengths.js';

/*
 * A history is a window divided into bins, oldest first, for charts. The bins of a pattern are the slots that its track holds anyway (10 s,
 * 1 min, 5 min or 1 h). The totals over all patterns have finer bins, which cost little because there is only one such history.
 */

/** A window that has a beginning. */
export type HistoryWindow = Exclude<Window, 'all'>;
export const HISTORY_WINDOWS = ['1m', '5m', '1h', '24h'] as const satisfies readonly HistoryWindow[];

/** The length of a bin of the totals over all patterns, milliseconds. It divides the slot length of its window. */
const FINE_MS: Readonly<Record<HistoryWindow, number>> = { '1m': 10_000, '5m': 10_000, '1h': 60_000, '24h': 600_000 };
const SPAN_MS: Readonly<Record<HistoryWindow, number>> = {
  '1m': 60_000,
  '5m': 300_000,
  '1h': 3_600_000,
  '24h': 86_400_000,
};

/** Returns the slot length of a window's level, milliseconds. */
export function slotMsOf(window: HistoryWindow): number {
  return LEVELS[levelOf(window)]!.slotMs;
}

/** The figures of one bin. */
export interface HistoryBin {
  /** Milliseconds since the Unix epoch. */
  readonly start: number;
  readonly lengthMs: number;
  readonly sum: WindowSum;
}

/** The bins of one window. Before `fineFrom`, a bin is as long as a slot. */
export class HistoryBins {
  readonly #bins = new Map<number, HistoryBin>();

  /** @param from when the first bin begins. Older slots are left out. */
  constructor(
    private readonly newSum: () => WindowSum,
    private readonly from: number,
    private readonly slotMs: number,
    private readonly fineMs = slotMs,
    private readonly fineFrom = -Infinity,
  ) {}

  /** Returns the bin of a time; undefined before the window. */
  at(ms: number): WindowSum | undefined {
    if (ms < this.from) return undefined;
    const lengthMs = this.#lengthAt(ms);
    const start = Math.floor(ms / lengthMs) * lengthMs;
    let bin = this.#bins.get(start);
    if (bin === undefined) this.#bins.set(start, (bin = { start, lengthMs, sum: this.newSum() }));
    return bin.sum;
  }

  /** Adds the bins of another history. */
  add(bins: Iterable<HistoryBin>): void {
    for (const { start, sum } of bins) this.at(start)?.add(sum);
  }

  /** Returns the bins, oldest first, including empty ones between `since` and `now`. */
  list(since: number, now: number): HistoryBin[] {
    for (let at = Math.max(since, this.from); at <= now;) {
      this.at(at);
      const lengthMs = this.#lengthAt(at);
      at = (Math.floor(at / lengthMs) + 1) * lengthMs;
    }
    return [...this.#bins.values()].sort((a, b) => a.start - b.start);
  }

  #lengthAt(ms: number): number {
    return ms < this.fineFrom ? this.slotMs : this.fineMs;
  }
}

/** Bins of one length. The latest bin is open; the earlier ones are packed. */
class RecentBins {
  readonly #shape: TrackShape;
  readonly #packed = new Map<number, Uint8Array<ArrayBuffer>>();
  readonly #open: WindowSum;
  #slot = -Infinity;

  constructor(
    shape: TrackShape,
    private readonly lengthMs: number,
    private readonly count: number,
  ) {
    this.#shape = shape;
    this.#open = shape.newSum();
  }

  add(ms: number, figures: Figures): void {
    const slot = Math.floor(ms / this.lengthMs);
    if (slot > this.#slot) this.#begin(slot);
    if (slot === this.#slot) return this.#open.add(figures);
    // A pattern closes its slot when it is next used, so a slot may be late.
    if (slot <= this.#slot - this.count) return;
    const { sum, reader } = this.#shape;
    sum.clear();
    const before = this.#packed.get(slot);
    if (before !== undefined) {
      reader.open(before, 0);
      sum.addPacked(reader, 'all');
    }
    sum.add(figures);
    this.#keep(slot, sum);
  }

  addTo(bins: HistoryBins): void {
    const { reader } = this.#shape;
    for (const [slot, bytes] of this.#packed) {
      const bin = bins.at(slot * this.lengthMs);
      if (bin === undefined) continue;
      reader.open(bytes, 0);
      bin.addPacked(reader, 'all');
    }
    if (this.#slot > -Infinity) bins.at(this.#slot * this.lengthMs)?.add(this.#open);
  }

  clear(): void {
    this.#packed.clear();
    this.#open.clear();
    this.#slot = -Infinity;
  }

  #begin(slot: number): void {
    if (this.#slot > -Infinity) this.#keep(this.#slot, this.#open);
    this.#open.clear();
    this.#slot = slot;
    for (const kept of this.#packed.keys()) if (kept <= slot - this.count) this.#packed.delete(kept);
  }

  #keep(slot: number, sum: WindowSum): void {
    const { writer } = this.#shape;
    writer.clear();
    pack(sum, writer);
    this.#packed.set(slot, writer.bytes.slice(0, writer.length));
  }
}

/** The closed slots of all patterns together in fine bins. They take about 70 KB when a busy day is full. */
export class OverallHistory {
  readonly #shape: TrackShape;
  readonly #recent = new Map<number, RecentBins>();
  /** The time from which the history is complete. */
  #since = -Infinity;

  constructor(counters: number, histograms: number) {
    this.#shape = new TrackShape(counters, histograms);
    for (const window of HISTORY_WINDOWS) {
      // If two windows have bins of the same length, the longer window comes later and replaces the other.
      const lengthMs = FINE_MS[window];
      this.#recent.set(lengthMs, new RecentBins(this.#shape, lengthMs, SPAN_MS[window] / lengthMs + 1));
    }
  }

  /** Adds a slot that a pattern closed. */
  absorb(slot: number, figures: Figures): void {
    for (const recent of this.#recent.values()) recent.add(slot * SLOT_MS, figures);
  }

  /** Removes everything. @param since the time from which the history is complete again. @default always */
  clear(since = -Infinity): void {
    for (const recent of this.#recent.values()) recent.clear();
    this.#since = since;
  }

  /** Returns the closed slots of a window. @param combined holds the time before this history is complete. */
  binsIn(window: HistoryWindow, now: number, combined: CombinedTrack): HistoryBins {
    const slotMs = slotMsOf(window);
    const fineMs = FINE_MS[window];
    const from = windowStart(window, now);
    const fineFrom = Math.ceil(this.#since / slotMs) * slotMs;
    const bins = new HistoryBins(() => this.#shape.newSum(), from, slotMs, fineMs, fineFrom);
    if (fineFrom > from) combined.addEachTo(bins, levelOf(window), fineFrom);
    const fine = new HistoryBins(() => this.#shape.newSum(), Math.max(from, fineFrom), slotMs, fineMs);
    this.#recent.get(fineMs)!.addTo(fine);
    bins.add(fine.list(Infinity, now));
    return bins;
  }
}
