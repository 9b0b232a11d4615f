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

/** A cache that finds or loads values through layers. It has the interface of cache-manager's cache, and more. */
export class LayeredCache implements CacheContract {
  /** While false, every access calls its origin, and a write removes the entry instead of storing it. */
  enabled: boolean;
  readonly layers: readonly Layer[];
  /** Holds one store, for code that uses the cache's store directly. The store reads and writes through this cache. */
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

  /** Compiles the series, policy and classes of a handler. @throws CacheError for an invalid policy. */
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

  /** Policies that override declared ones while the application runs. */
  protected get overrides(): PolicyOverrides {
    return this.#engine.overrides;
  }

  /** Calls `listener` if another process may have changed policies. Returns a function that reports a change to the others. */
  protected sharePolicies(listener: () => void): () => void {
    this.#lifecycle.onPolicies = listener;
    return () => void this.#engine.bus.publish({ policies: true });
  }

  /** Sets how an entry inherits a policy when it is written under a key of a declared template. Undefined ends the inheritance. */
  inheritPolicies(lookup: KeyPolicyLookup | undefined): void {
    this.#engine.keyPolicies.declare(lookup);
  }

  /** Returns a fresh entry of the local layer and counts the hit. If undefined, nothing was counted: call {@link through}. */
  fresh(key: string, plan: ReadPlan<never>): Entry | undefined {
    return this.enabled && !plan.policy.refreshesAhead ? this.#localHits.hit(key, plan.series) : undefined;
  }

  /** Finds or loads a value. Errors of the loader reach the caller unchanged. */
  through<V>(key: string, loader: AnnotatedLoader<V>, plan: ReadPlan<V>): Promise<Answer<V>> | Answer<V> {
    checkKey(key);
    return this.#through(key, loader, plan, this.#open ? this.#localHits.lookup(key) : undefined);
  }

  /**
   * Loads a key again for a caller that refuses stored values. Concurrent calls share one load. The stored entry stays until the new value replaces
   * it, and is returned if the loader fails.
   * @throws the loader's error if no entry is stored.
   */
  reload<V>(key: string, loader: AnnotatedLoader<V>, plan: ReadPlan<V>): Promise<Answer<V>> | Answer<V> {
    checkKey(key);
    return this.#open ? this.#engine.getOrLoad.reload(key, loader, plan) : this.#past(loader, plan);
  }

  /** Returns the value for a caller: the frozen value, or a copy if it cannot be frozen or the policy requires a copy. */
  valueOf(entry: Entry, plan?: ReadPlan<never>): unknown {
    return valueOf(entry, plan?.policy);
  }

  /** Counts a request that bypassed the cache. */
  bypass(plan: ReadPlan<never>, reason: BypassReason): void {
    this.#observer.bypass(plan.series, reason);
  }

  /**
   * Writes entries in one round trip per layer. The result lists the entries that cannot be stored; the others are written. An entry with `since` is
   * left out if it was invalidated after that mark: in this process, or in another process if a shared layer orders their invalidations.
   */
  setMany(entries: Iterable<BatchEntry>, operation: Operation = Operation.set): Promise<BatchResult> {
    return this.#callers.during(this.#engine.sets.setMany(entries, operation));
  }

