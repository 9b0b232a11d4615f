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
import { entrySize, freshUntil, keptEntry } from '../entries/kept-entry.js';
import { type CacheObserver, Operation, Result, type Series } from '../base/observer.js';
import { entryTerms } from '../policies/entry-terms.js';
import type { KeyPolicies } from '../policies/key-policies.js';
import type { PolicyOverrides } from '../policies/policy-overrides.js';
import { lifetime, type ResolvedPolicy } from '../policies/resolved-policy.js';
import type { KnownClasses } from '../entries/known-classes.js';
import { type IsolatedValue, isolate, notPortable } from '../entries/values.js';
import type { CacheTracer, SpanHandle } from '../base/tracer.js';
import type { Writes } from './writes.js';

/** An entry that may be written. It is checked, isolated and not too large. */
interface Draft {
  readonly key: string;
  readonly series: Series;
  readonly isolated: IsolatedValue;
  readonly policy: ResolvedPolicy;
  readonly ttlMs: number;
  readonly tags: readonly string[];
  readonly size: number;
  /** The mark before the load. Undefined for a value that is set now, which is newer than every stored entry. */
  readonly since: LoadMark | undefined;
}

/** The result of a set. */
type SetResult = typeof Result.ok | typeof Result.rejected | typeof Result.error;

/** The outcome of a span for each result. */
const OUTCOMES = { [Result.ok]: 'ok', [Result.rejected]: 'rejected', [Result.error]: 'error' } as const;

function resultOf(kept: boolean): SetResult {
  return kept ? Result.ok : Result.error;
}

