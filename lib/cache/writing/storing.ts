import type { BatchEntry, BatchResult } from './batch-entry.js';
import type { CacheEvents } from '../contract/cache-events.js';
import type { Clock } from '../clock.js';
import type { Duration } from '../duration.js';
import type { Entry } from '../entry.js';
import { CacheError } from '../errors.js';
import type { Invalidations } from '../invalidations.js';
import { checkKey } from '../keys.js';
import { expiredEntry, keptEntry } from '../entries/kept-entry.js';
import { type CacheObserver, Operation, Result, type Series } from '../observer.js';
import type { Reads } from '../reading/reads.js';
import { lifetime, type ResolvedPolicy } from '../policies/resolved-policy.js';
import { type IsolatedValue, isolate } from '../entries/values.js';
import type { Writes } from './writes.js';

/** One entry that may be written: checked, isolated, small enough. */
interface Draft {
  readonly key: string;
  readonly isolated: IsolatedValue;
  readonly ttlMs: number;
  readonly tags: readonly string[];
}

/** What callers write and remove explicitly: checked, told to the observer, and passed to {@link Writes}. */
export class Storing {
  readonly #writes: Writes;
  readonly #reads: Reads;
  readonly #invalidations: Invalidations;
  readonly #observer: CacheObserver;
  readonly #clock: Clock;
  readonly #events: CacheEvents;
  readonly #policy: ResolvedPolicy;
  readonly #random: () => number;

  constructor(parts: {
    writes: Writes;
    reads: Reads;
    invalidations: Invalidations;
    observer: CacheObserver;
    clock: Clock;
    events: CacheEvents;
    policy: ResolvedPolicy;
    random: () => number;
  }) {
    this.#writes = parts.writes;
    this.#reads = parts.reads;
    this.#invalidations = parts.invalidations;
    this.#observer = parts.observer;
    this.#clock = parts.clock;
    this.#events = parts.events;
    this.#policy = parts.policy;
    this.#random = parts.random;
  }

  /** @throws CacheError for a bad key, TTL or value; never because a layer failed. */
  async set<T>(key: string, value: T, ttl: Duration | undefined): Promise<T> {
    const startedAt = this.#clock.now();
    try {
      checkKey(key);
      const draft = this.#draft({ key, value, ttl });
      if (draft === undefined) {
        // What was there before is not this value.
        await this.#writes.delete([key]);
        this.#told(key, Operation.set, Result.rejected, startedAt, 0);
      } else {
        const { entry, kept } = await this.#writes.set(key, (epoch) => this.#entry(draft, epoch));
        this.#told(key, Operation.set, kept ? Result.ok : Result.error, startedAt, entry.size);
      }
    } catch (error) {
      this.#told(String(key), Operation.set, Result.rejected, startedAt, 0);
      this.#events.emit('set', { key, value, error });
      throw error;
    }
    this.#events.emit('set', { key, value });
    return value;
  }

