import type { Entry } from '../entry.js';
import { type KeptEntry, ownEntry } from './kept-entry.js';

/**
 * Entries by key, in the order of their use. The links are the entries' own: it takes memory as it fills, a look-up is one of
 * a `Map`, and what a use moves are neighbours, not places in arrays of their own.
 */
export class RecencyMap {
  readonly #entries = new Map<string, KeptEntry>();
  #newest: KeptEntry | undefined;
  #oldest: KeptEntry | undefined;
  #bytes = 0;

  get size(): number {
    return this.#entries.size;
  }

  /** Sizes of the entries together. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The least recently used. */
  get oldest(): KeptEntry | undefined {
    return this.#oldest;
  }

  /** Counts as a use. */
  get(key: string): KeptEntry | undefined {
    const entry = this.#entries.get(key);
    if (entry !== undefined && entry !== this.#newest) this.#use(entry);
    return entry;
  }

  /** Counts as no use. */
  peek(key: string): KeptEntry | undefined {
    return this.#entries.get(key);
  }

  /** Keeps an entry as the most recently used, in place of another of its key. */
  set(key: string, entry: Entry): void {
    const known = this.#entries.get(key);
    if (known !== undefined) {
      if (known === entry) return void this.get(key);
      this.#unlink(known);
    }
    const kept = ownEntry(entry);
    kept.key = key;
    this.#entries.set(key, kept);
    this.#bytes += kept.size;
    this.#link(kept);
  }

  delete(key: string): boolean {
    const entry = this.#entries.get(key);
    if (entry === undefined) return false;
    this.#entries.delete(key);
    this.#unlink(entry);
    return true;
  }

  /** In the order in which they came; a walk may go on while others come and go. */
  keys(): IterableIterator<string> {
    return this.#entries.keys();
  }

  clear(): void {
    for (const entry of this.#entries.values()) forget(entry);
    this.#entries.clear();
    this.#newest = this.#oldest = undefined;
    this.#bytes = 0;
  }

  /** Moves one that is not the newest to the end. */
  #use(entry: KeptEntry): void {
    const { older } = entry;
    const newer = entry.newer!;
    newer.older = older;
    if (older === undefined) this.#oldest = newer;
    else older.newer = newer;
    const newest = this.#newest!;
    newest.newer = entry;
    entry.older = newest;
    entry.newer = undefined;
    this.#newest = entry;
  }

  #link(entry: KeptEntry): void {
    const newest = this.#newest;
    if (newest === undefined) this.#oldest = entry;
    else newest.newer = entry;
    entry.older = newest;
    this.#newest = entry;
  }

  #unlink(entry: KeptEntry): void {
    const { older, newer } = entry;
    if (older === undefined) this.#oldest = newer;
    else older.newer = newer;
    if (newer === undefined) this.#newest = older;
    else newer.older = older;
    this.#bytes -= entry.size;
    forget(entry);
  }
}

/** Links of what is gone would keep its neighbours alive. */
function forget(entry: KeptEntry): void {
  entry.key = entry.older = entry.newer = undefined;
}