/** Writes by callers. They are checked, passed to {@link Writes}, and reported to the observer and the listeners. */
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

  /** Returns the current position in the order of invalidations. Release it when the values that were loaded after it have been written. */
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

  /**
   * @returns a promise that resolves when every layer has the entry; undefined if all have it already.
   * @throws CacheError for an invalid key, TTL or value, never because a layer failed.
   */
  set(key: string, value: unknown, ttl: Duration | undefined): Promise<void> | undefined {
    if (this.tracer === undefined || typeof key !== 'string') return this.#set(key, value, ttl, undefined);
    const series = this.observer.seriesOf(key);
    return this.tracer.span('set', series, key, (span) => this.#set(key, value, ttl, span));
  }

  #set(
    key: string,
    value: unknown,
    ttl: Duration | undefined,
    span: SpanHandle | undefined,
  ): Promise<void> | undefined {
    const startedAt = this.clock.now();
    try {
      checkKey(key);
      const draft = this.#draft({ key, value, ttl });
      const written = this.#written(key, draft, startedAt);
      return typeof written === 'number'
        ? this.#ended(key, value, draft, written, startedAt, span)
        : this.#endedLater(key, value, draft, written, startedAt, span);
    } catch (error) {
      return this.#failed(key, value, error, startedAt);
    }
  }

  async #endedLater(
    key: string,
    value: unknown,
    draft: Draft | string,
    written: Promise<SetResult>,
    startedAt: number,
    span: SpanHandle | undefined,
  ): Promise<void> {
    let result: SetResult;
    try {
      result = await written;
    } catch (error) {
      return this.#failed(key, value, error, startedAt);
    }
    this.#ended(key, value, draft, result, startedAt, span);
  }

  #written(key: string, draft: Draft | string, now: number): Promise<SetResult> | SetResult {
    // The value was refused. The entry stored before is outdated, so delete it.
    if (typeof draft === 'string') return this.writes.delete([key]).then(() => Result.rejected);
    const kept = this.writes.set(key, this.#entry(draft, this.writes.begin(key), now), now);
    return typeof kept === 'boolean' ? resultOf(kept) : kept.then(resultOf);
  }

  #ended(
    key: string,
    value: unknown,
    draft: Draft | string,
    result: SetResult,
    startedAt: number,
    span: SpanHandle | undefined,
  ): undefined {
    if (typeof draft === 'string') this.#report(this.observer.seriesOf(key), Operation.set, result, startedAt, 0);
    else this.#report(draft.series, Operation.set, result, startedAt, draft.size);
    span?.outcome(OUTCOMES[result]);
    if (this.events.heard('set')) this.events.emit('set', { key, value });
  }

  #failed(key: string, value: unknown, error: unknown, startedAt: number): never {
    this.#report(this.observer.seriesOf(String(key)), Operation.set, Result.rejected, startedAt, 0);
    this.events.emit('set', { key, value, error });
    throw error;
  }

  /**
   * Writes all values that can be stored, and deletes the keys of refused ones.
   * @throws CacheError for an invalid key, TTL or value; then nothing is written or deleted.
   */
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
      // Start both together, so that a read in the same turn finds the new values.
      await Promise.all([this.writes.delete(refused), this.#write(kept, Operation.set, startedAt)]);
      for (const key of refused) {
        this.#report(this.observer.seriesOf(key), Operation.set, Result.rejected, startedAt, 0);
      }
    } catch (error) {
      this.events.emit('mset', { list: [...list], error });
      throw error;
    }
    this.events.emit('mset', { list: [...list] });
  }

  /** Writes the values that can be stored, in one round trip per layer. The result lists the others with their codes. */
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
    for (const { key } of rejected) {
      this.#report(this.observer.seriesOf(key), operation, Result.rejected, startedAt, 0);
    }
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
          // With an empty ticket, a shared layer compares the time at which the entry was created.
          return draft.since === undefined ? [draft.key, entry] : [draft.key, entry, new LoadTicket()];
        }),
    );
    const endedAt = this.clock.now();
    const result = resultOf(kept);
    let bytes = 0;
    for (const { series, size } of drafts) {
      bytes += size;
      this.observer.operation(series, operation, result, endedAt - startedAt, size, endedAt);
    }
    return { kept, bytes };
  }

  #invalidatedSince({ key, tags, since }: Draft): boolean {
    return since !== undefined && this.invalidations.concernedSince(since.epoch, key, tags);
  }

  /**
   * Prepares a value to be written. Returns a code if it must not be stored: it is larger than `maxEntrySize`, or its handler's policy
   * refuses it. Both are counted.
   */
  #draft({ key, value, ttl, tags: named, since }: BatchEntry): Draft | 'ENTRY_TOO_LARGE' | 'NOT_CACHEABLE' {
    if (named !== undefined) checkTags(named);
    const ownTtl = ttl === undefined || ttl === null ? undefined : lifetime(ttl, 'ttl');
    const declared = this.keyPolicies.of(key);
    const series = this.observer.seriesOf(key);
    const policy = declared?.policy ?? this.#policyOf(key, series);
    const terms =
      declared === undefined
        ? { ttlMs: ownTtl ?? policy.ttlMs, tags: named ?? policy.tags }
        : entryTerms(value, policy, { ttlMs: ownTtl, tags: named ?? declared.tagsOf(value) });
    if (typeof terms === 'number') {
      this.observer.notKept?.(series, terms);
      return 'NOT_CACHEABLE';
    }
    const isolated = isolate(value, { freeze: !this.writes.encoded, codecs: this.classes.codecsOf(key) });
    if (!isolated.portable && this.writes.shares) throw notPortable();
    const tags = terms.tags === policy.tags ? terms.tags : Object.freeze([...terms.tags]);
    const size = entrySize(key, isolated, tags, undefined);
    if (size > policy.maxEntrySize) {
      this.observer.sizeRejected(series, size);
      return 'ENTRY_TOO_LARGE';
    }
    return { key, series, isolated, policy, ttlMs: terms.ttlMs, tags, size, since };
  }

  #policyOf(key: string, series: Series): ResolvedPolicy {
    if (!this.overrides.any) return this.policy;
    const change = this.overrides.changeOf(key, series);
    return change === undefined ? this.policy : this.overrides.ofCache(change);
  }

  #entry({ key, series, isolated, policy, ttlMs, tags, size, since }: Draft, epoch: number, now: number): Entry {
    const createdAt = since?.at ?? now;
    const { instances } = isolated;
    const classes = instances.size === 0 ? undefined : this.classes.ofKey(key);
    classes?.learn(instances);
    const freshTo = freshUntil(ttlMs, policy, now, this.random);
    const entry = keptEntry(isolated, size, tags, createdAt, freshTo, 0, epoch, classes, undefined, policy);
    if (this.stream !== undefined) entry.track = this.stream.stored(key, series, entry, ttlMs, now);
    return entry;
  }

  #report(series: Series, operation: Operation, result: Result, startedAt: number, bytes: number): void {
    const now = this.clock.now();
    this.observer.operation(series, operation, result, now - startedAt, bytes, now);
  }
}
