import { isNodeRedis } from '../redis/redis-client-facts.js';
import { serverOfClient } from '../redis/redis-server.js';

/** The methods of a Keyv 5 storage adapter, or of a Keyv instance, that a layer uses. */
export interface KeyvStoreLike {
  get(key: string): unknown;
  set(key: string, value: never, ttl?: number): unknown;
  delete(key: never): unknown;
  getMany?(keys: string[]): unknown;
  setMany?(entries: never): unknown;
  iterator?: unknown;
  disconnect?(): unknown;
  on?(event: 'error', listener: (error: unknown) => void): unknown;
}

/** An adapter of Keyv with its optional methods. Each of them may answer synchronously. */
export interface Adapter {
  get(key: string): unknown;
  set(key: string, value: string, ttl?: number): unknown;
  delete(key: string): unknown;
  getMany?(keys: string[]): unknown;
  setMany?(entries: { key: string; value: string; ttl?: number }[]): unknown;
  iterator?(namespace?: string): AsyncIterable<[key: string, value: unknown]>;
  keys?(): Iterable<string>;
  disconnect?(): unknown;
  on?(event: 'error', listener: (error: unknown) => void): unknown;
  readonly namespace?: string;
  readonly keyPrefixSeparator?: string;
  readonly client?: unknown;
}

/**
 * Returns the store inside a Keyv instance. The instance is detected by its properties, because an application may have another copy of
 * Keyv.
 */
export function adapterOf(store: KeyvStoreLike): Adapter {
  const inner = 'store' in store && 'opts' in store ? store.store : store;
  return inner as Adapter;
}

/** Identifies the server of an adapter; see `redisServerOf()`. */
export function keyvServerOf(adapter: Adapter): unknown {
  const { client } = adapter;
  return isNodeRedis(client) ? serverOfClient(client) : adapter;
}
