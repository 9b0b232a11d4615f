import { AsyncLocalStorage } from 'node:async_hooks';
import type { Series } from '../base/observer.js';

/** A load whose inner calls can be recognised. */
interface FollowedLoad {
  readonly loads: readonly { readonly key: string }[];
  readonly series: Series;
  readonly outer: FollowedLoad | undefined;
}

/** What is known of the loads of a series. */
interface SeenLoads {
  count: number;
  /** They ask the cache for something. */
  ask: boolean;
}

/** Loads of a series that are followed before it counts as one whose loader asks the cache for nothing. */
const FIRST_FOLLOWED = 32;
/** Of the later loads one in so many is followed. */
const FOLLOWED_ONE_IN = 64;
/** From this version on a context costs next to nothing (AsyncContextFrame). */
const CHEAP_CONTEXT = Number(process.versions.node.split('.')[0]) >= 24;

/**
 * Recognises a loader that asks, directly or through other loads, for the key it is loading: it must not wait for itself.
 *
 * Calls are followed by AsyncLocalStorage. Before Node 24 that switches promise hooks on and off and costs a load a third of its
 * time, so there only the first loads of a series and a sample of the later ones are followed, until one of them asks the cache
 * for something: from then on every load of that series is. What a loader asks in its first turn is recognised always. A loader
 * that first asks for its own key later than that, and after an `await`, waits until its `hardTimeout`.
 */
export class NestedLoads {
  readonly #context = new AsyncLocalStorage<FollowedLoad>();
  readonly #seen = new WeakMap<Series, SeenLoads>();
  #followed = 0;
  /** The load whose loader is being called in this turn. */
  #calling: FollowedLoad | undefined;

  /** True inside a load of this key, however deep. */
  isInside(key: string): boolean {
    const inner = this.#calling ?? (this.#followed === 0 ? undefined : this.#context.getStore());
    if (inner === undefined) return false;
    for (let load: FollowedLoad | undefined = inner; load !== undefined; load = load.outer) {
      this.#of(load.series).ask = true;
      if (load.loads.some((one) => one.key === key)) return true;
    }
    return false;
  }

  /** Calls the loader of some loads of one series. @returns what it returns, and what it throws is thrown. */
  call<C, T>(
    loads: readonly { readonly key: string; readonly plan: { readonly series: Series } }[],
    loader: (context: C) => T | Promise<T>,
    context: C,
  ): T | Promise<T> {
    const { series } = loads[0]!.plan;
    const outer = this.#calling ?? (this.#followed === 0 ? undefined : this.#context.getStore());
    const load: FollowedLoad = { loads, series, outer };
    const before = this.#calling;
    this.#calling = load;
    try {
      if (!this.#follows(series)) return loader(context);
      this.#followed++;
      const returned = this.#context.run(load, loader, context);
      if (isPromise(returned)) {
        const end = () => this.#end();
        returned.then(end, end);
      } else this.#end();
      return returned;
    } finally {
      this.#calling = before;
    }
  }

  #follows(series: Series): boolean {
    if (CHEAP_CONTEXT) return true;
    const seen = this.#of(series);
    const before = seen.count++;
    return seen.ask || before < FIRST_FOLLOWED || before % FOLLOWED_ONE_IN === 0;
  }

  #of(series: Series): SeenLoads {
    let seen = this.#seen.get(series);
    if (seen === undefined) this.#seen.set(series, (seen = { count: 0, ask: false }));
    return seen;
  }

  #end(): void {
    if (--this.#followed === 0) this.#context.disable();
  }
}

function isPromise(value: unknown): value is Promise<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}
