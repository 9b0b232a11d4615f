import { EventEmitter } from 'node:events';
import type { CacheContract, CacheEvent, CacheEventPayloads } from '../cache/contract/cache-contract.js';
import { CacheError } from '../cache/base/errors.js';

/**
 * Forwards every call to a cache of the application that does not exist yet. Nest creates providers concurrently, so the cache
 * is known only when all providers exist.
 */
export class DeferredCache implements CacheContract<unknown> {
  readonly #listeners = new EventEmitter();
  #cache: CacheContract<unknown> | undefined;

  /** Sets the cache to which calls are forwarded from now on. */
  become(cache: CacheContract<unknown>): void {
    this.#cache = cache;
    for (const event of this.#listeners.eventNames() as CacheEvent[]) {
      for (const listener of this.#listeners.listeners(event)) cache.on(event, listener as () => void);
    }
    this.#listeners.removeAllListeners();
  }

  get #there(): CacheContract<unknown> {
    if (this.#cache !== undefined) return this.#cache;
    throw new CacheError(
      'CACHE_CLOSED',
      "With cache: 'app' the cache can be used from onModuleInit on, not in constructors and factories.",
    );
  }

  get stores(): unknown[] {
    return this.#cache?.stores ?? [];
  }

  async get<T>(key: string): Promise<T | undefined> {
    return this.#there.get<T>(key);
  }

  async mget<T>(keys: string[]): Promise<(T | undefined)[]> {
    return this.#there.mget<T>(keys);
  }

  async ttl(key: string): Promise<number | undefined> {
    return this.#there.ttl(key);
  }

  async set<T>(key: string, value: T, ttl?: number): Promise<T> {
    return this.#there.set(key, value, ttl);
  }

  async mset<T>(list: { key: string; value: T; ttl?: number }[]): Promise<{ key: string; value: T; ttl?: number }[]> {
    return this.#there.mset(list);
  }

  async del(key: string): Promise<boolean> {
    return this.#there.del(key);
  }

  async mdel(keys: string[]): Promise<boolean> {
    return this.#there.mdel(keys);
  }

  async clear(): Promise<boolean> {
    return this.#there.clear();
  }

  async wrap<T>(
    key: string,
    load: () => T | Promise<T>,
    ttl?: number | ((value: T) => number),
    refreshThreshold?: number | ((value: T) => number),
  ): Promise<T> {
    return this.#there.wrap(key, load, ttl, refreshThreshold);
  }

  /** Adds a listener. Before the cache exists, the listener is kept and added later. */
  on<E extends CacheEvent>(event: E, listener: (payload: CacheEventPayloads[E]) => void): EventEmitter {
    return this.#cache === undefined ? this.#listeners.on(event, listener) : this.#cache.on(event, listener);
  }

  off<E extends CacheEvent>(event: E, listener: (payload: CacheEventPayloads[E]) => void): EventEmitter {
    return this.#cache === undefined ? this.#listeners.off(event, listener) : this.#cache.off(event, listener);
  }

  /** Does nothing: the application's CacheModule closes its cache. */
  disconnect(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  cacheId(): string {
    return this.#there.cacheId();
  }
}
