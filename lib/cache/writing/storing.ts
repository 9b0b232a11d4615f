import type { BatchEntry, BatchResult, LoadMark } from './batch-entry.js';
import type { CacheEvents } from '../contract/cache-events.js';
import type { Clock } from '../clock.js';
import type { Duration } from '../duration.js';
import type { Entry } from '../entry.js';
import { CacheError } from '../errors.js';
import type { LayerWrite } from '../layers/layer.js';
import type { Invalidations } from '../invalidations.js';
import { checkKey } from '../keys.js';
import { entrySize, keptEntry } from '../entries/kept-entry.js';
import { type CacheObserver, Operation, Result } from '../observer.js';
import { lifetime, type ResolvedPolicy } from '../policies/resolved-policy.js';
import { type IsolatedValue, isolate } from '../entries/values.js';
import type { CacheTracer, SpanHandle } from '../tracer.js';
import type { Writes } from './writes.js';

/** One entry that may be written: checked, isolated, small enough. */
interface Draft {
  readonly key: string;
  readonly isolated: IsolatedValue;
  readonly ttlMs: number;
  readonly tags: readonly string[];
  readonly size: number;
  /** Undefined: made now, and newer than whatever is there. */
  readonly since: LoadMark | undefined;
}

/** What callers write explicitly: checked, told to the observer and the listeners, and passed to {@link Writes}. */
export class Storing {
  readonly #writes: Writes;
  readonly #invalidations: Invalidations;
  readonly #observer: CacheObserver;
  readonly #clock: Clock;
  readonly #events: CacheEvents;
  readonly #policy: ResolvedPolicy;
  readonly #random: () => number;
  readonly #tracer: CacheTracer | undefined;

  constructor(parts: {
    writes: Writes;
    invalidations: Invalidations;
    observer: CacheObserver;
    clock: Clock;
    events: CacheEvents;
    policy: ResolvedPolicy;
    random: () => number;
    tracer: CacheTracer | undefined;
  }) {
    this.#writes = parts.writes;
    this.#invalidations = parts.invalidations;
    this.#observer = parts.observer;
    this.#clock = parts.clock;
    this.#events = parts.events;
    this.#policy = parts.policy;
    this.#random = parts.random;
    this.#tracer = parts.tracer;
  }

  /** A moment in the order of invalidations, to be released once what was loaded since has been written. */
  mark(): LoadMark {
    let held = true;
    return {
      epoch: this.#invalidations.begin(),
      at: this.#clock.now(),
      release: () => {
        if (held) this.#invalidations.end();
        held = false;
      },
    };
  }

  /** @throws CacheError for a bad key, TTL or value; never because a layer failed. */
  async set<T>(key: string, value: T, ttl: Duration | undefined): Promise<T> {
    if (this.#tracer === undefined || typeof key !== 'string') return this.#set(key, value, ttl, undefined);
    const series = this.#observer.seriesOf(key);
    return this.#tracer.span('set', series, key, (span) => this.#set(key, value, ttl, span));
  }

  async #set<T>(key: string, value: T, ttl: Duration | undefined, span: SpanHandle | undefined): Promise<T> {
    const startedAt = this.#clock.now();
    try {
      checkKey(key);
      const draft = this.#draft({ key, value, ttl });
      if (draft === undefined) {
        // What was there before is not this value.
        await this.#writes.delete([key]);
        this.#told(key, Operation.set, Result.rejected, startedAt, 0);
        span?.outcome('rejected');
      } else {
        const { entry, kept } = await this.#writes.set(key, (epoch) => this.#entry(draft, epoch, startedAt));
        this.#told(key, Operation.set, kept ? Result.ok : Result.error, startedAt, entry.size);
        span?.outcome(kept ? 'ok' : 'error');
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

  async #write(
    drafts: readonly Draft[],
    operation: Operation,
    startedAt: number,
  ): Promise<{ kept: boolean; bytes: number }> {
    if (drafts.length === 0) return { kept: true, bytes: 0 };
    const now = this.#clock.now();
    const kept = await this.#writes.setMany(
      drafts.map(({ key }) => key),
      (epoch) =>
        drafts.map((draft): LayerWrite => {
          const entry = this.#entry(draft, epoch, now);
          // An empty ticket lets a shared layer judge by when the entry was made.
          return draft.since === undefined ? [draft.key, entry] : [draft.key, entry, new Map()];
        }),
    );
    const tookMs = this.#clock.now() - startedAt;
    const result = kept ? Result.ok : Result.error;
    let bytes = 0;
    for (const { key, size } of drafts) {
      bytes += size;
      this.#observer.operation(this.#observer.seriesOf(key), operation, result, tookMs, size);
    }
    return { kept, bytes };
  }

  #invalidatedSince({ key, tags, since }: BatchEntry): boolean {
    if (since === undefined) return false;
    return this.#invalidations.concernedSince(since.epoch, key, tags ?? this.#policy.tags);
  }

  /** Undefined where the entry would be larger than `maxEntrySize`: that is counted. */
  #draft({ key, value, ttl, tags, since }: BatchEntry): Draft | undefined {
    const ttlMs = ttl === undefined || ttl === null ? this.#policy.ttlMs : lifetime(ttl, 'ttl');
    const isolated = isolate(value, !this.#writes.encoded);
    const size = entrySize(key, isolated);
    if (size > this.#policy.maxEntrySize) {
      this.#observer.sizeRejected(this.#observer.seriesOf(key), size);
      return undefined;
    }
    return {
      key,
      isolated,
      ttlMs,
      tags: tags === undefined ? this.#policy.tags : Object.freeze([...tags]),
      size,
      since,
    };
  }

  #entry({ key, isolated, ttlMs, tags, since }: Draft, epoch: number, now: number): Entry {
    const createdAt = since?.at ?? now;
    return keptEntry(
      { key, isolated, createdAt, ttlMs, tags, cost: 0, epoch, meta: undefined },
      this.#policy,
      now,
      this.#random,
    );
  }

  #told(key: string, operation: Operation, result: Result, startedAt: number, bytes: number): void {
    const tookMs = this.#clock.now() - startedAt;
    this.#observer.operation(this.#observer.seriesOf(key), operation, result, tookMs, bytes);
  }
}
