import type { Entry } from '../entries/entry.js';
import { copyOf } from '../entries/caller-copy.js';
import { JsonText } from '../entries/json-text.js';
import { type Sharing, valueOf } from '../entries/value-of.js';
import { type GlobMatcher, globMatcher } from '../base/glob.js';
import { KeyTable, type KeyTableItem } from '../base/key-table.js';
import type { Invalidations } from '../invalidation/invalidations.js';
import type { Located } from '../layers/layer-chain.js';
import type { LoadTicket } from '../layers/load-ticket.js';
import type { Operation, Outcome } from '../base/observer.js';
import type { ReadPlan } from '../policies/read-plan.js';
import type { SpanLink } from '../base/tracer.js';

/** The result of a load. */
export interface LoadResult {
  readonly value: unknown;
  readonly entry: Entry | undefined;
  /** Who gets the value if there is no entry. */
  readonly sharing: Sharing;
  /** The tags of the value, even if it was not stored. */
  readonly tags: readonly string[];
  /** `hit`: a remote layer had the value. `miss`: it was loaded. `stale`: the origin failed, now or a moment ago. */
  readonly outcome: Outcome;
  /** Index of the layer that had the value, or -1. */
  readonly layer: number;
}

/** Waits for a load by callbacks, without a promise. `located` is called at most once, before the others. */
export interface LoadWaiter {
  /** Called when the remote layers have answered. */
  located(located: Located, load: InFlightLoad<never>): void;
  loaded(result: LoadResult, load: InFlightLoad<never>): void;
  failed(error: unknown, load: InFlightLoad<never>): void;
}

/** A request to load a key. */
export interface LoadRequest<V> {
  readonly key: string;
  readonly plan: ReadPlan<V>;
  /** The best known entry. It is stale or expires soon, and is returned if the origin fails. */
  readonly candidate: Entry | undefined;
  /** `load`, or `refresh` if no caller waits. */
  readonly operation: typeof Operation.load | typeof Operation.refresh;
  /** True if a fresh entry must not be returned. Then the origin is always called. */
  readonly reload?: boolean;
  /** The span that caused a refresh. */
  readonly cause?: SpanLink;
}

/**
 * One search of the remote layers and, if they have no fresh entry, one load. All callers that ask for the key during this time share it.
 */
export class InFlightLoad<V = unknown> implements KeyTableItem<InFlightLoad> {
  hash = 0;
  nextInBucket: InFlightLoad | undefined;
  candidate: Entry | undefined;
  /** The answer of the remote layers. */
  remote: Located | undefined;
  /** The times of the reads of remote layers, for the write of the loaded value. */
  ticket: LoadTicket | undefined;
  /** Releases the lock. Called when the value has been stored, or will not be. */
  release: (() => void) | undefined;
  /** When the load is given up. */
  expiresAt = Infinity;
  /** The link for the spans of waiting callers. */
  link: SpanLink;
  result: LoadResult | undefined;
  #error: { readonly cause: unknown } | undefined;
  #first: LoadWaiter | undefined;
  #others: LoadWaiter[] | undefined;

  constructor(
    private readonly request: LoadRequest<V>,
    /** The epoch of the order of invalidations when it began. */
    readonly epoch: number,
    private readonly onEnd: { ended(load: InFlightLoad<never>): void },
  ) {
    this.candidate = request.candidate;
  }

  get key(): string {
    return this.request.key;
  }

  get plan(): ReadPlan<V> {
    return this.request.plan;
  }

  get operation(): LoadRequest<V>['operation'] {
    return this.request.operation;
  }

  get cause(): SpanLink {
    return this.request.cause;
  }

  get reload(): boolean {
    return this.request.reload === true;
  }

  get ended(): boolean {
    return this.result !== undefined || this.#error !== undefined;
  }

