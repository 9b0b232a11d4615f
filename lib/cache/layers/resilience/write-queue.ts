import type { Entry } from '../../entries/entry.js';
import type { LoadTicket } from '../load-ticket.js';

/** A write that waits. */
export interface QueuedWrite {
  readonly key: string;
  readonly entry: Entry;
  readonly ticket: LoadTicket;
  /** True for a value that was set, not loaded: no older value may be read in its place. */
  readonly explicit: boolean;
}

/** Waiting writes, one per key: the last wins and keeps the position of the first. Oldest first. */
export class WriteQueue {
  readonly #writes = new Map<string, QueuedWrite>();
  readonly #maxWrites: number;
  readonly #maxBytes: number;
  #bytes = 0;

  constructor(maxWrites: number, maxBytes: number) {
    this.#maxWrites = maxWrites;
    this.#maxBytes = maxBytes;
  }

  get depth(): number {
    return this.#writes.size;
  }

  get(key: string): QueuedWrite | undefined {
    return this.#writes.get(key);
  }

  /** @returns the writes that were dropped because the queue was full. */
  add(write: QueuedWrite): QueuedWrite[] {
    const before = this.#writes.get(write.key);
    this.#writes.set(write.key, write);
    this.#bytes += write.entry.size - (before?.entry.size ?? 0);
    const dropped: QueuedWrite[] = [];
    while (this.#writes.size > this.#maxWrites || (this.#bytes > this.#maxBytes && this.#writes.size > 0)) {
      const [oldest] = this.#writes.values();
      this.remove(oldest!.key);
      dropped.push(oldest!);
    }
    return dropped;
  }

  /** Puts failed writes back at the front, except if the key has a newer one. */
  restore(writes: readonly QueuedWrite[]): QueuedWrite[] {
    const newer = [...this.#writes.values()];
    this.clear();
    const dropped: QueuedWrite[] = [];
    for (const write of [...writes, ...newer]) dropped.push(...this.add(write));
    return dropped;
  }

  remove(key: string): boolean {
    const write = this.#writes.get(key);
    if (write === undefined) return false;
    this.#bytes -= write.entry.size;
    return this.#writes.delete(key);
  }

  /** Removes matching writes. @returns how many. */
  removeWhere(matches: (write: QueuedWrite) => boolean): number {
    let removed = 0;
    for (const write of this.#writes.values()) if (matches(write) && this.remove(write.key)) removed++;
    return removed;
  }

  take(count: number): QueuedWrite[] {
    const taken: QueuedWrite[] = [];
    for (const write of this.#writes.values()) {
      if (taken.length === count) break;
      taken.push(write);
    }
    for (const { key } of taken) this.remove(key);
    return taken;
  }

  keys(): Iterable<string> {
    return this.#writes.keys();
  }

  clear(): void {
    this.#writes.clear();
    this.#bytes = 0;
  }
}
