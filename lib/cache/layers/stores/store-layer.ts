import type { Entry } from '../../entries/entry.js';
import { ReadBudget } from '../../base/read-budget.js';
import { CircuitState } from '../../base/observer.js';
import { EntryCodec, type Stored } from '../encoding/codec.js';
import { UndecodableValues } from '../undecodable.js';
import { KeyIndex } from './key-index.js';
import type { Layer, LayerContext, LayerStatus, LayerWrite, ServerInfo } from '../layer.js';
import { LONGEST_PX } from '../redis/redis-expiry.js';
import { RedisKeys } from '../redis/redis-keys.js';
import type { RemoteLayerOptions } from '../resilience/remote-layer-options.js';
import { StoreOrder, TAG_TTL_MS } from './store-order.js';
import { recordOfText, textOfRecord } from '../encoding/text-record.js';
import type { TextStore, TextWrite } from './text-store.js';
import { AsOf, type LoadTicket } from '../load-ticket.js';

/**
 * A layer in any store of texts. Such a store runs no scripts, so the clocks of the processes order invalidations, and a deletion fences
 * only the loads of its own process. `redisLayer()` guarantees more.
 */
export class StoreLayer implements Layer {
  readonly shared = true;
  readonly name: string;
  readonly serverInfo?: () => Promise<ServerInfo | null>;
  readonly #store: TextStore;
  readonly #context: LayerContext;
  readonly #keys: RedisKeys;
  readonly #codec: EntryCodec;
  readonly #order: StoreOrder;
  readonly #index: KeyIndex | undefined;
  readonly #undecodable: UndecodableValues;

  constructor(store: TextStore, context: LayerContext, name: string, options: RemoteLayerOptions) {
    this.name = name;
    this.#store = store;
    if (store.serverInfo !== undefined) this.serverInfo = () => store.serverInfo!();
    this.#context = context;
    this.#keys = new RedisKeys(context.prefix);
    this.#undecodable = new UndecodableValues(name, context.events);
    this.#codec = new EntryCodec({ ...options, onUndecodable: (cause) => this.#undecodable.report(cause) });
    this.#order = new StoreOrder(store, context.prefix, context.clock);
    this.#index = store.listing === undefined ? new KeyIndex(store, (key) => this.#keys.entry(key)) : undefined;
  }

  get server(): unknown {
    return this.#store.server;
  }

  async get(key: string, ticket?: LoadTicket): Promise<Entry | undefined> {
    return (await this.getMany([key], ticket && [ticket]))[0];
  }

