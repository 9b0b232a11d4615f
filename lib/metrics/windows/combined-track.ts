import type { DumpReader, DumpWriter } from '../dumps/dump-bytes.js';
import type { Window } from './window-lengths.js';
import { type Figures, restoreFigures, saveFigures, WindowSum } from './window-sum.js';
import { levelOf, LEVELS, SLOT_MS, windowStart } from './window-lengths.js';

interface Frame {
  slot: number;
  readonly sum: WindowSum;
}

/**
 * The closed slots of all patterns together. Each pattern closes its slots when it is next used, so slots arrive in any order. Therefore
 * every level accepts late slots and is written directly.
 */
export class CombinedTrack {
  readonly #counters: number;
  readonly #histograms: number;
  readonly #total: WindowSum;
  readonly #levels: (Frame | undefined)[][] = LEVELS.map(({ slots }) => new Array<Frame | undefined>(slots + 1));

  constructor(counters: number, histograms: number) {
    this.#counters = counters;
    this.#histograms = histograms;
    this.#total = new WindowSum(counters, histograms);
  }

  /** Adds a slot that a pattern closed. */
  absorb(slot: number, figures: Figures): void {
    this.#total.add(figures);
    for (let level = 0; level < LEVELS.length; level++) {
      const { slotMs } = LEVELS[level]!;
      this.#frame(level, Math.floor((slot * SLOT_MS) / slotMs))?.add(figures);
    }
  }

  /** Adds the closed slots of a window to `sum`. The patterns hold the open slots. */
  addTo(sum: WindowSum, window: Window, now: number, countersOnly = false): void {
    if (window === 'all') return sum.add(this.#total, countersOnly);
    const level = levelOf(window);
    const first = Math.ceil(windowStart(window, now) / LEVELS[level]!.slotMs);
    for (const frame of this.#levels[level]!)
      if (frame !== undefined && frame.slot >= first) sum.add(frame.sum, countersOnly);
  }

  /** Adds each slot of a level that begins before `before` to its bin. */
  addEachTo(bins: { at(ms: number): WindowSum | undefined }, level: number, before: number): void {
    const { slotMs } = LEVELS[level]!;
    for (const frame of this.#levels[level]!) {
      if (frame !== undefined && frame.slot * slotMs < before) bins.at(frame.slot * slotMs)?.add(frame.sum);
    }
  }

  reset(): void {
    this.#total.clear();
    for (const frames of this.#levels) frames.fill(undefined);
  }

  save(dump: DumpWriter): void {
    saveFigures(this.#total, dump);
    for (const frames of this.#levels) {
      const filled = frames.filter((frame) => frame !== undefined);
      dump.number(filled.length);
      for (const { slot, sum } of filled) {
        dump.number(slot);
        saveFigures(sum, dump);
      }
    }
  }

  restore(dump: DumpReader): void {
    this.reset();
    restoreFigures(this.#total, dump);
    for (let level = 0; level < LEVELS.length; level++) {
      for (let left = dump.count(this.#levels[level]!.length); left > 0; left--) {
        restoreFigures(
          this.#frame(level, dump.slot(LEVELS[level]!.slotMs)) ?? new WindowSum(this.#counters, this.#histograms),
          dump,
        );
      }
    }
  }

  #frame(level: number, slot: number): WindowSum | undefined {
    const frames = this.#levels[level]!;
    const at = slot % frames.length;
    const frame = frames[at];
    if (frame === undefined) {
      const made = { slot, sum: new WindowSum(this.#counters, this.#histograms) };
      frames[at] = made;
      return made.sum;
    }
    if (frame.slot === slot) return frame.sum;
    if (frame.slot > slot) return undefined;
    frame.slot = slot;
    frame.sum.clear();
    return frame.sum;
  }
}
