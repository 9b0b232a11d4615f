import type { EventEmitter } from 'node:events';
import { randomUUID } from 'node:crypto';
import { systemClock } from './clock.js';
import type { CacheContract, CacheEvent, CacheEventPayloads, KeyvLike, RawValue, WrapOptions } from './contract/cache-contract.js'; // prettier-ignore
import { keyvStore } from './contract/keyv-store.js';
import { wrapPolicy } from './contract/wrap-policy.js';
import type { Duration } from './duration.js';
import { assemble, type Engine } from './engine.js';
import { valueOf } from './entries/value-of.js';
import { copyOf } from './entries/values.js';
import type { Entry } from './entry.js';
import { checkKey } from './keys.js';
import type { LayeredCacheOptions } from './layered-cache-options.js';
import type { Layer } from './layers/layer.js';
import { Lifecycle } from './lifecycle.js';
import type { ManyLoader } from './loading/loaded-many.js';
import { BypassReason, type CacheObserver, Operation, Outcome, type SeriesOptions } from './observer.js';
import type { PlanBook } from './policies/plan-book.js';
import type { CachePolicy, Loader } from './policy.js';
import type { AnnotatedLoader, Answer, ReadPlan } from './read-plan.js';
import type { AccessWatcher } from './reading/access-watcher.js';
import type { NearHits } from './reading/near-hits.js';
import type { BatchEntry, BatchResult, LoadMark } from './writing/batch-entry.js';

export type { LayeredCacheOptions } from './layered-cache-options.js';
export type { ManyLoader } from './loading/loaded-many.js';
export type { AccessWatcher } from './reading/access-watcher.js';
export type { BatchEntry, BatchResult, LoadMark } from './writing/batch-entry.js';

/** The cache: values found or loaded through layers, with cache-manager's contract and more. */
export class LayeredCache implements CacheContract {
  /** The switch: while false every access goes to its origin, and what is written is forgotten instead. */
  enabled: boolean;
  readonly layers: readonly Layer[];
  /** One store that reads and writes through this cache, for code that goes past the cache to its store. */
  readonly stores: KeyvLike[];
  readonly #engine: Engine;
  readonly #nearHits: NearHits;
  readonly #plans: PlanBook;
  readonly #observer: CacheObserver;
  readonly #lifecycle: Lifecycle;
  readonly #id = randomUUID();

