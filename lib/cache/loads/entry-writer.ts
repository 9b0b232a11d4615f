import type { Clock } from '../base/clock.js';
import type { Entry, EntryMeta } from '../entries/entry.js';
import { redactedMessage } from '../base/redacted-error.js';
import type { Invalidations } from '../invalidation/invalidations.js';
import { entrySize, freshUntil, keptEntry } from '../entries/kept-entry.js';
import type { LayerChain } from '../layers/layer-chain.js';
import type { LoadTicket } from '../layers/load-ticket.js';
import type { MissReasons } from '../freshness/miss-reasons.js';
import type { LoadResult } from './in-flight-loads.js';
import { type CacheObserver, NotKept, Operation, Outcome, Result } from '../base/observer.js';
import type { OnceLog } from '../base/once-log.js';
import type { ReadPlan } from '../policies/read-plan.js';
import { type EntryTerms, entryTerms } from '../policies/entry-terms.js';
import type { KnownClasses } from '../entries/known-classes.js';
import type { PatternClasses } from '../entries/pattern-classes.js';
import type { Sharing } from '../entries/value-of.js';
import { type IsolatedValue, isolate, isolateAsJson, notPortable } from '../entries/values.js';

/** What a loader decided about its value. */
export interface LoadDecisions {
  /** Why it is not stored; undefined: it may be. */
  readonly dropped: NotKept | undefined;
  readonly ttlMs: number | undefined;
  readonly tags: readonly string[] | undefined;
  readonly meta: EntryMeta | undefined;
  /** True if the value is sent as JSON. */
  readonly isSentAsJson: boolean;
}

/** One entry of a batch that a load stores. */
export interface StoredEntry {
  readonly key: string;
  readonly entry: Entry;
  readonly ticket: LoadTicket | undefined;
  readonly plan: ReadPlan<never>;
  /** The order of invalidations when its load began. */
  readonly epoch: number;
}

/** Decides whether and how a loaded value is stored, and writes it to the layers unless an invalidation came between. */
export class EntryWriter {
  constructor(
    private readonly chain: LayerChain,
    private readonly observer: CacheObserver,
    private readonly clock: Clock,
    private readonly log: OnceLog,
    private readonly invalidations: Invalidations,
    private readonly reasons: MissReasons,
    private readonly classes: KnownClasses,
    private readonly random: () => number,
  ) {}

  /**
   * Writes the entry of a loaded value to the layers.
   * @param loadedAt when the loader returned: its set began then.
   * @returns a promise that resolves when every layer has it; undefined if all have it already.
   */
  store(
    key: string,
    entry: Entry,
    plan: ReadPlan<never>,
    ticket: LoadTicket | undefined,
    loadedAt: number,
  ): Promise<void> | undefined {
    if (this.chain.hasRemote) return this.#storeRemotely(key, entry, plan, ticket, loadedAt);
    this.chain.setLocally(key, entry, loadedAt);
    this.#report(plan, entry, true, loadedAt);
    return undefined;
  }

