import { CacheError } from '../../base/errors.js';
import type { LayerContext, ServerInfo } from '../layer.js';
import { clientConnection } from '../redis/redis-client-adapter.js';
import type { RedisConnection } from '../redis/redis-connection.js';
import { unavailable } from '../redis/redis-connection.js';
import { isNodeRedis } from '../redis/redis-client-facts.js';
import { RedisInfo } from '../redis/redis-info.js';
import { RedisKeys } from '../redis/redis-keys.js';
import { RedisScan } from '../redis/redis-scan.js';
import { serverOfClient } from '../redis/redis-server.js';
import type { StoreListing, TextStore, TextWrite } from './text-store.js';

/** A store of cache-manager 5 or older, such as that of `cache-manager-redis-yet`. TTLs are milliseconds. */
export interface LegacyStoreLike {
  get(key: string): Promise<unknown>;
  set(key: string, value: never, ttl?: number): Promise<unknown>;
  del(key: string): Promise<unknown>;
  mget?(...keys: string[]): Promise<unknown[]>;
  mset?(entries: [string, never][], ttl?: number): Promise<unknown>;
  readonly client?: unknown;
}

interface Store {
  get(key: string): Promise<unknown>;
  set(key: string, value: string, ttl?: number): Promise<unknown>;
  del(key: string): Promise<unknown>;
  mget?(...keys: string[]): Promise<unknown[]>;
  mset?(entries: [string, string][], ttl?: number): Promise<unknown>;
  readonly client?: unknown;
}

interface Closable {
  readonly isOpen?: boolean;
  quit?(): Promise<unknown>;
  disconnect?(): unknown;
}

/** A store of cache-manager 5 as a store of texts, with workarounds for `cache-manager-redis-yet` and similar stores. */
export class LegacyTextStore implements TextStore {
  readonly #make: () => LegacyStoreLike | Promise<LegacyStoreLike>;
  readonly #context: LayerContext;
  readonly #deadlineMs: number;
  readonly #layer: string;
  readonly #prefix: string;
  #opening: Promise<Store> | undefined;
  #store: Store | undefined;
  #connection: RedisConnection | undefined;
  #scan: RedisScan | undefined;
  #info: RedisInfo | undefined;
  #closed = false;

  constructor(
    make: () => LegacyStoreLike | Promise<LegacyStoreLike>,
    context: LayerContext,
    deadlineMs: number,
    layer: string,
  ) {
    this.#make = make;
    this.#context = context;
    this.#deadlineMs = deadlineMs;
    this.#layer = layer;
    this.#prefix = context.prefix;
  }

  get connected(): boolean {
    return this.#store !== undefined && (this.#connection?.ready ?? true);
  }

  /** Known only after the store was created. */
  get server(): unknown {
    const client = this.#store?.client;
    return isNodeRedis(client) ? serverOfClient(client) : this.#store;
  }

  /** Undefined before the store was created, and if the store is not Redis. */
  get listing(): StoreListing | undefined {
    return this.#scan;
  }

  async getMany(keys: readonly string[]): Promise<readonly unknown[]> {
    if (keys.length === 0) return [];
    const store = await this.#ready();
    if (keys.length === 1 || store.mget === undefined) return Promise.all(keys.map((key) => store.get(key)));
    return store.mget(...keys);
  }

  async setMany(entries: readonly TextWrite[]): Promise<void> {
    const store = await this.#ready();
    const byTtl = new Map<number | undefined, [string, string][]>();
    for (const { key, text, ttlMs } of entries) {
      const same = byTtl.get(ttlMs);
      if (same === undefined) byTtl.set(ttlMs, [[key, text]]);
      else same.push([key, text]);
    }
    await Promise.all(
      [...byTtl].map(([ttlMs, same]) =>
        same.length === 1 || store.mset === undefined
          ? // In such a store 0 means "forever", and undefined means the store's own default.
            Promise.all(same.map(([key, text]) => store.set(key, text, ttlMs ?? 0)))
          : store.mset(same, ttlMs ?? 0),
      ),
    );
  }

  async deleteMany(keys: readonly string[]): Promise<number> {
    const store = await this.#ready();
    const connection = this.#connection;
    if (connection !== undefined) {
      const counts = await Promise.all(keys.map((key) => connection.send(key, ['UNLINK', key])));
      return counts.reduce<number>((total, count) => total + Number(count), 0);
    }
    // `del` does not report whether the keys existed.
    const before = await this.getMany(keys);
    await Promise.all(keys.map((key) => store.del(key)));
    return before.filter((value) => value !== undefined && value !== null).length;
  }

  /** Known only after the store was created. */
  async serverInfo(): Promise<ServerInfo | null> {
    await this.#ready();
    return this.#info === undefined ? null : this.#info.read();
  }

  async connect(): Promise<void> {
    await this.#open();
    await this.getMany([`${this.#prefix}:~probe`]);
  }

  async disconnect(): Promise<void> {
    this.#closed = true;
    const store = await this.#opening?.catch(() => undefined);
    await this.#connection?.close();
    const client = store?.client as Closable | undefined;
    // The store has no method to close its connection.
    if (client?.isOpen === true) await client.disconnect?.();
    this.#store = undefined;
  }

  async #ready(): Promise<Store> {
    const store = this.#store ?? (await this.#open());
    // A client with an offline queue would keep the command and run it later, so refuse it here.
    if (this.#connection?.ready === false) throw unavailable();
    return store;
  }

  #open(): Promise<Store> {
    if (this.#closed) return Promise.reject(unavailable());
    return (this.#opening ??= this.#attach().catch((cause: unknown) => {
      this.#opening = undefined;
      throw cause instanceof CacheError ? cause : unavailable(cause);
    }));
  }

  async #attach(): Promise<Store> {
    const store = (await this.#make()) as unknown as Store;
    if (typeof store?.get !== 'function' || typeof store.del !== 'function') {
      throw new CacheError(
        'INVALID_OPTIONS',
        'legacyStoreLayer() takes a store of cache-manager 5, a promise of one, or a function that makes one.',
      );
    }
    const { client } = store;
    if (isNodeRedis(client)) {
      // Without a listener, the loss of the store's connection would be an uncaught exception.
      this.#connection = clientConnection(
        client,
        { lost: () => undefined, ready: () => undefined },
        this.#context.clock,
      );
      this.#info = new RedisInfo(
        this.#connection,
        this.#context.events,
        this.#layer,
        "the Redis of the store's client",
      );
      this.#scan = new RedisScan(
        this.#connection,
        new RedisKeys(this.#prefix),
        this.#context.clock,
        this.#deadlineMs,
        this.#layer,
      );
    }
    await this.#refuseKeyPrefix(store);
    this.#store = store;
    if (this.#closed) await this.disconnect();
    return store;
  }

  /** Refuses a store with a `keyPrefix`, because `set` adds it to keys but `mget` and `mdel` do not. */
  async #refuseKeyPrefix(store: Store): Promise<void> {
    if (this.#connection === undefined || store.mget === undefined) return;
    const key = `${this.#prefix}:~prefix-check`;
    await store.set(key, 'here', 10_000);
    const [found] = await store.mget(key);
    if (found === 'here') return;
    throw new CacheError(
      'INVALID_OPTIONS',
      "legacyStoreLayer(): the store has a 'keyPrefix', which its batches ignore; remove it and use the cache's 'namespace'.",
    );
  }
}
