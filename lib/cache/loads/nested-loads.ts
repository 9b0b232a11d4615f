import { AsyncLocalStorage } from 'node:async_hooks';
import type { Series } from '../base/observer.js';

/** A load whose inner calls can be detected. */
interface FollowedLoad {
  readonly loads: readonly { readonly key: string }[];
  readonly series: Series;
  readonly outer: FollowedLoad | undefined;
}

/** What has been observed about the loads of a series. */
interface SeenLoads {
  count: number;
  /** True if they call the cache. */
  ask: boolean;
}

/** The first loads of a series that are followed, before it counts as one whose loader does not call the cache. */
const FIRST_FOLLOWED = 32;
/** Of the later loads, one in so many is followed. */
const FOLLOWED_ONE_IN = 64;
/** From this version of Node on, an asynchronous context costs almost nothing (AsyncContextFrame). */
const CHEAP_CONTEXT = Number(process.versions.node.split('.')[0]) >= 24;

/**
 * Detects a loader that asks, directly or through other loads, for the key it is loading: it must not wait for itself.
 *
 * Calls are followed by AsyncLocalStorage. Before Node 24 that uses promise hooks and costs a third of a load's
 * time, so there only the first loads of a series and a sample of the later ones are followed, until one of them calls the cache:
 * from then on every load of that series is followed. Calls in a loader's first turn are always detected. A loader
 * that asks for its own key only in a later load, and after an `await`, waits until its `hardTimeout`.
 */
export class NestedLoads {
  readonly #context = new AsyncLocalStorage<FollowedLoad>();
  readonly #seen = new WeakMap<Series, SeenLoads>();
  #followed = 0;
  /** The load whose loader is called in this turn. */
  #calling: FollowedLoad | undefined;

  /** True inside a load of this key, at any depth. */
  isInside(key: string): boolean {
    const inner = this.#calling ?? (this.#followed === 0 ? undefined : this.#context.getStore());
    if (inner === undefined) return false;
    for (let load: FollowedLoad | undefined = inner; load !== undefined; load = load.outer) {
      this.#of(load.series).ask = true;
      if (load.loads.some((one) => one.key === key)) return true;
    }
    return false;
  }

  /** Calls the loader of some loads of one series. @returns the loader's result; its errors are thrown. */
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
