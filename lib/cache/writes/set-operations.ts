import type { BatchEntry, BatchRejection, BatchResult, LoadMark } from './batch-entry.js';
import type { CacheEvents } from '../contract/cache-events.js';
import type { Clock } from '../base/clock.js';
import type { Duration } from '../base/duration.js';
import type { AccessStream } from '../entries/access-stream.js';
import type { Entry } from '../entries/entry.js';
import { CacheError } from '../base/errors.js';
import type { LayerWrite } from '../layers/layer.js';
import { LoadTicket } from '../layers/load-ticket.js';
import type { Invalidations } from '../invalidation/invalidations.js';
import { checkKey, checkTags } from '../base/keys.js';
import { entrySize, keptEntry } from '../entries/kept-entry.js';
import { type CacheObserver, Operation, Result } from '../base/observer.js';
import { entryTerms } from '../policies/entry-terms.js';
import type { KeyPolicies } from '../policies/key-policies.js';
import type { PolicyOverrides } from '../policies/policy-overrides.js';
import { lifetime, type ResolvedPolicy } from '../policies/resolved-policy.js';
import type { KnownClasses } from '../entries/known-classes.js';
import { type IsolatedValue, isolate, notPortable } from '../entries/values.js';
import type { CacheTracer, SpanHandle } from '../base/tracer.js';
import type { Writes } from './writes.js';

/** One entry that may be written: checked, isolated, small enough. */
interface Draft {
  readonly key: string;
  readonly isolated: IsolatedValue;
  readonly policy: ResolvedPolicy;
  readonly ttlMs: number;
  readonly tags: readonly string[];
  readonly size: number;
  /** Undefined: made now, and newer than whatever is there. */
  readonly since: LoadMark | undefined;
}

/** What callers write explicitly: checked, reported to the observer and the listeners, and passed to {@link Writes}. */
export class SetOperations {
  constructor(
    private readonly writes: Writes,
    private readonly invalidations: Invalidations,
    private readonly observer: CacheObserver,
    private readonly clock: Clock,
    private readonly events: CacheEvents,
    private readonly policy: ResolvedPolicy,
    private readonly overrides: PolicyOverrides,
    private readonly keyPolicies: KeyPolicies,
    private readonly random: () => number,
    private readonly tracer: CacheTracer | undefined,
    private readonly classes: KnownClasses,
    private readonly stream: AccessStream | undefined,
  ) {}

  /** A moment in the order of invalidations, to be released once what was loaded since has been written. */
  mark(): LoadMark {
    let held = true;
    return {
      epoch: this.invalidations.begin(),
      at: this.clock.now(),
      release: () => {
        if (held) this.invalidations.end();
        held = false;
      },
    };
  }