  /** Adds a waiter; after the end of the load it is called at once. */
  wait(waiter: LoadWaiter): void {
    if (this.result !== undefined) waiter.loaded(this.result, this as InFlightLoad<never>);
    else if (this.#error !== undefined) waiter.failed(this.#error.cause, this as InFlightLoad<never>);
    else if (this.#first === undefined) this.#first = waiter;
    else (this.#others ??= []).push(waiter);
  }

  /** The end as a promise. An unhandled rejection is silent: the error is reported at its source. */
  end(): Promise<LoadResult> {
    const end = new Promise<LoadResult>((resolve, reject) => {
      this.wait({ located: () => undefined, loaded: resolve, failed: reject });
    });
    end.catch(() => undefined);
    return end;
  }

  located(located: Located): void {
    this.remote = located;
    this.#each((waiter) => waiter.located(located, this as InFlightLoad<never>));
  }

  settle(result: LoadResult): void {
    if (this.ended) return;
    this.result = result;
    this.onEnd.ended(this as InFlightLoad<never>);
    this.#each((waiter) => waiter.loaded(result, this as InFlightLoad<never>));
  }

  fail(cause: unknown): void {
    if (this.ended) return;
    this.#error = { cause };
    this.onEnd.ended(this as InFlightLoad<never>);
    this.#each((waiter) => waiter.failed(cause, this as InFlightLoad<never>));
  }

  #each(call: (waiter: LoadWaiter) => void): void {
    if (this.#first === undefined) return;
    call(this.#first);
    if (this.#others !== undefined) for (const waiter of this.#others) call(waiter);
  }
}

/** The loads in flight by key. A fenced load keeps its waiters; later callers start another load. */
export class InFlightLoads {
  /**
   * The load that began last. Most loads end before the next begins, and to add each to the table and remove it would cost more than the rest.
   */
  #newest: InFlightLoad | undefined;
  /** All other loads. */
  readonly #loads = new KeyTable<InFlightLoad>();

  constructor(private readonly invalidations: Invalidations) {}

  get(key: string): InFlightLoad | undefined {
    return this.#newest?.key === key ? this.#newest : this.#loads.get(key);
  }

  /** Starts a load that later callers for its key join until it ends or is fenced. */
  start<V>(request: LoadRequest<V>): InFlightLoad<V> {
    const load = this.startAlone(request);
    this.fence(request.key);
    if (this.#newest !== undefined) this.#loads.add(this.#newest);
    this.#newest = load as InFlightLoad;
    return load;
  }

  /** Starts a load that no other caller joins. */
  startAlone<V>(request: LoadRequest<V>): InFlightLoad<V> {
    return new InFlightLoad(request, this.invalidations.begin(), this);
  }

  ended(load: InFlightLoad<never>): void {
    this.invalidations.end();
    this.leave(load);
  }

  /** Removes a load, so that later callers start another. */
  leave(load: InFlightLoad<never>): void {
    if (this.#newest === (load as unknown)) this.#newest = undefined;
    else this.#loads.remove(load as InFlightLoad);
  }

  fence(key: string): void {
    const load = this.get(key);
    if (load !== undefined) this.leave(load as InFlightLoad<never>);
  }

  fenceGlob(glob: string): void {
    const matches: GlobMatcher = globMatcher(glob);
    this.#fenceWhere(({ key }) => matches(key));
  }

  fenceTags(tags: readonly string[]): void {
    this.#fenceWhere(({ plan }) => plan.policy.tags.some((tag) => tags.includes(tag)));
  }

  fenceAll(): void {
    this.#newest = undefined;
    this.#loads.clear();
  }

  /** The ends of all loads, to wait for at shutdown. */
  all(): Promise<LoadResult>[] {
    return this.#each().map((load) => load.end());
  }

  #fenceWhere(concerned: (load: InFlightLoad) => boolean): void {
    for (const load of this.#each()) if (concerned(load)) this.leave(load as InFlightLoad<never>);
  }

  #each(): InFlightLoad[] {
    return this.#newest === undefined ? this.#loads.items() : [...this.#loads.items(), this.#newest];
  }
}

/** Returns an existing entry as a result. */
export function resultOf(entry: Entry, outcome: typeof Outcome.hit | typeof Outcome.stale, layer: number): LoadResult {
  return { value: entry.value, entry, sharing: 'shared', tags: entry.tags, outcome, layer };
}

type ReadBy = Pick<ReadPlan<never>, 'policy' | 'jsonOnly'>;

/** Returns the value of an entry for a caller: the JSON text itself if the caller only sends JSON. */
export function valueFor(entry: Entry, { policy, jsonOnly }: ReadBy): unknown {
  return jsonOnly === true && entry.value instanceof JsonText ? entry.value : valueOf(entry, policy);
}

/** Returns the value of a result for a caller. */
export function valueOfResult({ entry, value, sharing }: LoadResult, plan: ReadBy): unknown {
  if (entry !== undefined) return valueFor(entry, plan);
  if (plan.jsonOnly === true && value instanceof JsonText) return value;
  return sharing === 'copied' ? copyOf(value) : value;
}
