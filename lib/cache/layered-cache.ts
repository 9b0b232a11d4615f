import type { EventEmitter } from 'node:events';
import { randomUUID } from 'node:crypto';
import { valueOf } from './loading/answering.js';
import type { AccessWatcher } from './reading/access-watcher.js';
import type { BatchEntry, BatchResult, LoadMark } from './writing/batch-entry.js';
import type { ManyLoader } from './loading/batch-load.js';
import type {
  CacheContract,
  CacheEvent,
  CacheEventPayloads,
  KeyvLike,
  RawValue,
  WrapOptions,
} from './contract/cache-contract.js';
import type { CacheLog } from './cache-log.js';
import { type Clock, systemClock } from './clock.js';
import type { Duration } from './duration.js';
import { assemble, type Engine } from './engine.js';
import type { Entry } from './entry.js';
import { FirstHits } from './reading/first-hits.js';
import { checkKey } from './keys.js';
import { keyvStore } from './contract/keyv-store.js';
import type { Layer, LayerFactory, NearLayer } from './layers/layer.js';
import { Lifecycle } from './lifecycle.js';
import { Load } from './loading/load.js';
import { BypassReason, type CacheObserver, Operation, Outcome, Result, type Series, type SeriesOptions } from './observer.js'; // prettier-ignore
import { PlanBook } from './policies/plan-book.js';
import type { CachePolicy, Loader } from './policy.js';
import type { AnnotatedLoader, Answer, ReadPlan } from './read-plan.js';
import { Storing } from './writing/storing.js';
import type { CacheTracer } from './tracer.js';
import { copyOf } from './entries/values.js';
import { wrapPolicy } from './contract/wrap-policy.js';

export type { AccessWatcher } from './reading/access-watcher.js';
export type { BatchEntry, BatchResult, LoadMark } from './writing/batch-entry.js';
export type { ManyLoader } from './loading/batch-load.js';

export interface LayeredCacheOptions {
  /** Nearest first. */
  layers: readonly LayerFactory[];
  /** Prefix of keys in shared layers. */
  namespace: string;
  /** A deploy's version: a new one starts with an empty shared cache. */
  version?: string;
  ttl: Duration;
  policy?: CachePolicy;
  observer: CacheObserver;
  clock?: Clock;
  enabled?: boolean;
  log?: CacheLog;
  tracer?: CacheTracer;
  /** Uniform in [0, 1): jitter, XFetch. @default Math.random */
  random?: () => number;
}

/** The cache: values found or loaded through layers, with cache-manager's contract and more. */
export class LayeredCache implements CacheContract {
  /** The switch: while false every access goes to its origin, and what is written is forgotten instead. */
  enabled: boolean;
  readonly layers: readonly Layer[];
  /** One store that reads and writes through this cache, for code that goes past the cache to its store. */
  readonly stores: KeyvLike[];
  readonly #engine: Engine;
  readonly #near: NearLayer | undefined;
  readonly #observer: CacheObserver;
  readonly #clock: Clock;
  readonly #plans: PlanBook;
  readonly #storing: Storing;
  readonly #lifecycle: Lifecycle;
  readonly #firstHits = new FirstHits();
  readonly #id = randomUUID();
  #onLoad: AccessWatcher['loaded'] | undefined;

