import type { BusMessage } from './coordination.js';

/** Collects the names to send to other processes, each once. With too many names, it sends "everything" instead. */
export class Outbox {
  readonly #keys = new Set<string>();
  readonly #patterns = new Set<string>();
  readonly #tags = new Set<string>();
  readonly #maxNames: number;
  #all = false;
  #policies = false;

  constructor(maxNames: number) {
    this.#maxNames = maxNames;
  }

  get empty(): boolean {
    return !this.#all && !this.#policies && this.#names === 0;
  }

  add({ keys = [], patterns = [], tags = [], all = false, policies = false }: BusMessage): void {
    this.#policies ||= policies;
    if (this.#all) return;
    for (const key of keys) this.#keys.add(key);
    for (const pattern of patterns) this.#patterns.add(pattern);
    for (const tag of tags) this.#tags.add(tag);
    if (!all && this.#names <= this.#maxNames) return;
    this.#clear();
    this.#all = true;
  }

  /** Returns all names as one message and empties the outbox. */
  take(): BusMessage {
    const changed = this.#policies && { policies: true };
    const message: BusMessage = this.#all
      ? { all: true, ...changed }
      : {
          ...(this.#keys.size > 0 && { keys: [...this.#keys] }),
          ...(this.#patterns.size > 0 && { patterns: [...this.#patterns] }),
          ...(this.#tags.size > 0 && { tags: [...this.#tags] }),
          ...changed,
        };
    this.#clear();
    this.#all = false;
    this.#policies = false;
    return message;
  }

  get #names(): number {
    return this.#keys.size + this.#patterns.size + this.#tags.size;
  }

  #clear(): void {
    this.#keys.clear();
    this.#patterns.clear();
    this.#tags.clear();
  }
}
