import { FrameLog, NO_BYTES } from './frame-log.js';
import { Histogram, HistogramTotal } from './histogram.js';
import type { DumpReader, DumpWriter } from '../dumps/dump-bytes.js';
import type { Window } from './window-lengths.js';
import { type Figures, type FramePart, isEmpty, pack, restoreFigures, saveFigures, WindowSum } from './window-sum.js';
import { levelOf, LEVELS, SLOT_MS, windowStart } from './window-lengths.js';

import { PackedReader, PackedWriter } from '../dumps/packing.js';

/** The numbers of counters and histograms of one kind of tracks, and the buffers that these tracks share. */
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

  /** Returns an empty sum for tracks of this shape. */
  newSum(): WindowSum {
    return new WindowSum(this.counters, this.histograms);
  }
}

/** Is called before and when the open slot of a track closes. */
export interface SlotListener {
  /** Called before the open slot is read or closed. The slot still accepts figures. */
  settle(): void;
  closed(slot: number, figures: Figures): void;
}

/** The counters of a track without counts. */
const NO_COUNTERS = new Float64Array(0);
const NO_HISTOGRAMS: readonly Histogram[] = [];
const NO_TOTALS: number[] = [];
const NO_LOGS: readonly FrameLog[] = [];

/**
 * How many of the shortest slots make one of the second level. The next constant is for the third level, at which frames are folded into
 * the total.
 */
const PER_MINUTE = LEVELS[1]!.slotMs / SLOT_MS;
const PER_FOLD = LEVELS[2]!.slotMs / SLOT_MS;
const LONGEST = LEVELS.length - 1;

/**
 * Figures over time: an open slot that is written to, a total, and closed slots, packed in cascading logs. A track closes its slot when it
 * is next used in a later slot, so that many tracks do not close at once. An idle time of any length costs as much as one slot. Nothing is
 * allocated before something is counted.
 */
export class Track implements Figures {
  /** Empty before something was counted or restored. */
  counters = NO_COUNTERS;
  /** Empty before something was counted or restored. */
  histograms = NO_HISTOGRAMS;
  /** When the open slot ends. Call {@link advance} before writing at or after this time. */
  slotEnd = -Infinity;
  /** When counting began, milliseconds since the Unix epoch. */
  since: number;
  readonly #shape: TrackShape;
  readonly #listener: SlotListener | undefined;
  /** The packed histograms of the slots before {@link #unfolded}. */
  #total = NO_BYTES;
  #unfolded = -Infinity;
  /** The counters of all closed slots. */
  #totalCounters = NO_TOTALS;
  #totalMinMs = NO_TOTALS;
  #logs = NO_LOGS;
  /** The sum of the slots of the longest level from `first` on, cached by the last read. */
  #longest: { readonly first: number; readonly bytes: Uint8Array<ArrayBuffer> } | undefined;
  #slot = -Infinity;

  constructor(shape: TrackShape, since: number, listener?: SlotListener) {
    this.#shape = shape;
    this.#listener = listener;
    this.since = since;
  }

  /** When the open slot began; -Infinity if nothing was counted. */
  get slotStart(): number {
    return this.#slot * SLOT_MS;
  }