  constructor(options: LayeredCacheOptions) {
    const { namespace, version, observer, layers: factories } = options;
    const clock = options.clock ?? systemClock;
    const random = options.random ?? Math.random;
    this.enabled = options.enabled ?? true;
    this.#observer = observer;
    this.#clock = clock;
    this.#plans = new PlanBook({ ...options.policy, ttl: options.ttl });
    this.#engine = assemble({
      factories,
      prefix: version === undefined ? namespace : `${namespace}:${version}`,
      observer,
      clock,
      log: options.log,
      tracer: options.tracer,
      random,
    });
    const { chain, events, invalidations, reads, writes } = this.#engine;
    this.layers = chain.layers;
    this.#near = chain.near;
    this.#storing = new Storing({
      writes,
      reads,
      invalidations,
      observer,
      clock,
      events,
      policy: this.#plans.defaults,
      random,
    });
    this.#lifecycle = new Lifecycle(this.#engine, factories, clock);
    this.stores = [keyvStore(this, events.emitter)];
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
    const entry = this.#near?.lookup(key);
    if (entry === undefined || !this.enabled || plan.policy.refreshesAhead) return undefined;
    const now = this.#clock.now();
    if (entry.freshUntil <= now) return undefined;
    if (entry.tags.length !== 0 && !this.#engine.invalidations.current(entry)) return undefined;
    this.#observer.hit(plan.series, 0, now);
    if (!this.#firstHits.empty) this.#firstHits.hit(key);
    return entry;
  }

  /** Finds or loads; what the loader throws reaches the caller unchanged. */
  async through<V>(key: string, loader: AnnotatedLoader<V>, plan: ReadPlan<V>): Promise<Answer<V>> {
    checkKey(key);
    if (!this.enabled || this.#lifecycle.closed) return this.#past(loader, plan);
    const startedAt = this.#clock.now();
    const near = this.#near?.lookup(key);
    if (near !== undefined && near.freshUntil > startedAt && this.#engine.invalidations.current(near)) {
      if (!this.#firstHits.empty) this.#firstHits.hit(key);
      return this.#engine.answering.hit(key, near, loader, plan, startedAt);
    }
    const answer = await this.#engine.answering.ask(key, loader, plan, near, startedAt);
    if (answer.outcome > Outcome.stale) this.#onLoad?.(key, loader as AnnotatedLoader<unknown>, plan as ReadPlan);
    else if (!this.#firstHits.empty) this.#firstHits.hit(key);
    return answer;
  }

  /** What a caller may have of an entry: the frozen value, or a copy where it cannot be frozen or the policy says so. */
  valueOf(entry: Entry, plan?: ReadPlan<never>): unknown {
    return valueOf(entry, plan);
  }

  /** Counts a request that went past the cache. */
  bypass(plan: ReadPlan<never>, reason: BypassReason): void {
    this.#observer.bypass(plan.series, reason);
  }

  /** One round trip a layer; what cannot be kept is named, the rest is written. */
  setMany(entries: Iterable<BatchEntry>, operation: Operation = Operation.set): Promise<BatchResult> {
    return this.#storing.setMany(entries, operation);
  }

  /** Which of the keys are fresh somewhere; uncounted. */
  async freshKeys(keys: readonly string[]): Promise<Set<string>> {
    const entries = await this.#engine.reads.many(keys, (key) => this.#observer.seriesOf(key), false);
    return new Set(keys.filter((_, index) => entries[index] !== undefined));
  }

  /** Calls back once for every key that is hit; returns how to stop watching. Bounded to the last 100,000 keys. */
  watchFirstHit(keys: Iterable<string>, callback: (key: string) => void): () => void {
    return this.#firstHits.watch(keys, callback);
  }

  /** Tells of a share of the hits and of every load; one watcher at a time. Returns how to stop watching. */
  watchAccesses(watcher: AccessWatcher): () => void {
    const stop = this.#firstHits.sample(watcher.oneIn, watcher.hit);
    this.#onLoad = watcher.loaded;
    return () => {
      stop();
      if (this.#onLoad === watcher.loaded) this.#onLoad = undefined;
    };
  }

  /** Loads a key anew though it is fresh, sharing a load that is under way; resolves with how that ended. */
  async renew<V>(key: string, loader: AnnotatedLoader<V>, plan: ReadPlan<V>): Promise<Outcome> {
    checkKey(key);
    return this.#open ? this.#engine.answering.renew(key, loader, plan, this.#near?.lookup(key)) : Outcome.error;
  }

  /** Marks when loads begin whose values {@link setMany} writes later, so that an invalidation in between wins. */
  mark(): LoadMark {
    const { invalidations } = this.#engine;
    let released = false;
    return {
      epoch: invalidations.begin(),
      release: () => {
        if (!released) invalidations.end();
        released = true;
      },
    };
  }

  async get<T>(key: string): Promise<T | undefined> {
    const entry = this.#enter(key) ? this.#nearHit(key) : undefined;
    if (entry !== undefined) {
      const value = entry.mutable || this.#plans.defaults.clone ? copyOf(entry.value) : entry.value;
      if (this.#engine.events.heard('get')) this.#engine.events.emit('get', { key, value, store: 'primary' });
      return value as T;
    }
    return this.#open ? this.#getFar<T>(key) : undefined;
  }

  async mget<T>(keys: string[]): Promise<(T | undefined)[]> {
    for (const key of keys) checkKey(key);
    if (!this.#open) {
      for (const key of keys) this.#observer.bypass(this.#observer.seriesOf(key), BypassReason.disabled);
      return keys.map(() => undefined);
    }
    const entries = await this.#engine.reads.many(keys, (key, entry) => this.#seriesOf(key, entry));
    const values = entries.map((entry, index) => {
      if (entry !== undefined && !this.#firstHits.empty) this.#firstHits.hit(keys[index]!);
      return entry === undefined ? undefined : (valueOf(entry, { policy: this.#plans.defaults }) as T);
    });
    if (this.#engine.events.heard('mget')) this.#engine.events.emit('mget', { keys, values });
    return values;
  }

  /** When the entry expires, milliseconds since the epoch; undefined without expiry or entry. */
  async ttl(key: string): Promise<number | undefined> {
    checkKey(key);
    const entry = this.#open ? await this.#engine.reads.any(key) : undefined;
    if (entry === undefined || entry.freshUntil === Infinity || entry.freshUntil <= this.#clock.now()) return undefined;
    return Math.round(entry.freshUntil);
  }

  /** @param ttl milliseconds or a duration string; 0 keeps it until it is evicted or invalidated. */
  async set<T>(key: string, value: T, ttl?: Duration): Promise<T> {
    if (this.#open) return this.#storing.set(key, value, ttl);
    await this.#storing.delete([key]);
    return value;
  }

  async mset<I extends { key: string; value: unknown; ttl?: Duration }>(list: I[]): Promise<I[]> {
    if (this.#open) await this.#storing.mset(list);
    else await this.#storing.delete(list.map(({ key }) => key));
    return list;
  }

  async del(key: string): Promise<boolean> {
    await this.#storing.delete([key]);
    this.#engine.events.emit('del', { key });
    return true;
  }

  async mdel(keys: string[]): Promise<boolean> {
    await this.#storing.delete(keys);
    this.#engine.events.emit('mdel', { keys });
    return true;
  }

  /** Removes every entry of this cache's namespace and nothing else. */
  async clear(): Promise<boolean> {
    await this.#storing.clear();
    this.#engine.events.emit('clear', undefined);
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
    if (policy === undefined ? !defaults.refreshesAhead : !this.#plans.refreshesAhead(policy)) {
      const entry = this.enabled ? this.#nearHit(key) : undefined;
      if (entry !== undefined) {
        const clone = entry.mutable || (policy?.clone ?? defaults.clone);
        return Promise.resolve((clone ? copyOf(entry.value) : entry.value) as V);
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
    const { batchLoad, running } = this.#engine;
    if (!this.#open) {
      for (const key of keys) this.#observer.bypass(planOf(key).series, BypassReason.disabled);
      return batchLoad.past(keys, loader, new Load<V>(undefined, running));
    }
    const values = await batchLoad.answer(keys, loader, planOf, (key) => this.#nearHit(key), (key, load) =>
      this.through(key, load, planOf(key)).then(({ value }) => value),
    ); // prettier-ignore
    return keys.map((key) => values.get(key) as V | undefined);
  }

  /** The value if memory has it fresh: synchronous, uncounted. */
  peek<V>(key: string): V | undefined {
    const entry = this.#open ? this.#engine.reads.near(key, this.#clock.now()) : undefined;
    return entry === undefined ? undefined : (valueOf(entry, { policy: this.#plans.defaults }) as V);
  }

  /** Whether there is a fresh entry. */
  async has(key: string): Promise<boolean> {
    checkKey(key);
    const startedAt = this.#clock.now();
    const entry = this.#open ? await this.#engine.reads.any(key) : undefined;
    const now = this.#clock.now();
    const found = entry !== undefined && entry.freshUntil > now;
    const result = found ? Result.ok : Result.absent;
    this.#observer.operation(this.#observer.seriesOf(key), Operation.has, result, now - startedAt, 0);
    return found;
  }

  /** Makes an entry stale at once: the next access loads it anew, or serves it while that load runs where the policy says so. */
  expire(key: string): Promise<boolean> {
    return this.#storing.expire(key);
  }

  /** Makes every entry with one of these tags unreadable; constant time a tag. */
  invalidateTags(...tags: string[]): Promise<void> {
    return this.#storing.invalidateTags(tags);
  }

  /** How many were removed where the layers know. Glob: `*`, `?`, `[abc]`, `\` escapes; like Redis' MATCH. */
  deleteByPattern(glob: string): Promise<number> {
    return this.#storing.deleteByPattern(glob);
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

  /** Checks the key and the switch; counts what goes past. */
  #enter(key: string): boolean {
    checkKey(key);
    if (this.#open) return true;
    this.#observer.bypass(this.#observer.seriesOf(key), BypassReason.disabled);
    return false;
  }

  /** A fresh entry of memory under a key that no handler declared, counted. */
  #nearHit(key: string): Entry | undefined {
    const entry = this.#near?.lookup(key);
    if (entry === undefined) return undefined;
    const now = this.#clock.now();
    if (entry.freshUntil <= now) return undefined;
    if (entry.tags.length !== 0 && !this.#engine.invalidations.current(entry)) return undefined;
    this.#observer.hit(this.#seriesOf(key, entry), 0, now);
    if (!this.#firstHits.empty) this.#firstHits.hit(key);
    return entry;
  }

  #seriesOf(key: string, entry: Entry | undefined): Series {
    if (entry === undefined) return this.#observer.seriesOf(key);
    return (entry.series ??= this.#observer.seriesOf(key));
  }

  async #getFar<T>(key: string): Promise<T | undefined> {
    const entry = await this.#engine.reads.far(key, this.#observer.seriesOf(key), this.#clock.now());
    if (entry === undefined) return undefined;
    if (!this.#firstHits.empty) this.#firstHits.hit(key);
    const value = valueOf(entry, { policy: this.#plans.defaults });
    this.#engine.events.emit('get', { key, value, store: 'secondary:0' });
    return value as T;
  }

  async #getOrSet<V>(key: string, loader: Loader<V>, policy: CachePolicy<V> | undefined): Promise<V> {
    checkKey(key);
    const plan = { series: this.#observer.seriesOf(key), policy: this.#plans.resolve<V>(policy ?? {}) };
    return (await this.through(key, loader, plan)).value;
  }

  /** Straight to the origin. */
  async #past<V>(loader: AnnotatedLoader<V>, plan: ReadPlan<V>): Promise<Answer<V>> {
    this.#observer.bypass(plan.series, BypassReason.disabled);
    const value = await loader(new Load<V>(undefined, this.#engine.running));
    return { value, entry: undefined, outcome: Outcome.miss };
  }
}
