import type { EventEmitter } from 'node:events';
import { randomUUID } from 'node:crypto';
import { systemClock } from './base/clock.js';
import type { CacheContract, CacheEvent, CacheEventPayloads, KeyvLike, RawValue, WrapOptions } from './contract/cache-contract.js'; // prettier-ignore
import { keyvStore } from './contract/keyv-store.js';
import { wrapPolicy } from './contract/wrap-policy.js';
import type { Duration } from './base/duration.js';
import { assemble, type Engine } from './engine.js';
import { valueOf } from './entries/value-of.js';
import { copyOf } from './entries/caller-copy.js';
import type { Entry } from './entries/entry.js';
import { checkKey, checkKeys } from './base/keys.js';
import type { LayeredCacheOptions } from './layered-cache-options.js';
import type { Layer } from './layers/layer.js';
import { Lifecycle } from './lifecycle.js';
import { LoaderContext } from './loads/loader-context.js';
import { type ManyLoader, valuesInOrder } from './loads/many-loader.js';
import { BypassReason, type CacheObserver, Operation, Outcome, type SeriesOptions } from './base/observer.js';
import type { KeyPolicyLookup } from './policies/key-policies.js';
import type { PolicyOverrides } from './policies/policy-overrides.js';
import type { PolicyCache } from './policies/policy-cache.js';
import type { ResolvedPolicy } from './policies/resolved-policy.js';
import type { CachePolicy, Loader } from './policies/policy.js';
import type { AnnotatedLoader, Answer, PlannedValues, ReadPlan } from './policies/read-plan.js';
import type { AccessWatcher } from './reads/access-watcher.js';
import type { LocalHits } from './reads/local-hits.js';
import type { WaitingCallers } from './base/waiting-callers.js';
import type { BatchEntry, BatchResult, LoadMark } from './writes/batch-entry.js';

export type { LayeredCacheOptions } from './layered-cache-options.js';
export type { ManyLoader } from './loads/many-loader.js';
export type { AccessWatcher } from './reads/access-watcher.js';
export type { BatchEntry, BatchResult, LoadMark } from './writes/batch-entry.js';

/** The cache: values found or loaded through layers, with cache-manager's contract and more. */
export class LayeredCache implements CacheContract {
  /** The switch: while false, every access goes to its origin, and written values are removed instead of stored. */
  enabled: boolean;
  readonly layers: readonly Layer[];
  /** One store that reads and writes through this cache, for code that uses the cache's store directly. */
  readonly stores: KeyvLike[];
  readonly #engine: Engine;
  readonly #localHits: LocalHits;
  readonly #policies: PolicyCache;
  readonly #observer: CacheObserver;
  readonly #lifecycle: Lifecycle;
  readonly #id = randomUUID();

