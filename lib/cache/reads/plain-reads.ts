import type { Clock } from '../base/clock.js';
import type { CacheEvents } from '../contract/cache-events.js';
import type { Entry } from '../entries/entry.js';
import { valueOf } from '../entries/value-of.js';
import { checkKey, checkKeys } from '../base/keys.js';
import { BypassReason, type CacheObserver, Operation, Result } from '../base/observer.js';
import type { ResolvedPolicy } from '../policies/resolved-policy.js';
import type { LocalHits } from './local-hits.js';
import type { WaitingCallers } from '../base/waiting-callers.js';
import type { RemoteReads } from './remote-reads.js';
import type { Watchers } from './watchers.js';

/** The reads of cache-manager's interface, which return stored values without a loader. A miss returns undefined. */
export class PlainReads {
  constructor(
    private readonly localHits: LocalHits,
    private readonly reads: RemoteReads,
    private readonly observer: CacheObserver,
    private readonly clock: Clock,
    private readonly events: CacheEvents,
    private readonly watchers: Watchers,
    private readonly policy: ResolvedPolicy,
    private readonly callers: WaitingCallers,
  ) {}

  /** Resolves in the same turn if memory has the value. @param open false if the cache is switched off or closed. */
  get<T>(key: string, open: boolean): Promise<T | undefined> {
    const entry = open ? this.localHits.hit(key) : undefined;
    if (entry === undefined) return this.#getRemote(key, open);
    const value = valueOf(entry, this.policy);
    if (this.events.heard('get')) this.events.emit('get', { key, value, store: 'primary' });
    return Promise.resolve(value as T);
  }

  async #getRemote<T>(key: string, open: boolean): Promise<T | undefined> {
    checkKey(key);
    const series = this.observer.seriesOf(key);
    if (!open) {
      this.observer.bypass(series, BypassReason.disabled);
      return undefined;
    }
    this.callers.enter();
    let entry: Entry | undefined;
    try {
      entry = await this.reads.remote(key, series, this.clock.now());
    } finally {
      this.callers.leave();
    }
    if (entry === undefined) return undefined;
    if (this.watchers.hits) this.watchers.hit(key);
    const value = valueOf(entry, this.policy);
    this.events.emit('get', { key, value, store: 'secondary:0' });
    return value as T;
  }

  async mget<T>(keys: string[], open: boolean): Promise<(T | undefined)[]> {
    checkKeys(keys);
    if (!open) {
      for (const key of keys) this.observer.bypass(this.observer.seriesOf(key), BypassReason.disabled);
      return keys.map(() => undefined);
    }
    const found: unknown[] = await this.reads.many(keys, (key) => {
      if (this.watchers.hits) this.watchers.hit(key);
    });
    for (let index = 0; index < found.length; index++) {
      const entry = found[index] as Parameters<typeof valueOf>[0] | undefined;
      if (entry !== undefined) found[index] = valueOf(entry, this.policy);
    }
    const values = found as (T | undefined)[];
    if (this.events.heard('mget')) this.events.emit('mget', { keys, values });
    return values;
  }

  async ttl(key: string, open: boolean): Promise<number | undefined> {
    checkKey(key);
    const entry = open ? await this.reads.any(key) : undefined;
    if (entry === undefined || entry.freshUntil === Infinity || entry.freshUntil <= this.clock.now()) return undefined;
    return Math.round(entry.freshUntil);
  }

  async has(key: string, open: boolean): Promise<boolean> {
    checkKey(key);
    const startedAt = this.clock.now();
    const entry = open ? await this.reads.any(key) : undefined;
    const now = this.clock.now();
    const found = entry !== undefined && entry.freshUntil > now;
    const result = found ? Result.ok : Result.absent;
    this.observer.operation(this.observer.seriesOf(key), Operation.has, result, now - startedAt, 0);
    return found;
  }

  peek<V>(key: string): V | undefined {
    const entry = this.localHits.peek(key, this.clock.now());
    return entry === undefined ? undefined : (valueOf(entry, this.policy) as V);
  }
}
