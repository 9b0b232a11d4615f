/** The most events kept for clients that reconnect, and the most characters of them together. */
const MAX_EVENTS = 100;
const MAX_LENGTH = 200_000;

/**
 * Keeps the latest events, for clients that reconnect with the id of the last event they received. Ticks are not kept: the next tick
 * replaces them.
 */
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
   * Returns the frames of all kept events after an event.
   * @param last the id of the event, as a client sent it. An unknown id, such as one of an earlier process, returns none.
   * @param newest the latest id.
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