  constructor(options: LayeredCacheOptions) {
    const clock = options.clock ?? systemClock;
    this.enabled = options.enabled ?? true;
    this.#observer = options.observer;
    this.#engine = assemble({ ...options, clock, random: options.random ?? Math.random });
    this.layers = this.#engine.chain.layers;
    this.#localHits = this.#engine.localHits;
    this.#policies = this.#engine.policies;
    this.#lifecycle = new Lifecycle(this.#engine, options.layers, clock);
    this.stores = [keyvStore(this, this.#engine.events.emitter)];
  }

  /** Compiles a handler's series, policy and classes. @throws CacheError on an invalid policy. */
  plan<V = unknown>(
    pattern: string,
    policy: CachePolicy<V> = {},
    endpoint?: string,
    series?: SeriesOptions,
    { returns, jsonOnly, background = true }: PlannedValues = {},
  ): ReadPlan<V> {
    const resolved = this.#policies.resolve(policy);
    const classes = this.#engine.classes.ofPattern(pattern, resolved.classes);
    if (returns !== undefined) classes.declare(returns);
    const plan: ReadPlan<V> = {
      series: this.#observer.series(pattern, endpoint, series),
      policy: resolved,
      classes,
      jsonOnly,
    };
    this.overrides.declare(pattern, plan, policy, background);
    return plan;
  }

  /** Policies that replace declared ones while the application runs. */
  protected get overrides(): PolicyOverrides {
    return this.#engine.overrides;
  }

  /** Calls `listener` when another process may have changed policies. Returns a function that reports a change to the others. */
  protected sharePolicies(listener: () => void): () => void {
    this.#lifecycle.onPolicies = listener;
    return () => void this.#engine.bus.publish({ policies: true });
  }

  /** Sets the policies that entries inherit when they are written under keys of declared templates; undefined ends it. */
  inheritPolicies(lookup: KeyPolicyLookup | undefined): void {
    this.#engine.keyPolicies.declare(lookup);
  }

  /** The hit path: a fresh entry in memory, counted; undefined counts nothing: call {@link through} then. */
  fresh(key: string, plan: ReadPlan<never>): Entry | undefined {
    return this.enabled && !plan.policy.refreshesAhead ? this.#localHits.hit(key, plan.series) : undefined;
  }

  /** Finds or loads a value; errors of the loader reach the caller unchanged. */
  through<V>(key: string, loader: AnnotatedLoader<V>, plan: ReadPlan<V>): Promise<Answer<V>> | Answer<V> {
    checkKey(key);
    return this.#through(key, loader, plan, this.#open ? this.#localHits.lookup(key) : undefined);
  }

  /**
   * Loads a key again for a caller that refuses stored values; concurrent calls share one load. The stored entry stays until the new value
   * replaces it, and is returned if the loader fails. @throws the loader's error if no entry is stored.
   */
  reload<V>(key: string, loader: AnnotatedLoader<V>, plan: ReadPlan<V>): Promise<Answer<V>> | Answer<V> {
    checkKey(key);
    return this.#open ? this.#engine.getOrLoad.reload(key, loader, plan) : this.#past(loader, plan);
  }

  /** Returns the value that a caller may have: the frozen value, or a copy if it cannot be frozen or the policy requires one. */
  valueOf(entry: Entry, plan?: ReadPlan<never>): unknown {
    return valueOf(entry, plan?.policy);
  }

  /** Counts a request that bypassed the cache. */
  bypass(plan: ReadPlan<never>, reason: BypassReason): void {
    this.#observer.bypass(plan.series, reason);
  }

  /**
   * Writes entries in one round trip per layer; entries that cannot be stored are listed, the rest is written. An entry loaded `since` a mark
   * is left out if an invalidation came between, in this process or, as far as a shared layer orders them, in another.
   */
  setMany(entries: Iterable<BatchEntry>, operation: Operation = Operation.set): Promise<BatchResult> {
    return this.#callers.during(this.#engine.sets.setMany(entries, operation));
  }

  /** Returns the keys that are fresh in any layer; counts nothing. */
  async freshKeys(keys: readonly string[]): Promise<Set<string>> {
    checkKeys(keys);
    return new Set((await this.#callers.during(this.#engine.reads.freshEntries(keys))).keys());
  }

  /** Returns the fresh entry of a key in any layer; counts nothing. */
  async freshEntry(key: string): Promise<Entry | undefined> {
    checkKey(key);
    return (await this.#engine.reads.freshEntries([key])).get(key);
  }

  /** Calls back once for every key that is hit; returns a function that ends the watch. Bounded to the last 100,000 keys. */
  watchFirstHit(keys: Iterable<string>, callback: (key: string) => void): () => void {
    return this.#engine.watchers.watchFirstHit(keys, callback);
  }

  /** As {@link watchFirstHit}, for other watchers: neither replaces the other's. */
  watchNextHit(keys: Iterable<string>, callback: (key: string) => void): () => void {
    return this.#engine.watchers.watchNextHit(keys, callback);
  }

  /** The pattern of a key in statistics. */
  patternOf(key: string): string {
    return this.#observer.seriesOf(key).pattern;
  }

  /** Reports a share of the hits and every load. Returns a function that ends the watch. */
  watchAccesses(watcher: AccessWatcher): () => void {
    return this.#engine.watchers.watchAccesses(watcher);
  }

  /** Loads a key again although it is fresh, sharing a running load; resolves with the outcome. */
  async renew<V>(key: string, loader: AnnotatedLoader<V>, plan: ReadPlan<V>): Promise<Outcome> {
    checkKey(key);
    return this.#open ? this.#engine.getOrLoad.renew(key, loader, plan) : Outcome.error;
  }

  /** Marks the beginning of loads whose values {@link setMany} writes later, so that an invalidation in between wins. */
  mark(): LoadMark {
    return this.#engine.sets.mark();
  }

  get<T>(key: string): Promise<T | undefined> {
    return this.#engine.plainReads.get<T>(key, this.#open);
  }

  mget<T>(keys: string[]): Promise<(T | undefined)[]> {
    return this.#callers.during(this.#engine.plainReads.mget<T>(keys, this.#open));
  }

  /** When the entry expires, milliseconds since the epoch; undefined without expiry or entry. */
  ttl(key: string): Promise<number | undefined> {
    return this.#callers.during(this.#engine.plainReads.ttl(key, this.#open));
  }

  /** @param ttl milliseconds or a duration string; 0: it stays until it is evicted or invalidated. */
  set<T>(key: string, value: T, ttl?: Duration): Promise<T> {
    const { sets, deletes } = this.#engine;
    try {
      const written = this.#open ? sets.set(key, value, ttl) : deletes.keys([key]);
      return written === undefined ? Promise.resolve(value) : this.#callers.during(written).then(() => value);
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  async mset<I extends { key: string; value: unknown; ttl?: Duration }>(list: I[]): Promise<I[]> {
    const { sets, deletes } = this.#engine;
    await this.#callers.during(this.#open ? sets.mset(list) : deletes.keys(list.map(({ key }) => key)));
    return list;
  }

  async del(key: string): Promise<boolean> {
    await this.#callers.during(this.#engine.deletes.one(key));
    return true;
  }

  async mdel(keys: string[]): Promise<boolean> {
    await this.#callers.during(this.#engine.deletes.many(keys));
    return true;
  }

  /** Removes every entry of this cache's namespace and nothing else. */
  async clear(): Promise<boolean> {
    await this.#callers.during(this.#engine.deletes.all());
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
    const plan = this.#planOf(key, this.#policies.resolve<T>(policy), policy);
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
    const policies = this.#policies;
    const local = this.enabled ? this.#localHits.lookup(key) : undefined;
    if (local !== undefined && !(policy === undefined ? policies.hitsRefresh : policies.refreshesAhead(policy))) {
      if (this.#localHits.answers(key, local)) {
        const value = local.mutable || (policy?.clone ?? policies.defaults.clone) ? copyOf(local.value) : local.value;
        return Promise.resolve(value as V);
      }
    }
    return this.#getOrSet(key, loader, policy, local);
  }

  /** Values in the order of the keys; one lookup per layer, and one call of the loader for all missing keys. */
  async getOrSetMany<V>(
    keys: readonly string[],
    loader: ManyLoader<V>,
    policy: CachePolicy<V> = {},
  ): Promise<(V | undefined)[]> {
    checkKeys(keys);
    const resolved = this.#policies.resolve<V>(policy);
    const planOf = (key: string): ReadPlan<V> => this.#planOf(key, resolved, policy);
    if (!this.#open) {
      for (const key of keys) this.#observer.bypass(planOf(key).series, BypassReason.disabled);
      const loaded = await this.#callers.during(
        Promise.resolve(loader([...keys], new LoaderContext(undefined, this.#engine.signals))),
      );
      return [...valuesInOrder(loaded, keys, 'this batch')];
    }
    return this.#engine.getOrLoad.many(keys, loader, planOf);
  }

  /** The value if memory has it fresh: synchronous; counts nothing. */
  peek<V>(key: string): V | undefined {
    return this.enabled ? this.#engine.plainReads.peek<V>(key) : undefined;
  }

  /** Whether there is a fresh entry. */
  has(key: string): Promise<boolean> {
    return this.#callers.during(this.#engine.plainReads.has(key, this.#open));
  }

  /** Makes an entry stale at once: the next access loads it again, or serves it during that load if the policy allows it. */
  expire(key: string): Promise<boolean> {
    return this.#callers.during(this.#engine.deletes.expire(key));
  }

  /** Makes every entry with one of these tags unreadable; takes constant time per tag. */
  invalidateTags(...tags: string[]): Promise<void> {
    return this.#callers.during(this.#engine.deletes.tagged(tags));
  }

  /** Removes matching keys; returns how many, as far as the layers report it. Glob: `*`, `?`, `[abc]`, `\` escapes; like Redis' MATCH. */
  deleteByPattern(glob: string): Promise<number> {
    return this.#callers.during(this.#engine.deletes.matching(glob));
  }

  /** Resolves when every `required` layer can serve. @throws CacheError `LAYER_REQUIRED` */
  connect(): Promise<void> {
    return this.#callers.during(this.#lifecycle.connect());
  }

  /** Finishes loads and writes within five seconds, and aborts the signals of running loads; later reads go to their origin. */
  async disconnect(): Promise<undefined> {
    await this.#callers.during(this.#lifecycle.disconnect());
  }

  /** As {@link disconnect}, within a time limit, milliseconds. */
  protected shutDown(withinMs: number): Promise<void> {
    return this.#callers.during(this.#lifecycle.disconnect(withinMs));
  }

  /** Keeps the process alive while a caller waits for this. */
  protected waiting<T>(work: Promise<T>): Promise<T> {
    return this.#callers.during(work);
  }

  /** True once {@link disconnect} has been called. */
  get closed(): boolean {
    return this.#lifecycle.closed;
  }

  get #callers(): WaitingCallers {
    return this.#engine.callers;
  }

  get #open(): boolean {
    return this.enabled && !this.#lifecycle.closed;
  }

  /** @param local what memory has, fresh or not. */
  #getOrSet<V>(
    key: string,
    loader: Loader<V>,
    policy: CachePolicy<V> | undefined,
    local: Entry | undefined,
  ): Promise<V> {
    try {
      checkKey(key);
      const resolved =
        policy === undefined ? (this.#policies.defaults as ResolvedPolicy<V>) : this.#policies.resolve(policy);
      const answer = this.#through(key, loader, this.#planOf(key, resolved, policy), local);
      return answer instanceof Promise ? answer.then(valueOfAnswer<V>) : Promise.resolve(answer.value);
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  /** @param local what memory has, fresh or not. */
  #through<V>(
    key: string,
    loader: AnnotatedLoader<V>,
    plan: ReadPlan<V>,
    local: Entry | undefined,
  ): Promise<Answer<V>> | Answer<V> {
    if (!this.#open) return this.#callers.during(this.#past(loader, plan));
    const { getOrLoad, watchers } = this.#engine;
    const answer = getOrLoad.one(key, loader, plan, local);
    if (!watchers.any) return answer;
    return answer instanceof Promise
      ? answer.then((settled) => this.#watched(key, loader, plan, settled))
      : this.#watched(key, loader, plan, answer);
  }

  /** An entry of a declared template is stored by its handler's policy, unless the caller or an override sets another. */
  #planOf<V>(key: string, own: ResolvedPolicy<V>, named: CachePolicy<V> | undefined): ReadPlan<V> {
    const series = this.#observer.seriesOf(key);
    const { overrides, keyPolicies } = this.#engine;
    if (own.automaticTtl !== undefined) overrides.observed(series.pattern, own);
    const change = overrides.any ? overrides.changeOf(key, series) : undefined;
    const policy =
      change === undefined
        ? keyPolicies.ofLoad(key, named, own)
        : keyPolicies.ofLoad<V>(key, { ...named, ...change }, this.#policies.changed<V>(named ?? {}, change));
    if (policy.classes.length === 0) return { series, policy };
    return { series, policy, classes: this.#engine.classes.listed(key, policy.classes) };
  }

  /** Calls the origin directly, for a cache that is switched off or closed. */
  async #past<V>(loader: AnnotatedLoader<V>, plan: ReadPlan<V>): Promise<Answer<V>> {
    this.#observer.bypass(plan.series, BypassReason.disabled);
    const value = await loader(new LoaderContext<V>(undefined, this.#engine.signals));
    return { value, entry: undefined, outcome: Outcome.miss };
  }

  #watched<V>(key: string, loader: AnnotatedLoader<V>, plan: ReadPlan<V>, answer: Answer<V>): Answer<V> {
    const { watchers } = this.#engine;
    if (answer.outcome > Outcome.stale) watchers.loaded(key, loader as AnnotatedLoader<unknown>, plan as ReadPlan);
    else if (watchers.hits) watchers.hit(key);
    return answer;
  }
}

function valueOfAnswer<V>({ value }: Answer<V>): V {
  return value;
}
