import { LRUCache } from 'lru-cache';
import type { HeaderList } from './header-list.js';
import type { KnownAddress } from './known-address.js';

const MOST_ADDRESSES = 5_000;
const MOST_BYTES = 10_000_000;
const MOST_LIST_BYTES = 2_000_000;

/**
 * The memory of the lane, bounded by number and by estimated bytes, because callers choose the URLs and the headers: at most
 * 13 MB. The least recently used URL is evicted first.
 */
export class LaneMemory {
  readonly #get = addresses(MOST_ADDRESSES, MOST_BYTES);
  readonly #head = addresses(MOST_ADDRESSES / 10, MOST_BYTES / 10);
  /** Header lists that many URLs share. */
  readonly #lists = new LRUCache<string, HeaderList>({
    maxSize: MOST_LIST_BYTES,
    sizeCalculation: ({ bytes }, name) => bytes + name.length,
  });

  address(method: string | undefined, url: string): KnownAddress | undefined {
    return this.#of(method)?.get(url);
  }

  /** Stores a URL; false for methods other than GET and HEAD, or if the URL is too large. */
  keep(method: string, url: string, address: KnownAddress): boolean {
    const known = this.#of(method);
    if (known === undefined) return false;
    // The map computes a size only when it adds an entry, so remove the entry first.
    known.delete(url);
    return known.set(url, address).peek(url) === address;
  }

  /** Computes the size of a URL again. */
  resize(method: string, url: string, address: KnownAddress): void {
    if (this.#of(method)?.peek(url) === address) this.keep(method, url, address);
  }

  forget(method: string | undefined, url: string): void {
    this.#of(method)?.delete(url);
  }

  list(name: string): HeaderList | undefined {
    return this.#lists.get(name);
  }

  keepList(name: string, list: HeaderList): void {
    this.#lists.set(name, list);
  }

  forgetList(name: string): void {
    this.#lists.delete(name);
  }

  clear(): void {
    this.#get.clear();
    this.#head.clear();
    this.#lists.clear();
  }

  #of(method: string | undefined): LRUCache<string, KnownAddress> | undefined {
    return method === 'GET' ? this.#get : method === 'HEAD' ? this.#head : undefined;
  }
}

function addresses(max: number, maxSize: number): LRUCache<string, KnownAddress> {
  return new LRUCache({ max, maxSize, sizeCalculation: ({ bytes }, url) => bytes + url.length });
}
