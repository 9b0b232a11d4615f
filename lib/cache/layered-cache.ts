import type { EventEmitter } from 'node:events';
import type {
  CacheContract,
  CacheEvent,
  CacheEventPayloads,
  KeyvLike,
  RawValue,
  WrapOptions,
} from './cache-contract.js';
import type { CacheLog } from './cache-log.js';
import type { Clock } from './clock.js';
import type { Duration } from './duration.js';
import type { Entry } from './entry.js';
import { CacheError } from './errors.js';
import type { Layer, LayerFactory } from './layers/layer.js';
import type { BypassReason, CacheObserver, Operation, SeriesOptions } from './observer.js';
import type { CachePolicy, Loader } from './policy.js';
import type { AnnotatedLoader, Answer, ReadPlan } from './read-plan.js';
import type { CacheTracer } from './tracer.js';

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

/** One entry of a batch write. */
export interface BatchEntry {
  readonly key: string;
  readonly value: unknown;
  readonly ttl?: Duration;
  readonly tags?: readonly string[];
}

export interface BatchResult {
  readonly written: number;
  readonly rejected: readonly { readonly key: string; readonly code: string }[];
  readonly bytes: number;
}

/** How many entries an invalidation removed, where its layers know; tags are counted by name. */
export interface InvalidationCounts {
  readonly keys: number;
  readonly patterns: number;
  readonly tags: number;
}

/** The cache: values found or loaded through layers, with cache-manager's contract and more. */
export class LayeredCache implements CacheContract {
  /** The switch: while false every access goes to its origin. */
  enabled: boolean;
  readonly layers: readonly Layer[];
  readonly stores: KeyvLike[] = [];

  constructor(options: LayeredCacheOptions) {
    this.enabled = options.enabled ?? true;
    this.layers = [];
  }

  /** @throws CacheError on a bad policy. */
  plan<V = unknown>(
    _pattern: string,
    _policy?: CachePolicy<V>,
    _endpoint?: string,
    _series?: SeriesOptions,
  ): ReadPlan<V> {
    throw pending();
  }

  /** The hit path: a fresh entry in memory, counted; undefined counts nothing: ask {@link through}. */
  fresh(_key: string, _plan: ReadPlan<never>): Entry | undefined {
    throw pending();
  }

  /** Finds or loads; what the loader throws reaches the caller unchanged. */
  through<V>(_key: string, _loader: AnnotatedLoader<V>, _plan: ReadPlan<V>): Promise<Answer<V>> {
    throw pending();
  }

  /** What a caller may have of an entry: the frozen value, or a copy where it cannot be frozen or the policy says so. */
  valueOf(_entry: Entry, _plan?: ReadPlan<never>): unknown {
    throw pending();
  }

  /** Counts a request that went past the cache. */
  bypass(_plan: ReadPlan<never>, _reason: BypassReason): void {
    throw pending();
  }

  /** One round trip a layer. */
  setMany(_entries: Iterable<BatchEntry>, _operation?: Operation): Promise<BatchResult> {
    throw pending();
  }

  /** Which of the keys are fresh somewhere; uncounted. */
  freshKeys(_keys: readonly string[]): Promise<Set<string>> {
    throw pending();
  }

  /** Calls back once for every key that is hit before it is written anew; returns how to stop watching. Bounded. */
  watchFirstHit(_keys: Iterable<string>, _callback: (key: string) => void): () => void {
    throw pending();
  }

  get<T>(_key: string): Promise<T | undefined> {
    throw pending();
  }

  mget<T>(_keys: string[]): Promise<(T | undefined)[]> {
    throw pending();
  }

  /** When the entry expires, milliseconds since the epoch; undefined without expiry or entry. */
  ttl(_key: string): Promise<number | undefined> {
    throw pending();
  }

  /** @param _ttl milliseconds or a duration string; 0 keeps it until it is evicted or invalidated. */
  set<T>(_key: string, _value: T, _ttl?: Duration): Promise<T> {
    throw pending();
  }

  mset<T, I extends { key: string; value: T; ttl?: Duration }>(_list: I[]): Promise<I[]> {
    throw pending();
  }

  del(_key: string): Promise<boolean> {
    throw pending();
  }

  mdel(_keys: string[]): Promise<boolean> {
    throw pending();
  }

  /** Removes every entry of this cache's namespace and nothing else. */
  clear(): Promise<boolean> {
    throw pending();
  }

  wrap<T>(
    key: string,
    load: () => T | Promise<T>,
    ttl?: Duration | ((value: T) => Duration),
    refreshThreshold?: number | ((value: T) => number),
  ): Promise<T>;
  wrap<T>(key: string, load: () => T | Promise<T>, options: WrapOptions<T> & { raw: true }): Promise<RawValue<T>>;
  wrap<T>(key: string, load: () => T | Promise<T>, options: WrapOptions<T>): Promise<T>;
  wrap<T>(_key: string, _load: () => T | Promise<T>): Promise<T | RawValue<T>> {
    throw pending();
  }

  on<E extends CacheEvent>(_event: E, _listener: (payload: CacheEventPayloads[E]) => void): EventEmitter {
    throw pending();
  }

  off<E extends CacheEvent>(_event: E, _listener: (payload: CacheEventPayloads[E]) => void): EventEmitter {
    throw pending();
  }

  cacheId(): string {
    throw pending();
  }

  /** The value, found or loaded; concurrent callers of one key share one load. */
  getOrSet<V>(_key: string, _loader: Loader<V>, _policy?: CachePolicy<V>): Promise<V> {
    throw pending();
  }

  /** Values in the order of the keys; one lookup a layer, and one call of the loader for all that are missing. */
  getOrSetMany<V>(
    _keys: readonly string[],
    _loader: ManyLoader<V>,
    _policy?: CachePolicy<V>,
  ): Promise<(V | undefined)[]> {
    throw pending();
  }

  /** The value if memory has it fresh: synchronous, uncounted. */
  peek<V>(_key: string): V | undefined {
    throw pending();
  }

  has(_key: string): Promise<boolean> {
    throw pending();
  }

  /** Makes an entry stale at once: the next access loads it anew, or serves it while that load runs where the policy says so. */
  expire(_key: string): Promise<boolean> {
    throw pending();
  }

  invalidateTags(..._tags: string[]): Promise<void> {
    throw pending();
  }

  /** How many were removed where the layers know. Glob: `*`, `?`, `[abc]`, `\` escapes; like Redis' MATCH. */
  deleteByPattern(_glob: string): Promise<number> {
    throw pending();
  }

  /** Resolves when every `required` layer can serve. @throws CacheError `LAYER_REQUIRED` */
  connect(): Promise<void> {
    throw pending();
  }

  /** Drains within five seconds and aborts the signals of running loads. */
  disconnect(): Promise<undefined> {
    throw pending();
  }
}

/** Loads what is missing of a batch: values in the order of the keys, or by key. A key left out is not kept. */
export type ManyLoader<V> = (
  missing: string[],
  context: { readonly signal: AbortSignal },
) =>
  | readonly (V | undefined)[]
  | ReadonlyMap<string, V>
  | Readonly<Record<string, V>>
  | Promise<readonly (V | undefined)[] | ReadonlyMap<string, V> | Readonly<Record<string, V>>>;

function pending(): CacheError {
  return new CacheError('CACHE_CLOSED', 'not connected');
}
