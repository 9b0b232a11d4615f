import type { KeptEntry } from '../../entries/kept-entry.js';
import { EntryList } from './entry-list.js';
import type { Evictable, EvictionPolicy } from './eviction-policy.js';

/*
 * Evicts the entry that was not requested for the longest time (least recently used).
 *
 * LRU assumes that a key that was requested will soon be requested again. It needs no tuning, adapts at once when popularity changes,
 * and is what most people expect of a cache. It has two weaknesses, so it is not the default. A scan, such as a crawler
 * or an export, requests many keys once and evicts keys that are requested all day. And it considers neither the cost of a load nor the
 * size of an entry: one large answer that was cheap to load evicts a hundred small ones that were expensive.
 *
 * Choose it if requests follow recency closely: sessions, work queues, a working set that changes as a whole.
 *
 * Source: Mattson, Gecsei, Slutz and Traiger, Evaluation techniques for storage hierarchies, IBM Systems Journal 9(2), 1970.
 */
export class LruPolicy<E extends Evictable<E> = KeptEntry> implements EvictionPolicy<E> {
  readonly name = 'lru';
  /** The least recently used first. */
  readonly #order = new EntryList<E>();

  use(entry: E): void {
    if (entry !== this.#order.last) this.#order.renew(entry);
  }

  useOften(entry: E): void {
    this.use(entry);
  }

  recall(): void {}

  add(entry: E): void {
    this.#order.push(entry);
  }

  remove(entry: E): void {
    this.#order.remove(entry);
  }

  expire(entry: E): void {
    this.#order.remove(entry);
  }

  evict(): E {
    const entry = this.#order.first!;
    this.#order.remove(entry);
    return entry;
  }

  clear(): void {
    this.#order.clear();
  }

  inOrder(): Iterable<E> {
    return this.#order;
  }

  // The order is recency, so there is no count; in one step, because reads change the order.
  // eslint-disable-next-line require-yield
  *hottest(_: Iterable<E>, limit: number): Generator<void, string[]> {
    const keys: string[] = [];
    for (let entry = this.#order.last; entry !== undefined && keys.length < limit; entry = entry.older) {
      keys.push(entry.key!);
    }
    return keys;
  }
}
