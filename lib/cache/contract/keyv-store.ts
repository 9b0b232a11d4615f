import type { EventEmitter } from 'node:events';
import type { KeyvLike, RawValue } from './cache-contract.js';

/** The methods of the cache that its store uses. */
export interface StoreOwner {
  get<T>(key: string): Promise<T | undefined>;
  mget<T>(keys: string[]): Promise<(T | undefined)[]>;
  set<T>(key: string, value: T, ttl?: number): Promise<T>;
  mset<T>(list: { key: string; value: T; ttl?: number }[]): Promise<unknown>;
  has(key: string): Promise<boolean>;
  ttl(key: string): Promise<number | undefined>;
  del(key: string): Promise<boolean>;
  mdel(keys: string[]): Promise<boolean>;
  clear(): Promise<boolean>;
  disconnect(): Promise<undefined>;
}

/** Creates the one store in `cache.stores`. It reads and writes through the whole cache. */
export function keyvStore(cache: StoreOwner, events: EventEmitter): KeyvLike {
  const raw = async <T>(key: string, value: T): Promise<RawValue<T> | undefined> => {
    if (value === undefined) return undefined;
    const expires = await cache.ttl(key);
    return expires === undefined ? { value } : { value, expires };
  };
  return {
    async get<T>(key: string, options?: { raw?: boolean }) {
      const value = await cache.get<T>(key);
      return options?.raw === true ? raw(key, value as T) : value;
    },
    async getMany<T>(keys: string[], options?: { raw?: boolean }): Promise<(T | RawValue<T> | undefined)[]> {
      const values = await cache.mget<T>(keys);
      return options?.raw === true ? Promise.all(values.map((value, index) => raw(keys[index]!, value as T))) : values;
    },
    async set(key, value, ttl) {
      await cache.set(key, value, ttl);
      return true;
    },
    async setMany(entries) {
      await cache.mset(entries);
      return entries.map(() => true);
    },
    has: (key) => cache.has(key),
    delete: (key) => (Array.isArray(key) ? cache.mdel(key) : cache.del(key)),
    deleteMany: (keys) => cache.mdel(keys),
    async clear() {
      await cache.clear();
    },
    async disconnect() {
      await cache.disconnect();
    },
    on: (event, listener) => events.on(event, listener as (...parameters: unknown[]) => void),
    off: (event, listener) => events.off(event, listener as (...parameters: unknown[]) => void),
  };
}
