import { textHash } from './text-hash.js';

/** An object in a {@link KeyTable}, in one table at most. */
export interface KeyTableItem<T> {
  readonly key: string;
  /** The hash of the key, once the item has been in a table. */
  hash: number;
  /** The next item of the same bucket. */
  nextInBucket: T | undefined;
}

const FEWEST_BUCKETS = 16;

/**
 * A hash table for objects that are added and removed all the time.
 *
 * A `Map` would keep removed objects in memory: V8 replaces a map's table after as many removals as the map has places, and the old table
 * links to the new one. Once one of them is in the old generation, all later tables and their objects stay until a full collection. With
 * 16 loads in flight that tripled the time of garbage collection. Here only present items are linked.
 */
export class KeyTable<T extends KeyTableItem<T>> {
  #buckets = emptyBuckets<T>(FEWEST_BUCKETS);
  #size = 0;
  /** Random, so that a client cannot choose keys that all hash to one bucket. */
  readonly #seed = (Math.random() * 2 ** 32) | 0;

  get(key: string): T | undefined {
    if (this.#size === 0) return undefined;
    let item = this.#buckets[this.#bucketOf(textHash(key, this.#seed))];
    while (item !== undefined && item.key !== key) item = item.nextInBucket;
    return item;
  }

  /** Adds an item whose key is not in the table. */
  add(item: T): void {
    item.hash = textHash(item.key, this.#seed);
    this.#link(item);
    if (++this.#size > this.#buckets.length) this.#grow();
  }

  /** Removes an item, if it is in the table. */
  remove(item: T): void {
    const bucket = this.#bucketOf(item.hash);
    let before: T | undefined;
    let at = this.#buckets[bucket];
    for (; at !== item; before = at, at = at.nextInBucket) if (at === undefined) return;
    if (before === undefined) this.#buckets[bucket] = item.nextInBucket;
    else before.nextInBucket = item.nextInBucket;
    item.nextInBucket = undefined;
    this.#size--;
  }

  items(): T[] {
    const items: T[] = [];
    for (let item of this.#buckets) for (; item !== undefined; item = item.nextInBucket) items.push(item);
    return items;
  }

  clear(): void {
    for (const item of this.items()) item.nextInBucket = undefined;
    this.#buckets = emptyBuckets(FEWEST_BUCKETS);
    this.#size = 0;
  }

  #bucketOf(hash: number): number {
    return hash & (this.#buckets.length - 1);
  }

  #link(item: T): void {
    const bucket = this.#bucketOf(item.hash);
    item.nextInBucket = this.#buckets[bucket];
    this.#buckets[bucket] = item;
  }

  #grow(): void {
    const items = this.items();
    this.#buckets = emptyBuckets(2 * this.#buckets.length);
    for (const item of items) this.#link(item);
  }
}

function emptyBuckets<T>(count: number): (T | undefined)[] {
  return new Array<T | undefined>(count).fill(undefined);
}
