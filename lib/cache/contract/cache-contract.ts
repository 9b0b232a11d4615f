import type { EventEmitter } from 'node:events';
import type { Duration } from '../base/duration.js';

/** A value with its time of expiry, milliseconds since the epoch. A `wrap` with `raw` returns it. */
export interface RawValue<T> {
  value: T;
  expires?: number;
}

/** Options of the form of `wrap` that takes an object. */
export interface WrapOptions<T> {
  /** @default the cache's TTL */
  ttl?: Duration | ((value: T) => Duration);
  /** If fewer than this many milliseconds are left, `wrap` returns the value and loads it again in the background. */
  refreshThreshold?: number | ((value: T) => number);
  /** With true, `wrap` returns the value with its time of expiry. */
  raw?: boolean;
}

/** One item of `mset`. */
export interface CacheItem<T = unknown> {
  key: string;
  value: T;
  ttl?: Duration;
}

/**
 * The part of a Keyv that code for cache-manager uses through `cache.stores`. It is a structural type, so that applications compile with another copy
 * of keyv, or with none.
 */
export interface KeyvLike {
  get<T>(key: string, options?: { raw?: boolean }): Promise<T | RawValue<T> | undefined>;
  getMany<T>(keys: string[], options?: { raw?: boolean }): Promise<(T | RawValue<T> | undefined)[]>;
  set<T>(key: string, value: T, ttl?: number): Promise<boolean>;
  setMany<T>(entries: { key: string; value: T; ttl?: number }[]): Promise<boolean[]>;
  has(key: string): Promise<boolean>;
  delete(key: string | string[]): Promise<boolean>;
  deleteMany(keys: string[]): Promise<boolean>;
  clear(): Promise<void>;
  disconnect(): Promise<void>;
  on(event: string, listener: (...parameters: never[]) => void): unknown;
  off(event: string, listener: (...parameters: never[]) => void): unknown;
}

/** The events of cache-manager 7 with their payloads. */
export interface CacheEventPayloads {
  get: { key: string; value?: unknown; error?: unknown; store?: string };
  mget: { keys: string[]; values?: unknown[]; error?: unknown };
  ttl: { key: string; value?: unknown; error?: unknown };
  set: { key: string; value: unknown; error?: unknown; store?: string };
  mset: { list: CacheItem[]; error?: unknown };
  del: { key: string; error?: unknown };
  mdel: { keys: string[]; error?: unknown };
  clear: unknown;
  refresh: { key: string; value: unknown; error?: unknown };
}

export type CacheEvent = keyof CacheEventPayloads;

/** The `Cache` of cache-manager 7 as a structural type: the type of `CACHE_MANAGER`, and of caches that can be adopted. */
export interface CacheContract<Store = KeyvLike> {
  get<T>(key: string): Promise<T | undefined>;
  mget<T>(keys: string[]): Promise<(T | undefined)[]>;
  ttl(key: string): Promise<number | undefined>;
  set<T>(key: string, value: T, ttl?: number): Promise<T>;
  mset<T>(list: { key: string; value: T; ttl?: number }[]): Promise<{ key: string; value: T; ttl?: number }[]>;
  del(key: string): Promise<boolean>;
  mdel(keys: string[]): Promise<boolean>;
  clear(): Promise<boolean>;
  wrap<T>(
    key: string,
    load: () => T | Promise<T>,
    ttl?: number | ((value: T) => number),
    refreshThreshold?: number | ((value: T) => number),
  ): Promise<T>;
  on<E extends CacheEvent>(event: E, listener: (payload: CacheEventPayloads[E]) => void): EventEmitter;
  off<E extends CacheEvent>(event: E, listener: (payload: CacheEventPayloads[E]) => void): EventEmitter;
  disconnect(): Promise<undefined>;
  cacheId(): string;
  stores: Store[];
}
