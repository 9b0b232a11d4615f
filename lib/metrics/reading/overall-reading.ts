import type { Window } from '../snapshot.js';
import type { Track } from '../windows/track.js';
import type { Figures, WindowSum } from '../windows/window-sum.js';
import { SLOT_MS } from '../windows/windows.js';

/** All patterns together in a window. */
export interface OverallSum {
  readonly window: Window;
  readonly sum: WindowSum;
  /** Seconds of the window that were observed. */
  readonly coverageSeconds: number;
}

/**
 * Adds the open slots of patterns to a sum that holds their closed ones, each pattern once, in as many turns of the event loop as
 * it takes. A slot that closes meanwhile is taken as it closes: closed slots are in the sum as they were at the beginning, so
 * that nothing is lost or told twice.
 */
export class OverallReading {
  readonly #sum: WindowSum;
  readonly #from: number;
  readonly #taken = new Set<Figures>();

  /** @param from when the oldest slot of the window begins, milliseconds since the Unix epoch. */
  constructor(sum: WindowSum, from: number) {
    this.#sum = sum;
    this.#from = from;
  }

  /** As {@link add}, where slots may close before the reading is through. */
  take(track: Track): void {
    if (this.#taken.has(track)) return;
    this.#taken.add(track);
    this.add(track);
  }

  /** Adds the open slot of a pattern. One that is due stays open until its pattern is touched: reading rotates nothing. */
  add(track: Track): void {
    if (track.slotStart < this.#from) return;
    track.settle();
    this.#sum.add(track);
  }

  /** Called when a pattern closes a slot, whose figures are settled. */
  closing(slot: number, figures: Figures): void {
    if (this.#taken.has(figures)) return;
    this.#taken.add(figures);
    if (slot * SLOT_MS >= this.#from) this.#sum.add(figures);
  }
}