  /** All or, where one of them cannot be kept, none. */
  async mset(list: readonly { key: string; value: unknown; ttl?: Duration }[]): Promise<void> {
    const items = list.map(({ key, value, ttl }) => ({ key, value, ttl }));
    try {
      const startedAt = this.#clock.now();
      const drafts = items.map((item) => {
        checkKey(item.key);
        return this.#draft(item);
      });
      const refused = items.filter((_, index) => drafts[index] === undefined).map(({ key }) => key);
      await this.#writes.delete(refused);
      for (const key of refused) this.#told(key, Operation.set, Result.rejected, startedAt, 0);
      await this.#write(
        drafts.filter((draft) => draft !== undefined),
        Operation.set,
        startedAt,
      );
    } catch (error) {
      this.#events.emit('mset', { list: [...list], error });
      throw error;
    }
    this.#events.emit('mset', { list: [...list] });
  }

  /** What can be kept is written in one round trip a layer; what cannot is named with its code. */
  async setMany(entries: Iterable<BatchEntry>, operation: Operation): Promise<BatchResult> {
    const startedAt = this.#clock.now();
    const drafts = new Map<string, Draft>();
    const rejected: { key: string; code: string }[] = [];
    for (const item of entries) {
      try {
        checkKey(item.key);
        const draft = this.#draft(item);
        if (this.#invalidatedSince(item)) rejected.push({ key: item.key, code: 'INVALIDATED' });
        else if (draft === undefined) rejected.push({ key: item.key, code: 'ENTRY_TOO_LARGE' });
        else drafts.set(item.key, draft);
      } catch (error) {
        rejected.push({ key: String(item.key), code: error instanceof CacheError ? error.code : 'INVALID_OPTIONS' });
      }
    }
    for (const { key } of rejected) this.#told(key, operation, Result.rejected, startedAt, 0);
    const { kept, bytes } = await this.#write([...drafts.values()], operation, startedAt);
    if (kept) return { written: drafts.size, rejected, bytes };
    const lost = [...drafts.keys()].map((key) => ({ key, code: 'LAYER_UNAVAILABLE' }));
    return { written: 0, rejected: [...rejected, ...lost], bytes: 0 };
  }

  /** @returns true where there was one. */
  async delete(keys: readonly string[]): Promise<boolean> {
    for (const key of keys) checkKey(key);
    const startedAt = this.#clock.now();
    const { removed, complete } = await this.#writes.delete(keys);
    // A batch tells how many there were, not which: the first so many count as found.
    keys.forEach((key, index) => {
      const result = !complete ? Result.error : index < removed ? Result.ok : Result.absent;
      this.#told(key, Operation.delete, result, startedAt, 0);
    });
    return removed > 0;
  }

  async deleteByPattern(glob: string): Promise<number> {
    checkKey(glob);
    const startedAt = this.#clock.now();
    const { removed, complete } = await this.#writes.deleteByPattern(glob);
    this.#invalidated(complete, removed, startedAt);
    return removed;
  }

  async invalidateTags(tags: readonly string[]): Promise<void> {
    const startedAt = this.#clock.now();
    const complete = await this.#writes.invalidateTags(tags);
    if (tags.length > 0) this.#invalidated(complete, undefined, startedAt);
  }

  async clear(): Promise<void> {
    const startedAt = this.#clock.now();
    this.#invalidated(await this.#writes.clear(), undefined, startedAt);
  }

  async expire(key: string): Promise<boolean> {
    checkKey(key);
    const startedAt = this.#clock.now();
    const entry = await this.#reads.any(key);
    if (entry === undefined || entry.freshUntil <= startedAt) {
      this.#told(key, Operation.delete, Result.absent, startedAt, 0);
      return false;
    }
    const expired = expiredEntry(entry, this.#clock.now(), 0);
    if (expired.goneAt <= expired.freshUntil) await this.#writes.delete([key]);
    else await this.#writes.set(key, (epoch) => ({ ...expired, epoch }));
    this.#told(key, Operation.delete, Result.ok, startedAt, 0);
    return true;
  }

  async #write(
    drafts: readonly Draft[],
    operation: Operation,
    startedAt: number,
  ): Promise<{ kept: boolean; bytes: number }> {
    if (drafts.length === 0) return { kept: true, bytes: 0 };
    const { entries, kept } = await this.#writes.setMany(
      drafts.map(({ key }) => key),
      (epoch) => drafts.map((draft) => [draft.key, this.#entry(draft, epoch)] as const),
    );
    let bytes = 0;
    for (const [key, { size }] of entries) {
      bytes += size;
      this.#told(key, operation, kept ? Result.ok : Result.error, startedAt, size);
    }
    return { kept, bytes };
  }

  #invalidatedSince({ key, tags, since }: BatchEntry): boolean {
    if (since === undefined) return false;
    return this.#invalidations.lastSince(since.epoch, key, tags ?? this.#policy.tags) !== 0;
  }

  /** Undefined where the entry would be larger than `maxEntrySize`: that is counted. */
  #draft({ key, value, ttl, tags }: BatchEntry): Draft | undefined {
    const ttlMs = ttl === undefined || ttl === null ? this.#policy.ttlMs : lifetime(ttl, 'ttl');
    const draft = { key, isolated: isolate(value), ttlMs, tags: Object.freeze([...(tags ?? this.#policy.tags)]) };
    const { size } = this.#entry(draft, 0);
    if (size <= this.#policy.maxEntrySize) return draft;
    this.#observer.sizeRejected(this.#series(key), size);
    return undefined;
  }

  #entry(draft: Draft, epoch: number): Entry {
    const now = this.#clock.now();
    const origin = { ...draft, createdAt: now, cost: 0, epoch, meta: undefined };
    return keptEntry(origin, this.#policy, now, this.#random);
  }

  #invalidated(complete: boolean, removed: number | undefined, startedAt: number): void {
    const result = !complete ? Result.error : removed === 0 ? Result.absent : Result.ok;
    this.#observer.invalidation(result, this.#clock.now() - startedAt, removed ?? 0);
  }

  #told(key: string, operation: Operation, result: Result, startedAt: number, bytes: number): void {
    this.#observer.operation(this.#series(key), operation, result, this.#clock.now() - startedAt, bytes);
  }

  #series(key: string): Series {
    return this.#observer.seriesOf(key);
  }
}
