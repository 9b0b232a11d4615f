import { within } from '../base/bounded-wait.js';
import { isRetained } from '../freshness/freshness.js';
import { Operation, Outcome, Result } from '../base/observer.js';
import type { AnnotatedLoadContext, AnnotatedLoader } from '../policies/read-plan.js';
import { isThenable } from '../base/thenable.js';
import { forEachInSlices } from '../base/slices.js';
import type { CacheTracer, SpanHandle } from '../base/tracer.js';
import type { StoredEntry } from './entry-writer.js';
import { Deadline } from './deadlines.js';
import { resultOfError } from '../base/load-answers.js';
import { type InFlightLoad, type LoadResult, resultOf } from './in-flight-loads.js';
import type { LoadParts } from './load-parts.js';
import { loadTimeout } from './load-timeout.js';
import { LoaderContext } from './loader-context.js';
import type { FollowedCall } from './nested-loads.js';

/**
 * One call of a loader, for one key or many, with its deadline and its loads. Each load ends with its value, with its last value if the
 * policy allows that, or with the loader's unchanged error.
 */
export class OriginCall<V> extends Deadline implements FollowedCall {
  /** When the loader was called. */
  startedAt = 0;
  outer: FollowedCall | undefined;
  #called = false;
  #ended = false;
  #context: LoaderContext<V> | undefined;
  #span: SpanHandle | undefined;
  /** Undefined for a loader of one key. */
  #valuesOf: ((returned: unknown) => readonly V[]) | undefined;

  /** Starts the deadline. It includes the time in which layers and locks are asked first. */
  constructor(
    private readonly parts: LoadParts,
    /** The loads that still need the loader. */
    public loads: readonly InFlightLoad<V>[],
    hardTimeoutMs: number,
    now: number,
  ) {
    super();
    parts.deadlines.start(this, hardTimeoutMs, now);
    for (const load of loads) load.expiresAt = this.expiresAt;
  }

  /** Calls the loader of one key. @param now the reading of the clock. */
  run(loader: AnnotatedLoader<V>, now: number): void {
    this.#begin(loader, now);
  }

  /**
   * Calls the loader of many keys.
   * @param valuesOf finds each load's value in the loader's result, and throws if it cannot.
   * @param now the reading of the clock.
   */
  runMany<R>(
    loader: (context: AnnotatedLoadContext<V>) => R | Promise<R>,
    valuesOf: (returned: R) => readonly V[],
    now: number,
  ): void {
    this.#valuesOf = valuesOf as (returned: unknown) => readonly V[];
    this.#begin(loader, now);
  }

  /** Ends the call if its loads ended without the loader. */
  cancel(): void {
    this.#end();
  }

  /** Ends the loads with an error that does not come from the loader. */
  fail(error: unknown): void {
    this.#failed(error, resultOfError(error));
  }

  override expire(): void {
    const timeout = loadTimeout(this.loads[0]!.plan);
    this.#failed(timeout, Result.timeout);
    this.#context?.abort(timeout);
  }

  #begin<R>(loader: (context: AnnotatedLoadContext<V>) => R | Promise<R>, now: number): void {
    if (this.#ended) return;
    this.startedAt = now;
    if (this.parts.tracer === undefined) this.#call(loader);
    else this.#trace(this.parts.tracer, loader);
  }

