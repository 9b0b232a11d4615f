import { globMatcher } from '../../base/glob.js';
import type { StoreListing, TextStore } from './text-store.js';

const MAX_KEYS = 100_000;
const AT_ONCE = 1_000;

/**
 * The keys that this process wrote to a store that cannot list its keys. Removals by glob use them, so they miss the keys of other
 * processes. Above a limit, the oldest keys are forgotten.
 */
export class KeyIndex implements StoreListing {
  readonly #keys = new Set<string>();
  readonly #store: TextStore;
  readonly #nameOf: (key: string) => string;

  constructor(store: TextStore, nameOf: (key: string) => string) {
    this.#store = store;
    this.#nameOf = nameOf;
  }

  add(key: string): void {
    if (this.#keys.has(key)) return;
    this.#keys.add(key);
    if (this.#keys.size > MAX_KEYS) for (const oldest of this.#keys) return void this.#keys.delete(oldest);
  }

  delete(key: string): void {
    this.#keys.delete(key);
  }

  async *find(glob: string): AsyncGenerator<readonly string[]> {
    for (const part of this.#parts(glob)) {
      const values = await this.#store.getMany(part.map(this.#nameOf));
      const present = part.filter((_, index) => values[index] !== undefined && values[index] !== null);
      if (present.length > 0) yield present;
    }
  }

  async remove(glob: string): Promise<number> {
    let count = 0;
    for (const part of this.#parts(glob)) {
      count += await this.#store.deleteMany(part.map(this.#nameOf));
      for (const key of part) this.#keys.delete(key);
    }
    return count;
  }

  #parts(glob: string): string[][] {
    const found = [...this.#keys].filter(globMatcher(glob));
    const parts: string[][] = [];
    for (let from = 0; from < found.length; from += AT_ONCE) parts.push(found.slice(from, from + AT_ONCE));
    return parts;
  }
}
