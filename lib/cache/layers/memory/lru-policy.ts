import type { KeptEntry } from '../../entries/kept-entry.js';
import { EntryList } from './entry-list.js';
import type { Evictable, EvictionPolicy } from './eviction-policy.js';

/*
 * Evicts the entry whose last request is the longest ago (least recently used).
 *
 * LRU assumes that a requested key will soon be requested again. It needs no tuning, adapts at once when popularity changes, and is what
 * most people expect of a cache. It is not the default, because it has two weaknesses. A scan, such as a crawler or an export, requests
 * many keys once and evicts keys that are requested all day. And LRU ignores load time and size: one large answer that was cheap to load
 * evicts a hundred small ones that were expensive.
 *
 * Choose it if recent keys are the ones requested next: sessions, work queues, or a set of keys that changes as a whole.
 *
 * Source: Mattson, Gecsei, Slutz and Traiger, Evaluation techniques for storage hierarchies, IBM Systems Journal 9(2), 1970.
 */
export class LruPolicy<E extends Evictable<E> = KeptEntry> implements EvictionPolicy<E> {
  readonly name = 'lru';
  /** Least recently used first. */
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

  // LRU counts no requests, so return the most recent keys. Do it in one step, because reads change the order.
  // eslint-disable-next-line require-yield
  *hottest(_: Iterable<E>, limit: number): Generator<void, string[]> {
    const keys: string[] = [];
    for (let entry = this.#order.last; entry !== undefined && keys.length < limit; entry = entry.older) {
      keys.push(entry.key!);
    }
    return keys;
  }
}
