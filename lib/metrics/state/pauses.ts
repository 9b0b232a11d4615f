import type { DumpReader, DumpWriter } from '../dumps/dump-bytes.js';

/** The most pauses that are stored. Above it, the oldest are dropped. */
const LIMIT = 64;

/** The times without observation since counting began, each from the end of one process to the start of the next. */
export class Pauses {
  #pauses: { readonly from: number; readonly to: number }[] = [];

  add(from: number, to: number): void {
    this.#pauses.push({ from, to });
    if (this.#pauses.length > LIMIT) this.#pauses.shift();
  }

  /** Returns the milliseconds of pauses between `from` and `to`. */
  within(from: number, to: number): number {
    return this.#pauses.reduce(
      (sum, pause) => sum + Math.max(0, Math.min(to, pause.to) - Math.max(from, pause.from)),
      0,
    );
  }

  clear(): void {
    this.#pauses = [];
  }

  save(dump: DumpWriter): void {
    dump.number(this.#pauses.length);
    for (const { from, to } of this.#pauses) {
      dump.number(from);
      dump.number(to);
    }
  }

  restore(dump: DumpReader): void {
    this.#pauses = [];
    for (let left = dump.count(LIMIT); left > 0; left--) this.add(dump.time(), dump.time());
  }
}