  /** @throws CacheError for a bad key, TTL or value; never because a layer failed. */
  async set<T>(key: string, value: T, ttl: Duration | undefined): Promise<T> {
    if (this.tracer === undefined || typeof key !== 'string') return this.#set(key, value, ttl, undefined);
    const series = this.observer.seriesOf(key);
    return this.tracer.span('set', series, key, (span) => this.#set(key, value, ttl, span));
  }

  async #set<T>(key: string, value: T, ttl: Duration | undefined, span: SpanHandle | undefined): Promise<T> {
    const startedAt = this.clock.now();
    try {
      checkKey(key);
      const draft = this.#draft({ key, value, ttl });
      if (typeof draft === 'string') {
        // What was there before is not this value.
        await this.writes.delete([key]);
        this.#report(key, Operation.set, Result.rejected, startedAt, 0);
        span?.outcome('rejected');
      } else {
        const { entry, kept } = await this.writes.set(key, (epoch) => this.#entry(draft, epoch, startedAt));
        this.#report(key, Operation.set, kept ? Result.ok : Result.error, startedAt, entry.size);
        span?.outcome(kept ? 'ok' : 'error');
      }
    } catch (error) {
      this.#report(String(key), Operation.set, Result.rejected, startedAt, 0);
      this.events.emit('set', { key, value, error });
      throw error;
    }
    this.events.emit('set', { key, value });
    return value;
  }

  /** All or, where one of them cannot be kept, none. */
  async mset(list: readonly { key: string; value: unknown; ttl?: Duration }[]): Promise<void> {
    const items = list.map(({ key, value, ttl }) => ({ key, value, ttl }));
    try {
      const startedAt = this.clock.now();
      const drafts = items.map((item) => {
        checkKey(item.key);
        return this.#draft(item);
      });
      const refused = items.filter((_, index) => typeof drafts[index] === 'string').map(({ key }) => key);
      const kept = drafts.filter((draft) => typeof draft !== 'string');
      // Together, so that a read in the same turn finds what is kept.
      await Promise.all([this.writes.delete(refused), this.#write(kept, Operation.set, startedAt)]);
      for (const key of refused) this.#report(key, Operation.set, Result.rejected, startedAt, 0);
    } catch (error) {
      this.events.emit('mset', { list: [...list], error });
      throw error;
    }
    this.events.emit('mset', { list: [...list] });
  }

  /** What can be kept is written in one round trip a layer; what cannot is named with its code. */
  async setMany(entries: Iterable<BatchEntry>, operation: Operation): Promise<BatchResult> {
    const startedAt = this.clock.now();
    const drafts = new Map<string, Draft>();
    const rejected: BatchRejection[] = [];
    for (const item of entries) {
      try {
        checkKey(item.key);
        const draft = this.#draft(item);
        if (typeof draft === 'string') rejected.push({ key: item.key, code: draft });
        else if (this.#invalidatedSince(draft)) rejected.push({ key: item.key, code: 'INVALIDATED' });
        else drafts.set(item.key, draft);
      } catch (error) {
        rejected.push({ key: String(item.key), code: error instanceof CacheError ? error.code : 'INVALID_OPTIONS' });
      }
    }
    for (const { key } of rejected) this.#report(key, operation, Result.rejected, startedAt, 0);
    const { kept, bytes } = await this.#write([...drafts.values()], operation, startedAt);
    if (kept) return { written: drafts.size, rejected, bytes };
    const lost = [...drafts.keys()].map((key) => ({ key, code: 'LAYER_UNAVAILABLE' as const }));
    return { written: 0, rejected: [...rejected, ...lost], bytes: 0 };
  }

  async #write(
    drafts: readonly Draft[],
    operation: Operation,
    startedAt: number,
  ): Promise<{ kept: boolean; bytes: number }> {
    if (drafts.length === 0) return { kept: true, bytes: 0 };
    const now = this.clock.now();
    const kept = await this.writes.setMany(
      drafts.map(({ key }) => key),
      (epoch) =>
        drafts.map((draft): LayerWrite => {
          const entry = this.#entry(draft, epoch, now);
          // An empty ticket lets a shared layer judge by when the entry was made.
          return draft.since === undefined ? [draft.key, entry] : [draft.key, entry, new LoadTicket()];
        }),
    );
    const tookMs = this.clock.now() - startedAt;
    const result = kept ? Result.ok : Result.error;
    let bytes = 0;
    for (const { key, size } of drafts) {
      bytes += size;
      this.observer.operation(this.observer.seriesOf(key), operation, result, tookMs, size);
    }
    return { kept, bytes };
  }

  #invalidatedSince({ key, tags, since }: Draft): boolean {
    return since !== undefined && this.invalidations.concernedSince(since.epoch, key, tags);
  }

  /** A code where the entry is not kept: too large for `maxEntrySize`, which is counted, or refused by its handler's policy. */
  #draft({ key, value, ttl, tags: named, since }: BatchEntry): Draft | 'ENTRY_TOO_LARGE' | 'NOT_CACHEABLE' {
    if (named !== undefined) checkTags(named);
    const ownTtl = ttl === undefined || ttl === null ? undefined : lifetime(ttl, 'ttl');
    const declared = this.keyPolicies.of(key);
    const policy = declared?.policy ?? this.#policyOf(key);
    const terms =
      declared === undefined
        ? { ttlMs: ownTtl ?? policy.ttlMs, tags: named ?? policy.tags }
        : entryTerms(value, policy, { ttlMs: ownTtl, tags: named ?? declared.tagsOf(value) });
    if (typeof terms === 'number') {
      this.observer.notKept?.(this.observer.seriesOf(key), terms);
      return 'NOT_CACHEABLE';
    }
    const isolated = isolate(value, { freeze: !this.writes.encoded, codecs: this.classes.codecsOf(key) });
    if (!isolated.portable && this.writes.shares) throw notPortable();
    const tags = terms.tags === policy.tags ? terms.tags : Object.freeze([...terms.tags]);
    const size = entrySize({ key, isolated, tags, meta: undefined });
    if (size > policy.maxEntrySize) {
      this.observer.sizeRejected(this.observer.seriesOf(key), size);
      return 'ENTRY_TOO_LARGE';
    }
    return { key, isolated, policy, ttlMs: terms.ttlMs, tags, size, since };
  }

  #policyOf(key: string): ResolvedPolicy {
    if (!this.overrides.any) return this.policy;
    const change = this.overrides.changeOf(key, this.observer.seriesOf(key));
    return change === undefined ? this.policy : this.overrides.ofCache(change);
  }

  #entry({ key, isolated, policy, ttlMs, tags, since }: Draft, epoch: number, now: number): Entry {
    const createdAt = since?.at ?? now;
    const classes = isolated.instances.size === 0 ? undefined : this.classes.ofKey(key);
    classes?.learn(isolated.instances);
    const entry = keptEntry(
      { key, isolated, createdAt, ttlMs, tags, cost: 0, epoch, meta: undefined, classes },
      policy,
      now,
      this.random,
    );
    if (this.stream !== undefined)
      entry.track = this.stream.stored(key, this.observer.seriesOf(key), entry, ttlMs, now);
    return entry;
  }

  #report(key: string, operation: Operation, result: Result, startedAt: number, bytes: number): void {
    const tookMs = this.clock.now() - startedAt;
    this.observer.operation(this.observer.seriesOf(key), operation, result, tookMs, bytes);
  }
}
