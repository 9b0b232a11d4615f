/** Events that a client may have missed, at most, and their characters together. */
const MAX_EVENTS = 100;
const MAX_LENGTH = 200_000;

/** The latest events, for clients that come back with the number of the last one they were sent. Ticks are not kept: a new one comes. */
export class RecentEvents {
  #events: { readonly id: number; readonly frame: string }[] = [];
  #length = 0;

  add(id: number, frame: string): void {
    this.#events.push({ id, frame });
    this.#length += frame.length;
    while (this.#events.length > MAX_EVENTS || this.#length > MAX_LENGTH) {
      this.#length -= this.#events.shift()!.frame.length;
    }
  }

  /**
   * What came after an event.
   * @param last its id, as a client sent it: nothing for one that was never given out, as by a process before this.
   * @param newest the id given out last.
   */
  after(last: string, newest: number): string[] {
    if (!/^\d{1,15}$/.test(last) || Number(last) > newest) return [];
    return this.#events.filter(({ id }) => id > Number(last)).map(({ frame }) => frame);
  }

  clear(): void {
    this.#events = [];
    this.#length = 0;
  }
}
