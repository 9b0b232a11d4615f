import type { Evictable } from './eviction-policy.js';

type Linked<E> = Pick<Evictable<E>, 'older' | 'newer'>;

/** A list of entries, linked by their fields `older` and `newer`. An entry is in at most one list. */
export class EntryList<E extends Linked<E>> {
  first: E | undefined;
  last: E | undefined;

  push(entry: E): void {
    const { last } = this;
    if (last === undefined) this.first = entry;
    else last.newer = entry;
    entry.older = last;
    this.last = entry;
  }

  remove(entry: E): void {
    const { older, newer } = entry;
    if (older === undefined) this.first = newer;
    else older.newer = newer;
    if (newer === undefined) this.last = older;
    else newer.older = older;
    // Clear the links, so that a removed entry does not keep its neighbours in memory.
    entry.older = entry.newer = undefined;
  }

  /** Moves an entry to the end. It must not be the last one. */
  renew(entry: E): void {
    const { older } = entry;
    const newer = entry.newer!;
    newer.older = older;
    if (older === undefined) this.first = newer;
    else older.newer = newer;
    const last = this.last!;
    last.newer = entry;
    entry.older = last;
    entry.newer = undefined;
    this.last = entry;
  }

  *[Symbol.iterator](): Generator<E> {
    for (let entry = this.first; entry !== undefined; entry = entry.newer) yield entry;
  }

  clear(): void {
    this.first = this.last = undefined;
  }
}