  /** Returns the keys that are fresh in any layer. Counts nothing. */
  async freshKeys(keys: readonly string[]): Promise<Set<string>> {
    checkKeys(keys);
    return new Set((await this.#callers.during(this.#engine.reads.freshEntries(keys))).keys());
  }

  /** Returns the fresh entry of a key in any layer. Counts nothing. */
  async freshEntry(key: string): Promise<Entry | undefined> {
    checkKey(key);
    return (await this.#engine.reads.freshEntries([key])).get(key);
  }

  /** Calls back once for each key that is hit. Returns a function that ends the watch. Watches at most the last 100,000 keys. */
  watchFirstHit(keys: Iterable<string>, callback: (key: string) => void): () => void {
    return this.#engine.watchers.watchFirstHit(keys, callback);
  }

  /** Watches as {@link watchFirstHit} does, for another caller: neither watch replaces the other. */
  watchNextHit(keys: Iterable<string>, callback: (key: string) => void): () => void {
    return this.#engine.watchers.watchNextHit(keys, callback);
  }

  /** Returns the pattern under which statistics count a key. */
  patternOf(key: string): string {
    return this.#observer.seriesOf(key).pattern;
  }

  /** Reports a sample of the hits, and every load. Returns a function that ends the watch. */
  watchAccesses(watcher: AccessWatcher): () => void {
    return this.#engine.watchers.watchAccesses(watcher);
  }

  /** Loads a key again even if it is fresh, or joins the running load. Resolves with the outcome. */
  async renew<V>(key: string, loader: AnnotatedLoader<V>, plan: ReadPlan<V>): Promise<Outcome> {
    checkKey(key);
    return this.#open ? this.#engine.getOrLoad.renew(key, loader, plan) : Outcome.error;
  }

  /** Marks the time at which loads begin whose values {@link setMany} writes later. Values that are invalidated after the mark are not written. */
  mark(): LoadMark {
    return this.#engine.sets.mark();
  }

  get<T>(key: string): Promise<T | undefined> {
    return this.#engine.plainReads.get<T>(key, this.#open);
  }

  mget<T>(keys: string[]): Promise<(T | undefined)[]> {
    return this.#callers.during(this.#engine.plainReads.mget<T>(keys, this.#open));
  }

  /** Returns when the entry expires, milliseconds since the epoch. Undefined if it does not expire or does not exist. */
  ttl(key: string): Promise<number | undefined> {
    return this.#callers.during(this.#engine.plainReads.ttl(key, this.#open));
  }

  /** @param ttl milliseconds or a duration string. With 0 the entry stays until it is evicted or invalidated. */
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

  /** Removes every entry in this cache's namespace, and nothing else. */
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

  /** Finds or loads a value. Concurrent callers of one key share one load. */
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

  /** Finds or loads many values, in the order of the keys. It needs one lookup per layer and one call of the loader for all missing keys. */
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

  /** Returns the value synchronously if memory holds a fresh one. Counts nothing. */
  peek<V>(key: string): V | undefined {
    return this.enabled ? this.#engine.plainReads.peek<V>(key) : undefined;
  }

  /** Returns true if there is a fresh entry. */
  has(key: string): Promise<boolean> {
    return this.#callers.during(this.#engine.plainReads.has(key, this.#open));
  }

  /** Makes an entry stale at once. The next access loads it again. During that load the access returns the stale value if the policy allows it. */
  expire(key: string): Promise<boolean> {
    return this.#callers.during(this.#engine.deletes.expire(key));
  }

  /** Makes every entry with one of these tags unreadable. Takes constant time per tag. */
  invalidateTags(...tags: string[]): Promise<void> {
    return this.#callers.during(this.#engine.deletes.tagged(tags));
  }

  /**
   * Removes the entries whose keys match, and returns their number as far as the layers report it. The glob is like Redis' MATCH: `*`, `?`, `[abc]`,
   * and `\` to escape.
   */
  deleteByPattern(glob: string): Promise<number> {
    return this.#callers.during(this.#engine.deletes.matching(glob));
  }

  /** Resolves when every `required` layer is ready. @throws CacheError `LAYER_REQUIRED` */
  connect(): Promise<void> {
    return this.#callers.during(this.#lifecycle.connect());
  }

  /** Aborts the signals of running loads, and finishes loads and writes within five seconds. Later reads call their origin. */
  async disconnect(): Promise<undefined> {
    await this.#callers.during(this.#lifecycle.disconnect());
  }

  /** Disconnects as {@link disconnect} does, within a time limit in milliseconds. */
  protected shutDown(withinMs: number): Promise<void> {
    return this.#callers.during(this.#lifecycle.disconnect(withinMs));
  }

  /** Keeps the process alive until the work is done. */
  protected waiting<T>(work: Promise<T>): Promise<T> {
    return this.#callers.during(work);
  }

  /** True after {@link disconnect} was called. */
  get closed(): boolean {
    return this.#lifecycle.closed;
  }

  get #callers(): WaitingCallers {
    return this.#engine.callers;
  }

  get #open(): boolean {
    return this.enabled && !this.#lifecycle.closed;
  }

  /** @param local the entry in memory, fresh or not. */
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

  /** @param local the entry in memory, fresh or not. */
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

  /** Plans a read. An entry whose key matches a declared template gets its handler's policy, unless the caller or an override sets another. */
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

  /** Calls the origin directly, because the cache is switched off or closed. */
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
