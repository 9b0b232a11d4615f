import type { Clock } from '../clock.js';
import type { CacheEvents } from '../contract/cache-events.js';
import { valueOf } from '../entries/value-of.js';
import { checkKey } from '../keys.js';
import { BypassReason, type CacheObserver, Operation, Result } from '../observer.js';
import type { ResolvedPolicy } from '../policies/resolved-policy.js';
import type { NearHits } from './near-hits.js';
import type { Reads } from './reads.js';
import type { Watchers } from './watchers.js';

/** cache-manager's reads: what is there, without a loader. Undefined is a miss. */
export class PlainReads {
  readonly #nearHits: NearHits;
  readonly #reads: Reads;
  readonly #observer: CacheObserver;
  readonly #clock: Clock;
  readonly #events: CacheEvents;
  readonly #watchers: Watchers;
  readonly #policy: ResolvedPolicy;

  constructor(parts: {
    nearHits: NearHits;
    reads: Reads;
    observer: CacheObserver;
    clock: Clock;
    events: CacheEvents;
    watchers: Watchers;
    policy: ResolvedPolicy;
  }) {
    this.#nearHits = parts.nearHits;
    this.#reads = parts.reads;
    this.#observer = parts.observer;
    this.#clock = parts.clock;
    this.#events = parts.events;
    this.#watchers = parts.watchers;
    this.#policy = parts.policy;
  }

  /** Resolved in the same turn where memory has it. @param open false: the cache is switched off or closed. */
  get<T>(key: string, open: boolean): Promise<T | undefined> {
    const entry = open ? this.#nearHits.hit(key) : undefined;
    if (entry === undefined) return this.#getFar(key, open);
    const value = valueOf(entry, this.#policy);
    if (this.#events.heard('get')) this.#events.emit('get', { key, value, store: 'primary' });
    return Promise.resolve(value as T);
  }

  async #getFar<T>(key: string, open: boolean): Promise<T | undefined> {
    checkKey(key);
    const series = this.#observer.seriesOf(key);
    if (!open) {
      this.#observer.bypass(series, BypassReason.disabled);
      return undefined;
    }
    const entry = await this.#reads.far(key, series, this.#clock.now());
    if (entry === undefined) return undefined;
    if (this.#watchers.hits) this.#watchers.hit(key);
    const value = valueOf(entry, this.#policy);
    this.#events.emit('get', { key, value, store: 'secondary:0' });
    return value as T;
  }

  async mget<T>(keys: string[], open: boolean): Promise<(T | undefined)[]> {
    for (const key of keys) checkKey(key);
    if (!open) {
      for (const key of keys) this.#observer.bypass(this.#observer.seriesOf(key), BypassReason.disabled);
      return keys.map(() => undefined);
    }
    const found: unknown[] = await this.#reads.many(keys, (key) => {
      if (this.#watchers.hits) this.#watchers.hit(key);
    });
    for (let index = 0; index < found.length; index++) {
      const entry = found[index] as Parameters<typeof valueOf>[0] | undefined;
      if (entry !== undefined) found[index] = valueOf(entry, this.#policy);
    }
    const values = found as (T | undefined)[];
    if (this.#events.heard('mget')) this.#events.emit('mget', { keys, values });
    return values;
  }

  async ttl(key: string, open: boolean): Promise<number | undefined> {
    checkKey(key);
    const entry = open ? await this.#reads.any(key) : undefined;
    if (entry === undefined || entry.freshUntil === Infinity || entry.freshUntil <= this.#clock.now()) return undefined;
    return Math.round(entry.freshUntil);
  }

  async has(key: string, open: boolean): Promise<boolean> {
    checkKey(key);
    const startedAt = this.#clock.now();
    const entry = open ? await this.#reads.any(key) : undefined;
    const now = this.#clock.now();
    const found = entry !== undefined && entry.freshUntil > now;
    const result = found ? Result.ok : Result.absent;
    this.#observer.operation(this.#observer.seriesOf(key), Operation.has, result, now - startedAt, 0);
    return found;
  }

  peek<V>(key: string): V | undefined {
    const entry = this.#nearHits.peek(key, this.#clock.now());
    return entry === undefined ? undefined : (valueOf(entry, this.#policy) as V);
  }
}