  /** Apart from {@link store}, where the function would be allocated even without a remote layer. */
  #storeRemotely(
    key: string,
    entry: Entry,
    plan: ReadPlan<never>,
    ticket: LoadTicket | undefined,
    loadedAt: number,
  ): Promise<void> {
    return this.chain.set(key, entry, ticket, loadedAt, (kept) => this.#report(plan, entry, kept, loadedAt));
  }

  /**
   * Writes a batch that was prepared in slices: entries invalidated between two slices are left out. One round trip per
   * layer. Resolves when every layer has it.
   */
  async storeMany(prepared: readonly StoredEntry[]): Promise<void> {
    const startedAt = this.clock.now();
    const kept = prepared.filter(({ key, entry, epoch }) => !this.invalidations.concernedSince(epoch, key, entry.tags));
    const { kept: stored } = await this.chain.setMany(
      kept.map(({ key, entry, ticket }): readonly [string, Entry, LoadTicket?] =>
        ticket === undefined ? [key, entry] : [key, entry, ticket],
      ),
    );
    for (const { plan, entry } of kept) this.#report(plan, entry, stored, startedAt);
    if (kept.length === prepared.length) return;
    const written = new Set(kept);
    for (const one of prepared) if (!written.has(one)) this.observer.notKept?.(one.plan.series, NotKept.invalidated);
  }

  /**
   * Returns the entry of a loaded value, or the reason why there is none: skipped, refused, too large, invalidated meanwhile.
   * @param epoch the order of invalidations when its load, or the read before it, began.
   * @param loadedAt when the loader returned.
   */
  prepare<V>(
    key: string,
    value: V,
    load: LoadDecisions,
    plan: ReadPlan<V>,
    epoch: number,
    startedAt: number,
    loadedAt: number,
  ): LoadResult {
    const isolated = this.#isolated(key, value, load, plan);
    // A value that cannot be copied belongs to the caller whose load returned it.
    if (isolated === undefined) return loaded(value, undefined, 'own', NO_TAGS);
    const sharing = isolated.mutable || plan.policy.clone ? 'copied' : 'shared';
    const terms = load.dropped ?? this.#terms(value, load, plan);
    if (typeof terms === 'number') {
      this.observer.notKept?.(plan.series, terms);
      return loaded(isolated.value, undefined, sharing, NO_TAGS);
    }
    const { policy } = plan;
    const { tags, ttlMs } = terms;
    const { meta } = load;
    const size = entrySize(key, isolated, tags, meta);
    const freshTo = freshUntil(ttlMs, policy, loadedAt, this.random);
    const classes = this.#learned(key, isolated, plan);
    const cost = loadedAt - startedAt;
    const entry = keptEntry(isolated, size, tags, startedAt, freshTo, cost, epoch, classes, meta, policy);
    if (this.tooLarge(entry, plan)) return loaded(isolated.value, undefined, sharing, NO_TAGS);
    // Earlier callers get this value; callers after the invalidation do not.
    if (this.invalidations.concernedSince(epoch, key, entry.tags)) {
      this.observer.notKept?.(plan.series, NotKept.invalidated);
      return loaded(isolated.value, undefined, sharing, entry.tags);
    }
    this.reasons.kept(key, entry.freshUntil);
    return loaded(entry.value, entry, sharing, entry.tags);
  }

  #report(plan: ReadPlan<never>, entry: Entry, kept: boolean, startedAt: number): void {
    const result = kept ? Result.ok : Result.error;
    const now = this.clock.now();
    this.observer.operation(plan.series, Operation.set, result, now - startedAt, entry.size, now);
  }

  /** Counts and refuses an entry above `maxEntrySize`. */
  tooLarge(entry: Entry, plan: Pick<ReadPlan<never>, 'series' | 'policy'>): boolean {
    if (entry.size <= plan.policy.maxEntrySize) return false;
    this.observer.sizeRejected(plan.series, entry.size);
    return true;
  }

  #learned(key: string, { instances }: IsolatedValue, plan: ReadPlan<never>): PatternClasses | undefined {
    if (instances.size === 0) return undefined;
    const classes = plan.classes ?? this.classes.ofKey(key);
    classes.learn(instances);
    return classes;
  }

  #isolated(key: string, value: unknown, load: LoadDecisions, plan: ReadPlan<never>): IsolatedValue | undefined {
    if (load.isSentAsJson && this.chain.keepsTexts && typeof value === 'object' && value !== null) {
      const isolated = isolateAsJson(value);
      if (isolated !== undefined) return isolated;
    }
    try {
      const isolated = isolate(value, {
        codecs: plan.classes ?? this.classes.codecsOf(key),
        jsonOnly: plan.jsonOnly,
      });
      if (!isolated.portable && this.chain.hasShared) throw notPortable();
      return isolated;
    } catch (cause) {
      this.observer.operation(plan.series, Operation.set, Result.rejected, 0, 0);
      this.observer.notKept?.(plan.series, load.dropped ?? NotKept.value);
      const { pattern } = plan.series;
      const why = redactedMessage(cause);
      this.log.once('warn', 'VALUE_NOT_SERIALIZABLE', pattern, `A value of ${pattern} was not kept: ${why}`);
      return undefined;
    }
  }

  /** Returns TTL and tags, or the reason why the value is not stored. If the policy's own functions throw, it is not. */
  #terms<V>(value: V, load: LoadDecisions, plan: ReadPlan<V>): EntryTerms | NotKept {
    const { policy } = plan;
    try {
      return entryTerms(value, policy, load);
    } catch (cause) {
      const { pattern } = plan.series;
      const message = `A value of ${pattern} was not kept: its ttl, tags or cacheIf failed.`;
      this.log.once('error', 'INVALID_OPTIONS', pattern, message, cause);
      return NotKept.policy;
    }
  }
}

const NO_TAGS: readonly string[] = Object.freeze([]);

function loaded(value: unknown, entry: Entry | undefined, sharing: Sharing, tags: readonly string[]): LoadResult {
  return { value, entry, sharing, tags, outcome: Outcome.miss, layer: -1 };
}
