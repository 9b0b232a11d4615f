import { LRUCache } from 'lru-cache';
import type { CacheContract } from '../contract/cache-contract.js';
import type { Clock } from '../base/clock.js';
import type { Entry } from '../entries/entry.js';
import { globMatcher } from '../base/glob.js';
import { Invalidations } from '../invalidation/invalidations.js';
import { CircuitState } from '../base/observer.js';
import { copyOf } from '../entries/caller-copy.js';
import { PatternClasses } from '../entries/pattern-classes.js';
import { isolate } from '../entries/values.js';
import { CheckedLayer } from './checked-layer.js';
import type { Layer, LayerContext, LayerFactory, LayerStatus } from './layer.js';

const REMEMBERED_KEYS = 100_000;

/**
 * Makes an adopted cache a layer. The cache holds raw values, in its own format and by its own rules. It stores only TTLs, so nothing is
 * served stale. Tags and globs apply only to the last 100,000 keys that this process wrote through this layer.
 */
export function adoptedLayer(cache: CacheContract<unknown>, name = 'adopted'): LayerFactory {
  return { name, required: false, create: (context) => new CheckedLayer(new AdoptedLayer(name, cache, context)) };
}

interface Known {
  readonly tags: readonly string[];
  readonly epoch: number;
  readonly createdAt: number;
  readonly cost: number;
}

const CLASSES_LOST =
  'A store of the adopted cache returns instances of classes as plain objects, so values with instances are not stored in it. Use layers of this library (`layers: [memoryLayer(), redisLayer({ url })]`), or cache plain data.';

/** Entries of an adopted cache belong to no pattern. */
const ANY_PATTERN = new PatternClasses('*');

/** Returns true if a value from a store holds instances of the same classes as the written value. */
function hasClassesOf(given: unknown, value: unknown): boolean {
  try {
    const { instances } = isolate(given, { freeze: false });
    return [...isolate(copyOf(value), { freeze: false }).instances].every((traits) => instances.has(traits));
  } catch {
    return false;
  }
}

class AdoptedLayer implements Layer {
  readonly shared = false;
  readonly #cache: CacheContract<unknown>;
  readonly #clock: Clock;
  readonly #invalidations: Invalidations;
  readonly #ownsTags: boolean;
  readonly #events: LayerContext['events'];
  /** Undefined before the first instance was written. */
  #keepsClasses: boolean | undefined;
  readonly #known = new LRUCache<string, Known>({ max: REMEMBERED_KEYS });

  constructor(
    readonly name: string,
    cache: CacheContract<unknown>,
    context: LayerContext,
  ) {
    this.#cache = cache;
    this.#clock = context.clock;
    this.#events = context.events;
    this.#ownsTags = context.invalidations === undefined;
    this.#invalidations = context.invalidations ?? new Invalidations();
  }

  async get(key: string): Promise<Entry | undefined> {
    const value = await this.#cache.get(key);
    return value === undefined ? undefined : this.#entry(key, value, await this.#cache.ttl(key));
  }

  async getMany(keys: readonly string[]): Promise<(Entry | undefined)[]> {
    if (keys.length === 0) return [];
    const values = await this.#cache.mget([...keys]);
    return Promise.all(
      values.map(async (value, index) =>
        value === undefined || value === null
          ? undefined
          : this.#entry(keys[index]!, value, await this.#cache.ttl(keys[index]!)),
      ),
    );
  }

  async set(key: string, entry: Entry): Promise<void> {
    const left = Math.ceil(entry.freshUntil - this.#clock.now());
    if (left <= 0) return;
    if (entry.classes !== undefined && this.#keepsClasses === false) return void (await this.#cache.del(key));
    await this.#cache.set(key, copyOf(entry.value), left === Infinity ? 0 : left);
    if (entry.classes !== undefined && !(await this.#hasKeptClasses(key, entry.value))) {
      await this.#cache.del(key);
      return;
    }
    const { tags, epoch, createdAt, cost } = entry;
    this.#known.set(key, { tags, epoch, createdAt, cost });
  }

  async setMany(entries: readonly (readonly [key: string, entry: Entry])[]): Promise<void> {
    const now = this.#clock.now();
    const withClasses = entries.filter(([, { classes }]) => classes !== undefined);
    for (const [key, entry] of withClasses) await this.set(key, entry);
    const list = entries
      .filter(([, { classes }]) => classes === undefined)
      .map(([key, entry]) => ({ key, value: copyOf(entry.value), left: Math.ceil(entry.freshUntil - now) }))
      .filter(({ left }) => left > 0)
      .map(({ key, value, left }) => ({ key, value, ttl: left === Infinity ? 0 : left }));
    if (list.length > 0) await this.#cache.mset(list);
    for (const [key, { tags, epoch, createdAt, cost }] of entries)
      this.#known.set(key, { tags, epoch, createdAt, cost });
  }

  async delete(key: string): Promise<boolean> {
    const there = (await this.#cache.get(key)) !== undefined;
    await this.#cache.del(key);
    this.#known.delete(key);
    return there;
  }

  async deleteMany(keys: readonly string[]): Promise<number> {
    if (keys.length === 0) return 0;
    const there = await this.#cache.mget([...keys]);
    await this.#cache.mdel([...keys]);
    for (const key of keys) this.#known.delete(key);
    return there.filter((value) => value !== undefined).length;
  }

  deleteByPattern(glob: string): Promise<number> {
    return this.deleteMany([...this.keys(glob)].flat());
  }

  invalidateTags(tags: readonly string[]): void {
    if (this.#ownsTags) this.#invalidations.tags(tags);
  }

  *keys(glob: string): Iterable<readonly string[]> {
    const matches = globMatcher(glob);
    yield [...this.#known.keys()].filter(matches);
  }

  async clear(): Promise<void> {
    await this.#cache.clear();
    this.#known.clear();
  }

  async disconnect(): Promise<void> {
    await this.#cache.disconnect();
  }

  status(): LayerStatus {
    return {
      entries: null,
      bytes: null,
      connected: true,
      circuitState: CircuitState.closed,
      queueDepth: 0,
      writesDropped: 0,
    };
  }

  /**
   * Returns true if every store returns instances of their classes; tested with the first instance. A store of JSON returns plain objects
   * to later readers, here or in another process, and serializers would not apply the rules of the class.
   */
  async #hasKeptClasses(key: string, value: unknown): Promise<boolean> {
    if (this.#keepsClasses === undefined) {
      const stores = this.#cache.stores as readonly { get(key: string): unknown }[];
      const kept = await Promise.all(stores.map(async (store) => hasClassesOf(await store.get(key), value)));
      this.#keepsClasses = kept.length > 0 && kept.every(Boolean);
      if (!this.#keepsClasses) this.#events.log('warn', 'CLASSES_LOST', CLASSES_LOST);
    }
    return this.#keepsClasses;
  }

  #entry(key: string, value: unknown, expires: number | undefined): Entry | undefined {
    const known = this.#known.get(key);
    const until = expires ?? Infinity;
    const { value: kept, size, json, mutable, instances } = isolate(value);
    const entry: Entry = {
      value: kept,
      size,
      json,
      mutable,
      classes: instances.size === 0 ? undefined : ANY_PATTERN,
      createdAt: known?.createdAt ?? this.#clock.now(),
      freshUntil: until,
      staleUntil: until,
      removeAt: until,
      tags: known?.tags ?? [],
      cost: known?.cost ?? 0,
      epoch: known?.epoch ?? 0,
      meta: undefined,
      derived: undefined,
    };
    return entry.tags.length === 0 || this.#invalidations.current(entry) ? entry : undefined;
  }
}
