import type { Clock } from '../clock.js';
import type { Entry } from '../entry.js';
import { toldError } from '../told-error.js';
import type { Invalidations } from '../invalidations.js';
import { keptEntry } from '../entries/kept-entry.js';
import type { LayerChain } from '../layers/layer-chain.js';
import type { LoadTicket } from '../layers/layer.js';
import type { Load } from './load.js';
import type { MissReasons } from '../reading/miss-reasons.js';
import { type CacheObserver, Operation, Result } from '../observer.js';
import type { OnceLog } from '../once-log.js';
import type { ReadPlan } from '../read-plan.js';
import { lifetime } from '../policies/resolved-policy.js';
import { type IsolatedValue, isolate } from '../entries/values.js';

/** What a load brought, ready to be handed out. */
export interface Kept {
  readonly value: unknown;
  readonly entry: Entry | undefined;
  /** False where each caller needs a copy of the value. */
  readonly shareable: boolean;
  readonly tags: readonly string[];
}

/** Where a loaded value comes from. */
export interface LoadOrigin {
  /** The order of invalidations when its load, or the read before it, began. */
  readonly epoch: number;
  readonly startedAt: number;
}

/** Decides whether and how a loaded value is kept, and puts it into the layers unless an invalidation came between. */
export class Keeping {
  readonly #chain: LayerChain;
  readonly #observer: CacheObserver;
  readonly #clock: Clock;
  readonly #log: OnceLog;
  readonly #invalidations: Invalidations;
  readonly #reasons: MissReasons;
  readonly #random: () => number;

  constructor(parts: {
    chain: LayerChain;
    observer: CacheObserver;
    clock: Clock;
    log: OnceLog;
    invalidations: Invalidations;
    reasons: MissReasons;
    random: () => number;
  }) {
    this.#chain = parts.chain;
    this.#observer = parts.observer;
    this.#clock = parts.clock;
    this.#log = parts.log;
    this.#invalidations = parts.invalidations;
    this.#reasons = parts.reasons;
    this.#random = parts.random;
  }

  /** Puts the entry of a loaded value into the layers. @returns when every layer has it; undefined: at once. */
  store(key: string, entry: Entry, plan: ReadPlan<never>, ticket: LoadTicket | undefined): Promise<void> | undefined {
    const startedAt = this.#clock.now();
    const stored = this.#chain.set(key, entry, ticket);
    if (typeof stored !== 'boolean') return stored.then((kept) => this.#told(plan, entry, kept, startedAt));
    this.#told(plan, entry, stored, startedAt);
    return undefined;
  }

  /** The same for a batch: one round trip a layer. Resolves when every layer has it. */
  async storeMany(
    kept: readonly {
      readonly key: string;
      readonly entry: Entry;
      readonly ticket: LoadTicket | undefined;
      readonly plan: ReadPlan<never>;
    }[],
  ): Promise<void> {
    const startedAt = this.#clock.now();
    const stored = await this.#chain.setMany(
      kept.map(({ key, entry, ticket }): readonly [string, Entry, LoadTicket?] =>
        ticket === undefined ? [key, entry] : [key, entry, ticket],
      ),
    );
    for (const { plan, entry } of kept) this.#told(plan, entry, stored, startedAt);
  }

  /** The entry of a loaded value, or the reason in form of none: skipped, refused, too large, invalidated meanwhile. */
  prepare<V>(key: string, value: V, load: Load<V>, plan: ReadPlan<V>, origin: LoadOrigin): Kept {
    const isolated = this.#isolated(value, plan);
    if (isolated === undefined) return { value, entry: undefined, shareable: true, tags: [] };
    const shareable = !isolated.mutable && !plan.policy.clone;
    const dropped: Kept = { value: isolated.value, entry: undefined, shareable, tags: [] };
    const terms = this.#terms(value, load, plan);
    if (terms === undefined) return dropped;
    const now = this.#clock.now();
    const entry = keptEntry(
      {
        key,
        isolated,
        createdAt: origin.startedAt,
        ttlMs: terms.ttlMs,
        tags: terms.tags,
        cost: now - origin.startedAt,
        epoch: origin.epoch,
        meta: load.meta,
      },
      plan.policy,
      now,
      this.#random,
    );
    if (this.tooLarge(entry, plan)) return dropped;
    // Whoever came before the invalidation gets this value; nobody later does.
    if (this.#invalidations.concernedSince(origin.epoch, key, entry.tags)) return { ...dropped, tags: entry.tags };
    this.#reasons.kept(key, entry.freshUntil);
    return { value: entry.value, entry, shareable, tags: entry.tags };
  }

  #told(plan: ReadPlan<never>, entry: Entry, kept: boolean, startedAt: number): void {
    const result = kept ? Result.ok : Result.error;
    this.#observer.operation(plan.series, Operation.set, result, this.#clock.now() - startedAt, entry.size);
  }

  /** Counts and refuses an entry above `maxEntrySize`. */
  tooLarge(entry: Entry, plan: Pick<ReadPlan<never>, 'series' | 'policy'>): boolean {
    if (entry.size <= plan.policy.maxEntrySize) return false;
    this.#observer.sizeRejected(plan.series, entry.size);
    return true;
  }

  #isolated(value: unknown, plan: ReadPlan<never>): IsolatedValue | undefined {
    try {
      return isolate(value);
    } catch (cause) {
      this.#observer.operation(plan.series, Operation.set, Result.rejected, 0, 0);
      const { pattern } = plan.series;
      const what = toldError(cause);
      this.#log.say('warn', 'VALUE_NOT_SERIALIZABLE', pattern, `A value of ${pattern} was not kept: ${what}`, cause);
      return undefined;
    }
  }

  /** For how long and under which tags; undefined: not at all. What the caller's own functions throw keeps nothing. */
  #terms<V>(
    value: V,
    load: Load<V>,
    plan: ReadPlan<V>,
  ): { readonly ttlMs: number; readonly tags: readonly string[] } | undefined {
    if (load.skipped) return undefined;
    const { policy } = plan;
    try {
      if (policy.cacheIf !== undefined && !policy.cacheIf(value)) return undefined;
      const ttlMs = load.ttlMs ?? this.#ttl(value, policy);
      if (ttlMs === 0) return undefined;
      const tags = load.tags ?? (policy.tagsOf === undefined ? policy.tags : Object.freeze([...policy.tagsOf(value)]));
      return { ttlMs, tags };
    } catch (cause) {
      const { pattern } = plan.series;
      const message = `A value of ${pattern} was not kept: its ttl, tags or cacheIf failed.`;
      this.#log.say('error', 'INVALID_OPTIONS', pattern, message, cause);
      return undefined;
    }
  }

  #ttl<V>(value: V, policy: ReadPlan<V>['policy']): number {
    if (value === undefined) return policy.undefinedTtlMs;
    if (value === null && policy.nullTtlMs !== undefined) return policy.nullTtlMs;
    return policy.ttlOf === undefined ? policy.ttlMs : lifetime(policy.ttlOf(value), 'ttl');
  }
}