  /** Closes the open slot if its time is over. Call this before counting at `now`. */
  advance(now: number): void {
    if (now < this.slotEnd) return;
    if (this.#opened) this.rotate(now);
    else {
      this.#open();
      this.#enter(Math.floor(now / SLOT_MS));
      this.#unfolded = Math.floor(this.#slot / PER_MINUTE) * PER_MINUTE;
    }
  }

  /** Closes the open slot if its time is over. Call this before reading. */
  rotate(now: number): void {
    const slot = Math.floor(now / SLOT_MS);
    if (!(slot > this.#slot) || !this.#opened) return;
    this.#listener?.settle();
    const closed = this.#slot;
    if (!isEmpty(this)) {
      const { writer } = this.#shape;
      writer.clear();
      pack(this, writer);
      this.#logs[0]!.append(closed, writer);
      for (let at = 0; at < this.counters.length; at++) this.#totalCounters[at]! += this.counters[at]!;
      for (let at = 0; at < this.histograms.length; at++) {
        this.#totalMinMs[at] = Math.min(this.#totalMinMs[at]!, this.histograms[at]!.minMs);
      }
      this.#listener?.closed(closed, this);
      this.counters.fill(0);
      for (const histogram of this.histograms) histogram.clear();
    }
    this.#cascade(closed, slot);
    this.#enter(slot);
  }

  /** Updates derived figures of the open slot. */
  settle(): void {
    if (this.#opened) this.#listener?.settle();
  }

  /** Adds the figures of a window to `sum`. With `countersOnly`, histograms are left out. */
  addTo(sum: WindowSum, window: Window, now: number, countersOnly = false): void {
    if (!this.#opened) return;
    this.rotate(now);
    this.#listener?.settle();
    sum.add(this, countersOnly);
    const part = countersOnly ? 'counters' : 'all';
    if (window === 'all') return this.#addTotalTo(sum, part);
    const at = Math.max(now, this.#slot * SLOT_MS);
    let from = windowStart(window, at);
    for (let level = levelOf(window); level >= 0; level--) {
      const { slotMs } = LEVELS[level]!;
      const first = Math.ceil(from / slotMs);
      if (level === LONGEST) this.#addLongestTo(sum, first, part);
      else this.#logs[level]!.addTo(sum, first, this.#shape.reader, part);
      // The finer levels cover the slot of this level that is not over yet.
      from = Math.max(from, Math.floor(at / slotMs) * slotMs);
    }
  }

  /** Adds each slot of a window, including the open one, to its bin. */
  addEachTo(bins: { at(ms: number): WindowSum | undefined }, window: Exclude<Window, 'all'>, now: number): void {
    if (!this.#opened) return;
    this.rotate(now);
    this.#listener?.settle();
    bins.at(this.slotStart)?.add(this);
    const at = Math.max(now, this.slotStart);
    let from = -Infinity;
    for (let level = levelOf(window); level >= 0; level--) {
      const { slotMs } = LEVELS[level]!;
      const first = from;
      this.#logs[level]!.addEachTo(
        (slot) => (slot * slotMs >= first ? bins.at(slot * slotMs) : undefined),
        this.#shape.reader,
      );
      // The finer levels cover the slot of this level that is not over yet.
      from = Math.floor(at / slotMs) * slotMs;
    }
  }

  /** Returns a counter since {@link since}, including the open slot. */
  totalOf(counter: number): number {
    return this.#opened ? this.#totalCounters[counter]! + this.counters[counter]! : 0;
  }

  /** Returns histogram `at` since {@link since}, including the open slot. */
  totalTimesOf(at: number): HistogramTotal {
    const times = new HistogramTotal();
    if (!this.#opened) return times;
    const { sum } = this.#shape;
    sum.clear();
    this.#addTotalTo(sum, 'all');
    times.add(sum.histograms[at]!);
    times.add(this.histograms[at]!);
    return times;
  }

  /** True if nothing was counted. */
  get isEmpty(): boolean {
    return !this.#opened || (isEmpty(this) && this.#totalCounters.every((count) => count === 0));
  }

  /** Adds the counts of another track of the same shape. @param histograms the histograms that both tracks have. */
  add(other: Track, now: number, histograms: readonly number[]): void {
    this.#combine(other, now, (sum, part) => sum.addOnly(part, histograms));
    other.#totalMinMs.forEach((ms, at) => {
      if (histograms.includes(at)) this.#totalMinMs[at] = Math.min(this.#totalMinMs[at]!, ms);
    });
  }

  /** Subtracts the counts of another track that counted at the same times. The extremes of durations stay. */
  subtract(other: Track, now: number, histograms: readonly number[]): void {
    this.#combine(other, now, (sum, part) => sum.subtract(part, histograms));
  }

  /** Changes every slot and the total by the figures of another track for the same slot. */
  #combine(other: Track, now: number, change: (sum: WindowSum, part: WindowSum) => void): void {
    if (!other.#opened) return;
    const at = Math.max(now, this.slotStart, other.slotStart);
    this.advance(at);
    other.advance(at);
    for (const track of [this, other]) {
      track.#listener?.settle();
      track.#foldClosed();
    }
    const { reader, writer } = this.#shape;
    const [sum, part] = [this.#shape.newSum(), this.#shape.newSum()];
    const changed = (fill: (track: Track, into: WindowSum) => void): WindowSum => {
      sum.clear();
      part.clear();
      fill(this, sum);
      fill(other, part);
      change(sum, part);
      return sum;
    };
    changed((track, into) => into.add(track));
    this.counters.set(sum.counters);
    this.histograms.forEach((histogram, place) => histogram.restore(sum.histograms[place]!));
    changed((track, into) => track.#addTotalTo(into, 'all'));
    this.#totalCounters = Array.from(sum.counters);
    this.#keepTotal(sum);
    this.#logs.forEach((log, level) => {
      const slots = new Set([...log.slots(), ...other.#logs[level]!.slots()]);
      const combined = new FrameLog();
      for (const slot of [...slots].sort((a, b) => a - b)) {
        changed((track, into) => track.#logs[level]!.addSlotTo(into, slot, reader));
        if (isEmpty(sum)) continue;
        writer.clear();
        pack(sum, writer);
        combined.append(slot, writer);
      }
      log.takeOver(combined);
    });
    this.#longest = undefined;
  }

  /** Folds all closed slots into the total. */
  #foldClosed(): void {
    const { sum } = this.#shape;
    sum.clear();
    this.#addTimesTo(sum);
    this.#keepTotal(sum);
    this.#unfolded = this.#slot;
  }

  reset(now: number): void {
    this.counters = NO_COUNTERS;
    this.histograms = NO_HISTOGRAMS;
    this.#total = NO_BYTES;
    this.#totalCounters = NO_TOTALS;
    this.#totalMinMs = NO_TOTALS;
    this.#logs = NO_LOGS;
    this.#longest = undefined;
    this.#slot = this.#unfolded = this.slotEnd = -Infinity;
    this.since = now;
  }

  /** Writes the whole state. Closes no slot. */
  save(dump: DumpWriter): void {
    dump.flag(this.#opened);
    dump.number(this.since);
    if (!this.#opened) return;
    this.#listener?.settle();
    dump.number(this.#slot);
    saveFigures(this, dump);
    const { sum } = this.#shape;
    sum.clear();
    this.#addTotalTo(sum, 'all');
    saveFigures(sum, dump);
    for (const log of this.#logs) log.save(dump);
  }

  /** Replaces the state by that of another track of the same shape. Overdue slots close when this track is next used. */
  restore(dump: DumpReader): void {
    const opened = dump.flag();
    this.reset(dump.time());
    if (!opened) return;
    this.#open();
    this.#enter(dump.slot(SLOT_MS));
    const { sum } = this.#shape;
    sum.clear();
    restoreFigures(sum, dump);
    this.counters.set(sum.counters);
    this.histograms.forEach((histogram, at) => histogram.restore(sum.histograms[at]!));
    sum.clear();
    restoreFigures(sum, dump);
    this.#totalCounters = Array.from(sum.counters);
    this.#totalMinMs = sum.histograms.map(({ minMs }) => minMs);
    this.#keepTotal(sum);
    this.#unfolded = this.#slot;
    const { counters, histograms } = this.#shape;
    this.#logs.forEach((log, level) => log.restore(dump, LEVELS[level]!, counters, histograms));
  }

  /** Adds the slots of the longest level. There are many, and they change once an hour, so their sum is cached for the next read. */
  #addLongestTo(sum: WindowSum, first: number, part: FramePart): void {
    const { reader, writer, sum: merged } = this.#shape;
    if (this.#longest?.first !== first) {
      merged.clear();
      this.#logs[LONGEST]!.addTo(merged, first, reader, 'all');
      writer.clear();
      pack(merged, writer);
      this.#longest = { first, bytes: writer.bytes.slice(0, writer.length) };
    }
    reader.open(this.#longest.bytes, 0);
    sum.addPacked(reader, part);
  }

  get #opened(): boolean {
    return this.#logs.length > 0;
  }

  #open(): void {
    const { counters, histograms } = this.#shape;
    this.counters = new Float64Array(counters);
    this.histograms = Array.from({ length: histograms }, () => new Histogram());
    this.#totalCounters = new Array<number>(counters).fill(0);
    this.#totalMinMs = new Array<number>(histograms).fill(Infinity);
    this.#logs = LEVELS.map(() => new FrameLog());
  }

  #enter(slot: number): void {
    this.#slot = slot;
    this.slotEnd = (slot + 1) * SLOT_MS;
  }

  #keepTotal(sum: WindowSum): void {
    const { writer } = this.#shape;
    sum.counters.fill(0);
    writer.clear();
    pack(sum, writer);
    if (this.#total.length < writer.length) this.#total = new Uint8Array(Math.ceil(writer.length * 1.125));
    this.#total.set(writer.bytes.subarray(0, writer.length));
  }

  #addTotalTo(sum: WindowSum, part: FramePart): void {
    for (let at = 0; at < this.#totalCounters.length; at++) sum.counters[at]! += this.#totalCounters[at]!;
    if (part === 'counters') return;
    this.#addTimesTo(sum);
    for (let at = 0; at < this.#totalMinMs.length; at++) {
      const histogram = sum.histograms[at]!;
      histogram.minMs = Math.min(histogram.minMs, this.#totalMinMs[at]!);
    }
  }

  /** Adds the histograms of all closed slots: the total, and the slots that are not folded into it yet. */
  #addTimesTo(sum: WindowSum): void {
    const { reader } = this.#shape;
    if (this.#total.length > 0) {
      reader.open(this.#total, 0);
      sum.addPacked(reader, 'times');
    }
    this.#logs[1]!.addTo(sum, Math.ceil(this.#unfolded / PER_MINUTE), reader, 'times');
    const minute = Math.floor(this.#slot / PER_MINUTE);
    this.#logs[0]!.addTo(sum, Math.max(this.#unfolded, minute * PER_MINUTE), reader, 'times');
  }

  /** Merges slots of a level into a slot of the next level when that slot is over, and drops slots that are too old. */
  #cascade(closed: number, open: number): void {
    const { sum, writer, reader } = this.#shape;
    this.#fold(closed, open);
    let merged = closed;
    let current = open;
    for (let level = 1; level < LEVELS.length; level++) {
      const { merges } = LEVELS[level]!;
      const longer = Math.floor(merged / merges);
      const openLonger = Math.floor(current / merges);
      if (longer === openLonger) break;
      sum.clear();
      this.#logs[level - 1]!.addTo(sum, longer * merges, reader, 'all');
      if (!isEmpty(sum)) {
        writer.clear();
        pack(sum, writer);
        this.#logs[level]!.append(longer, writer);
        if (level === LONGEST) this.#longest = undefined;
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

  /**
   * Folds closed slots into the total every five minutes, because unpacking and packing the total is most of the work. Folds sooner if the
   * slots would otherwise be merged with slots that the total already includes.
   */
  #fold(closed: number, open: number): void {
    const minuteIsOver = Math.floor(closed / PER_MINUTE) !== Math.floor(open / PER_MINUTE);
    const due = Math.floor(closed / PER_FOLD) !== Math.floor(open / PER_FOLD);
    if (!due && !(minuteIsOver && this.#unfolded % PER_MINUTE !== 0)) return;
    const { sum } = this.#shape;
    sum.clear();
    this.#addTimesTo(sum);
    this.#keepTotal(sum);
    this.#unfolded = Math.floor(open / PER_MINUTE) * PER_MINUTE;
  }
}
