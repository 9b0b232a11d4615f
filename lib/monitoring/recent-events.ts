import { randomBytes } from 'node:crypto';

/** The most events that are kept, and the most characters of all of them together. */
const MAX_EVENTS = 100;
const MAX_LENGTH = 200_000;

/**
 * Keeps the latest events for clients that reconnect with the id of the last event that they received. Ticks are not kept, because the
 * next tick replaces them. Ids differ between processes, because a client may reconnect to another process.
 */
export class RecentEvents {
  readonly #run = randomBytes(6).toString('hex');
  #events: { readonly number: number; readonly frame: string }[] = [];
  #length = 0;

  /** Returns the id of an event of this process. @param number the number of events and ticks so far. */
  idOf(number: number): string {
    return `${this.#run}-${number}`;
  }

  add(number: number, frame: string): void {
    this.#events.push({ number, frame });
    this.#length += frame.length;
    while (this.#events.length > MAX_EVENTS || this.#length > MAX_LENGTH) {
      this.#length -= this.#events.shift()!.frame.length;
    }
  }

  /**
   * Returns the kept events that followed an event.
   * @param last the id of that event, as a client sent it. An empty id returns no events; an id of another process returns all.
   */
  after(last: string): string[] {
    if (last === '') return [];
    const received = last.startsWith(`${this.#run}-`) ? Number(last.slice(this.#run.length + 1)) : -1;
    return this.#events.filter(({ number }) => number > received).map(({ frame }) => frame);
  }

  clear(): void {
    this.#events = [];
    this.#length = 0;
  }
}
