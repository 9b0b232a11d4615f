import type { Entry } from '../../entries/entry.js';
import type { LoadTicket } from '../load-ticket.js';

/** A write in the queue. */
export interface QueuedWrite {
  readonly key: string;
  readonly entry: Entry;
  readonly ticket: LoadTicket;
  /** True for a value that was set, not loaded. Then no older value may be read. */
  readonly explicit: boolean;
}

/** The waiting writes, oldest first, one per key. The last write of a key replaces an earlier one and takes its position. */
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

  /** Puts failed writes back at the front, unless there is a newer write of their key. @returns the writes that were dropped. */
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

  /** Removes matching writes. @returns their number. */
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
