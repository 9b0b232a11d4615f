import type { Clock } from '../cache/clock.js';

/** When a batch is sent though it is not full. */
export interface BatchLimits {
  readonly size: number;
  readonly lingerMs: number;
}

/** Gathers items and hands them on together: when `size` have come, or `lingerMs` after the first. */
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

  /** Hands on what has gathered. */
  flush(): void {
    this.#cancelLinger?.();
    this.#cancelLinger = undefined;
    if (this.#items.length === 0) return;
    const items = this.#items;
    this.#items = [];
    const sending = this.send(items).finally(() => this.#sending.delete(sending));
    this.#sending.add(sending);
  }

  /** Hands on what has gathered and resolves when everything handed on is done. */
  async drain(): Promise<void> {
    this.flush();
    await Promise.all(this.#sending);
  }
}