  constructor(options: LayeredCacheOptions) {
    const clock = options.clock ?? systemClock;
    this.enabled = options.enabled ?? true;
    this.#observer = options.observer;
    this.#engine = assemble({ ...options, clock, random: options.random ?? Math.random });
    this.layers = this.#engine.chain.layers;
    this.#nearHits = this.#engine.nearHits;
    this.#plans = this.#engine.plans;
    this.#lifecycle = new Lifecycle(this.#engine, options.layers, clock);
    this.stores = [keyvStore(this, this.#engine.events.emitter)];
  }

  /** Compiles where a handler's accesses are counted and how its entries are kept. @throws CacheError on a bad policy. */
  plan<V = unknown>(
    pattern: string,
    policy: CachePolicy<V> = {},
    endpoint?: string,
    series?: SeriesOptions,
  ): ReadPlan<V> {
    return { series: this.#observer.series(pattern, endpoint, series), policy: this.#plans.resolve(policy) };
  }

  /** The hit path: a fresh entry in memory, counted; undefined counts nothing: ask {@link through}. */
  fresh(key: string, plan: ReadPlan<never>): Entry | undefined {
    return this.enabled && !plan.policy.refreshesAhead ? this.#nearHits.hit(key, plan.series) : undefined;
  }

  /** Finds or loads; what the loader throws reaches the caller unchanged. */
  async through<V>(key: string, loader: AnnotatedLoader<V>, plan: ReadPlan<V>): Promise<Answer<V>> {
    checkKey(key);
    const { answering, watchers } = this.#engine;
    if (!this.#open) {
      this.#observer.bypass(plan.series, BypassReason.disabled);
      return answering.past(loader);
    }
    const answer = await answering.answer(key, loader, plan);
    if (answer.outcome > Outcome.stale) watchers.loaded(key, loader as AnnotatedLoader<unknown>, plan as ReadPlan);
    else if (watchers.hits) watchers.hit(key);
    return answer;
  }

  /** What a caller may have of an entry: the frozen value, or a copy where it cannot be frozen or the policy says so. */
  valueOf(entry: Entry, plan?: ReadPlan<never>): unknown {
    return valueOf(entry, plan?.policy);
  }

  /** Counts a request that went past the cache. */
  bypass(plan: ReadPlan<never>, reason: BypassReason): void {
    this.#observer.bypass(plan.series, reason);
  }

  /**
   * One round trip a layer; what cannot be kept is named, the rest is written. An entry loaded `since` a mark is left out
   * where an invalidation came between, in this process or, as far as a shared layer orders them, in another.
   */
  setMany(entries: Iterable<BatchEntry>, operation: Operation = Operation.set): Promise<BatchResult> {
    return this.#engine.storing.setMany(entries, operation);
  }

  /** Which of the keys are fresh somewhere; uncounted. */
  async freshKeys(keys: readonly string[]): Promise<Set<string>> {
    return new Set((await this.#engine.reads.freshEntries(keys)).keys());
  }

  /** What is fresh of a key in some layer; uncounted. */
  async freshEntry(key: string): Promise<Entry | undefined> {
    return (await this.#engine.reads.freshEntries([key])).get(key);
  }

  /** Calls back once for every key that is hit; returns how to stop watching. Bounded to the last 100,000 keys. */
  watchFirstHit(keys: Iterable<string>, callback: (key: string) => void): () => void {
    return this.#engine.watchers.watchFirstHit(keys, callback);
  }

  /** Tells of a share of the hits and of every load; one watcher at a time. Returns how to stop watching. */
  watchAccesses(watcher: AccessWatcher): () => void {
    return this.#engine.watchers.watchAccesses(watcher);
  }

  /** Loads a key anew though it is fresh, sharing a load that is under way; resolves with how that ended. */
  async renew<V>(key: string, loader: AnnotatedLoader<V>, plan: ReadPlan<V>): Promise<Outcome> {
    checkKey(key);
    return this.#open ? this.#engine.answering.renew(key, loader, plan) : Outcome.error;
  }

  /** Marks when loads begin whose values {@link setMany} writes later, so that an invalidation in between wins. */
  mark(): LoadMark {
    return this.#engine.storing.mark();
  }

  get<T>(key: string): Promise<T | undefined> {
    return this.#engine.plainReads.get<T>(key, this.#open);
  }

  mget<T>(keys: string[]): Promise<(T | undefined)[]> {
    return this.#engine.plainReads.mget<T>(keys, this.#open);
  }

  /** When the entry expires, milliseconds since the epoch; undefined without expiry or entry. */
  ttl(key: string): Promise<number | undefined> {
    return this.#engine.plainReads.ttl(key, this.#open);
  }

  /** @param ttl milliseconds or a duration string; 0 keeps it until it is evicted or invalidated. */
  async set<T>(key: string, value: T, ttl?: Duration): Promise<T> {
    if (this.#open) return this.#engine.storing.set(key, value, ttl);
    await this.#engine.removing.keys([key]);
    return value;
  }

  async mset<I extends { key: string; value: unknown; ttl?: Duration }>(list: I[]): Promise<I[]> {
    if (this.#open) await this.#engine.storing.mset(list);
    else await this.#engine.removing.keys(list.map(({ key }) => key));
    return list;
  }

  async del(key: string): Promise<boolean> {
    await this.#engine.removing.one(key);
    return true;
  }

  async mdel(keys: string[]): Promise<boolean> {
    await this.#engine.removing.many(keys);
    return true;
  }

  /** Removes every entry of this cache's namespace and nothing else. */
  async clear(): Promise<boolean> {
    await this.#engine.removing.all();
    return true;
  }

  wrap<T>(
    key: string,
    load: () => T | Promise<T>,
    ttl?: Duration | ((value: T) => Duration),
    refreshThreshold?: number | ((value: T) => number),
  ): Promise<T>;
  wrap<T>(key: string, load: () => T | Promise<T>, options: WrapOptions<T> & { raw: true }): Promise<RawValue<T>>;
  wrap<T>(key: string, load: () => T | Promise<T>, options: WrapOptions<T>): Promise<T>;
  async wrap<T>(
    key: string,
    load: () => T | Promise<T>,
    ttlOrOptions?: Duration | ((value: T) => Duration) | WrapOptions<T>,
    refreshThreshold?: number | ((value: T) => number),
  ): Promise<T | RawValue<T>> {
    const { policy, raw } = wrapPolicy(ttlOrOptions, refreshThreshold);
    const plan = { series: this.#observer.seriesOf(key), policy: this.#plans.resolve<T>(policy) };
    const { value, entry, outcome } = await this.through<T>(key, () => load(), plan);
    if (outcome === Outcome.miss && entry !== undefined) this.#engine.events.emit('set', { key, value });
    if (!raw) return value;
    return entry === undefined || entry.freshUntil === Infinity ? { value } : { value, expires: entry.freshUntil };
  }

  on<E extends CacheEvent>(event: E, listener: (payload: CacheEventPayloads[E]) => void): EventEmitter {
    return this.#engine.events.emitter.on(event, listener);
  }

  off<E extends CacheEvent>(event: E, listener: (payload: CacheEventPayloads[E]) => void): EventEmitter {
    return this.#engine.events.emitter.off(event, listener);
  }

  cacheId(): string {
    return this.#id;
  }

  /** The value, found or loaded; concurrent callers of one key share one load. */
  getOrSet<V>(key: string, loader: Loader<V>, policy?: CachePolicy<V>): Promise<V> {
    const { defaults } = this.#plans;
    if (this.enabled && !(policy === undefined ? defaults.refreshesAhead : this.#plans.refreshesAhead(policy))) {
      const entry = this.#nearHits.hit(key);
      if (entry !== undefined) {
        const value = entry.mutable || (policy?.clone ?? defaults.clone) ? copyOf(entry.value) : entry.value;
        return Promise.resolve(value as V);
      }
    }
    return this.#getOrSet(key, loader, policy);
  }

  /** Values in the order of the keys; one lookup a layer, and one call of the loader for all that are missing. */
  async getOrSetMany<V>(
    keys: readonly string[],
    loader: ManyLoader<V>,
    policy: CachePolicy<V> = {},
  ): Promise<(V | undefined)[]> {
    for (const key of keys) checkKey(key);
    const resolved = this.#plans.resolve<V>(policy);
    const planOf = (key: string): ReadPlan<V> => ({ series: this.#observer.seriesOf(key), policy: resolved });
    const { batchLoad } = this.#engine;
    if (!this.#open) {
      for (const key of keys) this.#observer.bypass(planOf(key).series, BypassReason.disabled);
      return batchLoad.past(keys, loader);
    }
    return batchLoad.answer(keys, loader, planOf, async (key, load) => {
      return (await this.through(key, load, planOf(key))).value;
    });
  }

  /** The value if memory has it fresh: synchronous, uncounted. */
  peek<V>(key: string): V | undefined {
    return this.enabled ? this.#engine.plainReads.peek<V>(key) : undefined;
  }

  /** Whether there is a fresh entry. */
  has(key: string): Promise<boolean> {
    return this.#engine.plainReads.has(key, this.#open);
  }

  /** Makes an entry stale at once: the next access loads it anew, or serves it while that load runs where the policy says so. */
  expire(key: string): Promise<boolean> {
    return this.#engine.removing.expire(key);
  }

  /** Makes every entry with one of these tags unreadable; constant time a tag. */
  invalidateTags(...tags: string[]): Promise<void> {
    return this.#engine.removing.tagged(tags);
  }

  /** How many were removed where the layers know. Glob: `*`, `?`, `[abc]`, `\` escapes; like Redis' MATCH. */
  deleteByPattern(glob: string): Promise<number> {
    return this.#engine.removing.matching(glob);
  }

  /** Resolves when every `required` layer can serve. @throws CacheError `LAYER_REQUIRED` */
  connect(): Promise<void> {
    return this.#lifecycle.connect();
  }

  /** Drains within five seconds and aborts the signals of running loads; later reads go to their origin. */
  async disconnect(): Promise<undefined> {
    await this.#lifecycle.disconnect();
  }

  /** True from the beginning of {@link disconnect} on. */
  get closed(): boolean {
    return this.#lifecycle.closed;
  }

  get #open(): boolean {
    return this.enabled && !this.#lifecycle.closed;
  }

  async #getOrSet<V>(key: string, loader: Loader<V>, policy: CachePolicy<V> | undefined): Promise<V> {
    checkKey(key);
    const plan = { series: this.#observer.seriesOf(key), policy: this.#plans.resolve<V>(policy ?? {}) };
    return (await this.through(key, loader, plan)).value;
  }
}