  #trace<R>(tracer: CacheTracer, loader: (context: AnnotatedLoadContext<V>) => R | Promise<R>): void {
    const [first] = this.loads;
    const { plan, key, operation, cause } = first!;
    const ended = tracer.span(operation === Operation.refresh ? 'refresh' : 'load', plan.series, key, (span) => {
      for (const load of this.loads) load.link = span.link;
      if (cause !== undefined) span.linkTo(cause);
      this.#span = span;
      this.#call(loader);
      return first!.end();
    });
    ended.catch(() => undefined);
  }

  #call<R>(loader: (context: AnnotatedLoadContext<V>) => R | Promise<R>): void {
    const { nested, observer, signals } = this.parts;
    const { loads } = this;
    this.#called = true;
    observer.inFlight(1);
    try {
      const context = new LoaderContext<V>(loads.length === 1 ? loads[0]!.candidate : undefined, signals);
      this.#context = context;
      const returned = nested.call(this, loader, context);
      if (isThenable(returned)) this.#await(returned);
      else this.#returned(returned);
    } catch (error) {
      this.#failed(error, resultOfError(error));
    }
  }

  /** Separate from {@link #call}, which would otherwise allocate a context for these functions at every call. */
  #await(returned: PromiseLike<unknown>): void {
    returned.then(
      (value) => this.#returned(value),
      (error: unknown) => this.#failed(error, resultOfError(error)),
    );
  }

  #returned(returned: unknown): void {
    if (this.#ended) return;
    if (this.#valuesOf === undefined) {
      this.#end();
      return this.#storedOne(this.loads[0]!, returned as V, this.#loaded());
    }
    let values: readonly V[];
    try {
      values = this.#valuesOf(returned);
    } catch (error) {
      return this.#failed(error, resultOfError(error));
    }
    this.#end();
    const loadedAt = this.#loaded();
    if (this.loads.length > 1) void this.#storedMany(values);
    else this.#storedOne(this.loads[0]!, values[0] as V, loadedAt);
  }

  /** Reports that the loader has returned. @returns the reading of the clock. */
  #loaded(): number {
    const { clock, observer } = this.parts;
    const loadedAt = clock.now();
    const durationMs = loadedAt - this.startedAt;
    for (const { plan, operation } of this.loads)
      observer.load(plan.series, operation, Result.ok, durationMs, loadedAt);
    this.#span?.phase('origin', durationMs);
    return loadedAt;
  }

  /** Stores the value of one load and ends it. */
  #storedOne(load: InFlightLoad<V>, value: V, loadedAt: number): void {
    const { clock, entryWriter, chain } = this.parts;
    const kept = this.#prepared(load, value, loadedAt);
    const preparedAt = this.#span === undefined ? loadedAt : clock.now();
    this.#span?.phase('encode', preparedAt - loadedAt);
    const written =
      kept.entry === undefined ? undefined : entryWriter.store(load.key, kept.entry, load.plan, load.ticket, loadedAt);
    this.#span?.phase('write', clock.now() - preparedAt);
    this.#span?.outcome('ok');
    const { release } = load;
    if (release !== undefined) void (written ?? Promise.resolve()).then(release);
    // Without memory, the next caller asks a remote layer. So wait until the layer has the value, within the time limit.
    if (written !== undefined && chain.local === undefined) this.#settleAfter(written, load, kept);
    else load.settle(kept);
  }

  #settleAfter(written: Promise<void>, load: InFlightLoad<V>, kept: LoadResult): void {
    void this.#inTime(written).then(() => load.settle(kept));
  }

  /**
   * Stores the values of many loads, in one round trip per layer. Runs in slices, because a batch of thousands must not block the event
   * loop, which reads the answers of servers.
   */
  async #storedMany(values: readonly V[]): Promise<void> {
    const { clock, entryWriter, chain } = this.parts;
    const { loads } = this;
    const preparing = clock.now();
    const results: LoadResult[] = [];
    const entries: StoredEntry[] = [];
    await forEachInSlices(loads.keys(), (index) => {
      const { key, plan, ticket, epoch } = loads[index]!;
      const kept = this.#prepared(loads[index]!, values[index] as V, preparing);
      if (kept.entry !== undefined) entries.push({ key, plan, ticket, epoch, entry: kept.entry });
      results.push(kept);
    });
    const preparedAt = clock.now();
    this.#span?.phase('encode', preparedAt - preparing);
    const written = entryWriter.storeMany(entries);
    if (chain.local === undefined) await this.#inTime(written);
    this.#span?.phase('write', clock.now() - preparedAt);
    this.#span?.outcome('ok');
    await forEachInSlices(loads.keys(), (index) => loads[index]!.settle(results[index]!));
  }

  /** Waits for the write until the deadline. The caller's value is known and must not wait longer for a layer. */
  #inTime(written: Promise<void>): Promise<unknown> {
    const { clock } = this.parts;
    return within(written, this.expiresAt - clock.now(), clock);
  }

  #prepared({ key, plan, epoch, operation }: InFlightLoad<V>, value: V, loadedAt: number): LoadResult {
    const { failedOrigins, log, entryWriter, offer } = this.parts;
    const { startedAt } = this;
    failedOrigins.recovered(key);
    log.ended('ORIGIN_FAILED', plan.series.pattern);
    const result = entryWriter.prepare(key, value, this.#context!, plan, epoch, startedAt, loadedAt);
    const { stream } = offer;
    if (stream === undefined) return result;
    const { value: kept, entry } = result;
    const { ttlMs } = plan.policy;
    const durationMs = loadedAt - startedAt;
    const track = stream.loaded(key, plan.series, { operation, value: kept, entry, ttlMs, durationMs, at: loadedAt });
    if (entry !== undefined) entry.track = track;
    return result;
  }

  /** Ends each load with its last value if the policy allows that and the origin failed, else with the error. */
  #failed(error: unknown, result: typeof Result.rejected | typeof Result.error | typeof Result.timeout): void {
    if (this.#ended) return;
    this.#end();
    const { clock, observer, failedOrigins, log, offer } = this.parts;
    const now = clock.now();
    this.#span?.outcome(OUTCOMES[result]);
    for (const load of this.loads) {
      const { key, plan, candidate, operation } = load;
      const { pattern } = plan.series;
      if (this.#called) {
        observer.load(plan.series, operation, result, now - this.startedAt, now);
        offer.stream?.loadFailed(key, plan.series, now - this.startedAt, now);
      }
      load.release?.();
      if (candidate === undefined || result === Result.rejected) {
        load.fail(error);
        continue;
      }
      failedOrigins.failed(key, now);
      log.once('warn', 'ORIGIN_FAILED', pattern, `A load for ${pattern} failed; the last value is served as long as its policy allows.`, error); // prettier-ignore
      if (isRetained(candidate, now)) load.settle(resultOf(candidate, Outcome.stale, 0));
      else load.fail(error);
    }
  }

  #end(): void {
    this.#ended = true;
    this.list?.remove(this);
    if (this.#called) this.parts.observer.inFlight(-1);
    this.#context?.release();
  }
}

const OUTCOMES = { [Result.rejected]: 'rejected', [Result.error]: 'error', [Result.timeout]: 'timeout' } as const;