  async getMany(keys: readonly string[], tickets?: readonly LoadTicket[]): Promise<(Entry | undefined)[]> {
    if (keys.length === 0) return [];
    const epoch = this.#order.next();
    const turns = tickets?.map(({ turn }) => turn);
    const names = keys.map((key) => this.#keys.entry(key));
    const texts = await this.#store.getMany(this.#index === undefined ? names : [...names, this.#order.globsKey]);
    if (this.#index !== undefined) this.#order.readGlobs(texts[names.length] ?? undefined);
    const budget = new ReadBudget();
    const found = keys.map((key, index) => this.#read(key, texts[index], budget));
    const tags = new Set(found.flatMap((stored) => stored?.entry.tags ?? []));
    const invalidated = await this.#order.epochsOf(tags);
    tickets?.forEach((ticket, index) => ticket.note(this.name, epoch, turns![index]));
    return found.map((stored) => {
      const current = stored?.entry.tags.every((tag) => (invalidated.get(tag) ?? 0) <= stored.epoch);
      return current === true ? stored!.entry : undefined;
    });
  }

  set(key: string, entry: Entry, ticket?: LoadTicket): Promise<void> {
    return this.setMany([[key, entry, ticket]]);
  }

  async setMany(entries: readonly LayerWrite[]): Promise<void> {
    const writes: TextWrite[] = [];
    for (const [key, entry, ticket] of entries) {
      const ttlMs = this.#ttl(entry);
      const epoch = this.#epochOf(entry, ticket);
      if (ttlMs === 0 || !this.#order.valid(key, epoch)) continue;
      this.#index?.add(key);
      writes.push({
        key: this.#keys.entry(key),
        text: textOfRecord(this.#codec.encode(entry, 0, epoch)),
        ttlMs,
      });
    }
    if (writes.length > 0) await this.#store.setMany(writes);
  }

  async delete(key: string): Promise<boolean> {
    return (await this.deleteMany([key])) > 0;
  }

  async deleteMany(keys: readonly string[]): Promise<number> {
    if (keys.length === 0) return 0;
    const removed = await this.#store.deleteMany([...new Set(keys)].map((key) => this.#keys.entry(key)));
    if (this.#index !== undefined) for (const key of keys) this.#index.delete(key);
    return removed;
  }

  async deleteByPattern(glob: string, madeUntil?: number): Promise<number> {
    if (this.#index === undefined) {
      if (madeUntil !== undefined) return this.#removeOlder(glob, madeUntil);
      return this.#store.listing?.remove(glob) ?? 0;
    }
    await this.#order.noteGlob(glob);
    return (this.#store.listing ?? this.#index).remove(glob);
  }

  async invalidateTags(tags: readonly string[]): Promise<void> {
    if (tags.length > 0) await this.#order.noteTags(tags);
  }

  async *keys(glob: string): AsyncGenerator<readonly string[]> {
    const listing = this.#store.listing ?? this.#index;
    if (listing !== undefined) yield* listing.find(glob);
  }

  async clear(madeUntil?: number): Promise<void> {
    await this.deleteByPattern('*', madeUntil);
  }

  connect(): Promise<void> {
    return this.#store.connect();
  }

  disconnect(): Promise<void> {
    return this.#store.disconnect();
  }

  status(): LayerStatus {
    return {
      entries: null,
      bytes: null,
      connected: this.#store.connected,
      circuitState: CircuitState.closed,
      queueDepth: 0,
      writesDropped: 0,
      undecodable: this.#undecodable.count,
    };
  }

  async #removeOlder(glob: string, madeUntil: number): Promise<number> {
    let count = 0;
    for await (const keys of this.keys(glob)) {
      const names = keys.map((key) => this.#keys.entry(key));
      const texts = await this.#store.getMany(names);
      const budget = new ReadBudget();
      const older = names.filter((_, index) => {
        const stored = this.#read(keys[index]!, texts[index], budget);
        return stored !== undefined && stored.entry.createdAt <= madeUntil;
      });
      if (older.length > 0) count += await this.#store.deleteMany(older);
    }
    return count;
  }

  #read(key: string, text: unknown, budget: ReadBudget): Stored | undefined {
    if (text === undefined || text === null) return undefined;
    const record = recordOfText(text);
    if (record === undefined) {
      this.#undecodable.report(new Error('not a record of this library'));
      return undefined;
    }
    const now = this.#context.clock.now();
    const stored = this.#codec.decode(record, 0, now, budget);
    if (stored === undefined || stored.entry.removeAt <= now) return undefined;
    return this.#order.valid(key, stored.epoch) ? stored : undefined;
  }

  #epochOf(entry: Entry, ticket: LoadTicket | undefined): number {
    if (ticket === undefined) return this.#order.next();
    const since = ticket.momentOf(this.name);
    if (typeof since === 'number') return since;
    return Math.floor((since instanceof AsOf ? since.at : entry.createdAt) * 1000);
  }

  /** Returns the time to live in whole milliseconds: 0 if the entry has expired, undefined if it never expires. */
  #ttl(entry: Entry): number | undefined {
    const left = Math.ceil(entry.removeAt - this.#context.clock.now());
    if (left <= 0) return 0;
    const longest = entry.tags.length > 0 ? TAG_TTL_MS : LONGEST_PX;
    return left > longest ? (entry.tags.length > 0 ? TAG_TTL_MS : undefined) : left;
  }
}
