import type { Clock } from '../cache/base/clock.js';

/** Limits at which a batch is sent. */
export interface BatchLimits {
  readonly size: number;
  readonly lingerMs: number;
}

/** Collects items and sends them together: when there are `size`, or `lingerMs` after the first. */
export class Batch<T> {
  #items: T[] = [];
  #cancelLinger: (() => void) | undefined;
  readonly #sending = new Set<Promise<void>>();

  /** @param send must not reject. */
  constructor(
    private readonly limits: BatchLimits,
    private readonly clock: Clock,
    private readonly send: (items: readonly T[]) => Promise<void>,
  ) {}

  add(item: T): void {
    this.#items.push(item);
    if (this.#items.length >= this.limits.size) this.flush();
    else this.#cancelLinger ??= this.clock.after(this.limits.lingerMs, () => this.flush());
  }

  /** Sends the collected items. */
  flush(): void {
    this.#cancelLinger?.();
    this.#cancelLinger = undefined;
    if (this.#items.length === 0) return;
    const items = this.#items;
    this.#items = [];
    const sending = this.send(items).finally(() => this.#sending.delete(sending));
    this.#sending.add(sending);
  }

  /** Sends the collected items and resolves when every batch is done. */
  async drain(): Promise<void> {
    this.flush();
    await Promise.all(this.#sending);
  }
}
