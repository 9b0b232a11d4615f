import type { CachedHandler, RepeatableMethod } from '../../caching/decoration/cached-handler.js';
import type { ReadPlan } from '../../cache/policies/read-plan.js';
import { renewKey } from '../renewal.js';
import type { RegisteredStrategy } from '../strategy-pass.js';
import type { WarmingEntry } from '../strategy.js';
import { type PopularTarget, type WarmingTarget } from '../warming-target.js';
import { WarmingTask } from '../warming-task.js';

/** The maximum number of entries that are read of one strategy, and of keys that are stored for all strategies. */
const MOST_ENTRIES = 10_000;
const MOST_KEYS = 20_000;

export interface WarmableKeysOptions {
  readonly target: Pick<PopularTarget, 'renew'> & Pick<WarmingTarget, 'layers'>;
  readonly handlers: () => readonly CachedHandler[];
  /** The strategies of the application; not the built-in ones for keys that callers requested. */
  readonly strategies: () => readonly RegisteredStrategy[];
}

interface Method {
  readonly method: RepeatableMethod;
  readonly plan: ReadPlan;
}

/**
 * Finds the keys that can be loaded without a caller: keys that strategies yield, keys of `warm:` requests that have been sent once, and
 * keys of `@Cached` methods of singletons if the key contains every argument. A loader of a caller's request is never stored.
 */
export class WarmableKeys {
  #methods: readonly Method[] | undefined;
  /** The strategy that yielded each key when the strategies were last read. */
  #strategies = new Map<string, RegisteredStrategy>();

  /** Requests that have not been sent yet, so their keys are unknown. */
  readonly #unsent = new Map<WarmingTask, RegisteredStrategy>();

  constructor(private readonly options: WarmableKeysOptions) {}

  /** True if a key can be loaded. */
  owns(key: string): boolean {
    return this.#strategyOf(key) !== undefined || this.#methodOf(key) !== undefined;
  }

  /** Collects the keys that the strategies yield, without loading them. Never rejects. */
  async lookThrough(signal: AbortSignal): Promise<void> {
    const found = new Map<string, RegisteredStrategy>();
    for (const registered of this.options.strategies()) {
      try {
        for await (const { key, item } of this.#yielded(registered, signal)) {
          if (found.size + this.#unsent.size >= MOST_KEYS) continue;
          if (key !== undefined) found.set(key, registered);
          else if (item instanceof WarmingTask) this.#unsent.set(item, registered);
        }
      } catch {
        // A run of the strategy reports the error.
      }
      if (signal.aborted) return;
    }
    this.#strategies = found;
  }

  /** Yields the entries that warm these keys, for a pass of warming. */
  async *entries(keys: readonly string[], signal: AbortSignal): AsyncGenerator<unknown> {
    const ofStrategies = new Map<RegisteredStrategy, Set<string>>();
    for (const key of keys) {
      const registered = this.#strategyOf(key);
      if (registered === undefined) yield* this.#ofMethod(key);
      else {
        const wanted = ofStrategies.get(registered) ?? new Set();
        ofStrategies.set(registered, wanted.add(key));
      }
    }
    for (const [registered, wanted] of ofStrategies) {
      if (signal.aborted) return;
      try {
        yield* this.#ofStrategy(registered, wanted, signal);
      } catch (error) {
        // The report of the pass contains the error; the other keys are still warmed.
        yield new WarmingTask(() => Promise.reject(error as Error));
      }
    }
  }

  async *#ofStrategy(
    registered: RegisteredStrategy,
    wanted: Set<string>,
    signal: AbortSignal,
  ): AsyncGenerator<unknown> {
    const { ttl } = registered.options;
    for await (const { key, item } of this.#yielded(registered, signal)) {
      if (key === undefined || !wanted.delete(key)) continue;
      yield item instanceof WarmingTask || ttl === undefined ? item : { ttl, ...(item as WarmingEntry) };
      if (wanted.size === 0) return;
    }
  }

  /** Yields the entries of a strategy, each with its key if it is known. */
  async *#yielded(
    { strategy }: RegisteredStrategy,
    signal: AbortSignal,
  ): AsyncGenerator<{ readonly key: string | undefined; readonly item: unknown }> {
    const entries: unknown = await strategy.entries(signal);
    let count = 0;
    for await (const item of entries as AsyncIterable<unknown>) {
      if (signal.aborted || ++count > MOST_ENTRIES) return;
      const key = (item as { readonly key?: unknown } | null | undefined)?.key;
      yield { key: typeof key === 'string' ? key : undefined, item };
    }
  }

  #strategyOf(key: string): RegisteredStrategy | undefined {
    for (const [task, registered] of this.#unsent) {
      if (task.key === undefined) continue;
      this.#unsent.delete(task);
      this.#strategies.set(task.key, registered);
    }
    return this.#strategies.get(key);
  }

  *#ofMethod(key: string): Generator<WarmingTask> {
    const found = this.#methodOf(key);
    if (found === undefined) return;
    const { method, plan } = found;
    yield new WarmingTask(() => renewKey(this.options.target, key, method.loaderOf(key)!, plan));
  }

  #methodOf(key: string): Method | undefined {
    this.#methods ??= this.options.handlers().flatMap(({ cache, plan, repeatable }) =>
      // Warming fills the application's own cache.
      repeatable === undefined || (cache !== undefined && cache !== 'default') ? [] : [{ method: repeatable, plan }],
    );
    return this.#methods.find(({ method }) => method.loaderOf(key) !== undefined);
  }
}
