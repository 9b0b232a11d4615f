import { globMatcher } from '../../base/glob.js';
import { CacheError } from '../../base/errors.js';
import { withDeadline } from '../resilience/deadline.js';
import type { LayerContext, ServerInfo } from '../layer.js';
import { clientConnection } from '../redis/redis-client-adapter.js';
import type { RedisConnection } from '../redis/redis-connection.js';
import { isNodeRedis } from '../redis/redis-client-facts.js';
import { RedisInfo } from '../redis/redis-info.js';
import { RedisKeys } from '../redis/redis-keys.js';
import { RedisScan } from '../redis/redis-scan.js';
import { type Adapter, adapterOf, keyvServerOf, type KeyvStoreLike } from './keyv-adapter.js';
import type { StoreListing, TextStore, TextWrite } from './text-store.js';

const AT_ONCE = 1_000;

/** An adapter of Keyv as a store of texts. Errors that the adapter only emits count as failures. */
export class KeyvTextStore implements TextStore {
  readonly listing: StoreListing | undefined;
  readonly server: unknown;
  readonly serverInfo: (() => Promise<ServerInfo>) | undefined;
  readonly #adapter: Adapter;
  readonly #probe: string;
  #errors = 0;
  #lastError: unknown;
  #connected = false;

  constructor(store: KeyvStoreLike, context: LayerContext, deadlineMs: number, layer: string) {
    this.#adapter = adapterOf(store);
    this.#probe = `${context.prefix}:~probe`;
    this.#adapter.on?.('error', (error) => {
      this.#errors++;
      this.#lastError = error;
      this.#connected = false;
    });
    const { client } = this.#adapter;
    this.server = keyvServerOf(this.#adapter);
    const connection = isNodeRedis(client)
      ? clientConnection(client, { lost: () => undefined, ready: () => undefined }, context.clock)
      : undefined;
    this.listing = this.#listingOf(connection, context, deadlineMs, layer);
    if (connection !== undefined) {
      const info = new RedisInfo(connection, context.events, layer, "the Redis of the store's client");
      this.serverInfo = () => info.read();
    }
  }

  get connected(): boolean {
    return this.#connected;
  }

  getMany(keys: readonly string[]): Promise<readonly unknown[]> {
    return this.#heard(async () => {
      if (keys.length > 1 && this.#adapter.getMany !== undefined) {
        return (await this.#adapter.getMany([...keys])) as unknown[];
      }
      return Promise.all(keys.map((key) => this.#adapter.get(key)));
    });
  }

  async setMany(entries: readonly TextWrite[]): Promise<void> {
    await this.#heard(async () => {
      if (entries.length > 1 && this.#adapter.setMany !== undefined) {
        await this.#adapter.setMany(
          entries.map(({ key, text, ttlMs }) => ({ key, value: text, ...(ttlMs !== undefined && { ttl: ttlMs }) })),
        );
        return;
      }
      await Promise.all(entries.map(({ key, text, ttlMs }) => this.#adapter.set(key, text, ttlMs)));
    });
  }

  deleteMany(keys: readonly string[]): Promise<number> {
    return this.#heard(async () => {
      const removed = await Promise.all(keys.map((key) => this.#adapter.delete(key)));
      return removed.filter((one) => one === true).length;
    });
  }

  async connect(): Promise<void> {
    await this.getMany([this.#probe]);
  }

  async disconnect(): Promise<void> {
    this.#connected = false;
    await this.#adapter.disconnect?.();
  }

  /**
   * Runs an operation. It fails if the adapter emitted an error during it, even an error of another operation, because the event does not
   * name its operation.
   */
  async #heard<T>(operation: () => Promise<T>): Promise<T> {
    const errors = this.#errors;
    const result = await operation();
    if (this.#errors !== errors) {
      throw new CacheError('LAYER_UNAVAILABLE', 'The Keyv adapter reported an error during the operation.', {
        cause: this.#lastError,
      });
    }
    this.#connected = true;
    return result;
  }

  #listingOf(
    connection: RedisConnection | undefined,
    context: LayerContext,
    deadlineMs: number,
    layer: string,
  ): StoreListing | undefined {
    const { namespace, keyPrefixSeparator = ':' } = this.#adapter;
    const prefix = namespace === undefined ? context.prefix : `${namespace}${keyPrefixSeparator}${context.prefix}`;
    if (connection !== undefined) {
      // The adapter's own iterator would transfer every value of every namespace.
      return new RedisScan(connection, new RedisKeys(prefix), context.clock, deadlineMs, layer);
    }
    const { iterator, keys } = this.#adapter;
    const step = <T>(operation: Promise<T>) => withDeadline(operation, deadlineMs, context.clock, layer);
    if (iterator !== undefined) {
      return new IteratedKeys(this, () => iterator.call(this.#adapter, namespace), new RedisKeys(context.prefix), step);
    }
    if (keys !== undefined) {
      const all = async function* (adapter: Adapter): AsyncGenerator<[string, unknown]> {
        for (const key of [...keys.call(adapter)]) yield [key, undefined];
      };
      return new IteratedKeys(this, () => all(this.#adapter), new RedisKeys(context.prefix), step);
    }
    return undefined;
  }
}

/** Lists keys with an adapter's own iterator. */
class IteratedKeys implements StoreListing {
  readonly #store: TextStore;
  readonly #iterate: () => AsyncIterable<[key: string, value: unknown]>;
  readonly #keys: RedisKeys;
  readonly #step: <T>(operation: Promise<T>) => Promise<T>;

  constructor(
    store: TextStore,
    iterate: () => AsyncIterable<[key: string, value: unknown]>,
    keys: RedisKeys,
    step: <T>(operation: Promise<T>) => Promise<T>,
  ) {
    this.#store = store;
    this.#iterate = iterate;
    this.#keys = keys;
    this.#step = step;
  }

  async *find(glob: string): AsyncGenerator<readonly string[]> {
    const matches = globMatcher(glob);
    const prefix = this.#keys.entry('');
    let batch: string[] = [];
    const iterator = this.#iterate()[Symbol.asyncIterator]();
    for (;;) {
      const next = await this.#step(iterator.next());
      if (next.done === true) break;
      const [name] = next.value;
      const key = name.startsWith(prefix) ? this.#keys.keyOf(name) : undefined;
      if (key !== undefined && matches(key)) batch.push(key);
      if (batch.length < AT_ONCE) continue;
      yield batch;
      batch = [];
    }
    if (batch.length > 0) yield batch;
  }

  async remove(glob: string): Promise<number> {
    const found: string[] = [];
    for await (const batch of this.find(glob)) found.push(...batch);
    let count = 0;
    for (let from = 0; from < found.length; from += AT_ONCE) {
      const names = found.slice(from, from + AT_ONCE).map((key) => this.#keys.entry(key));
      count += await this.#step(this.#store.deleteMany(names));
    }
    return count;
  }
}
