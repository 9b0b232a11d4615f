import { AsyncLocalStorage } from 'node:async_hooks';
import type { Series } from '../base/observer.js';
import { isThenable } from '../base/thenable.js';

/** A call of a loader. Calls of the cache inside it can be detected. */
export interface FollowedCall {
  /** The loads that the call serves, all of one series. */
  readonly loads: readonly { readonly key: string; readonly plan: { readonly series: Series } }[];
  /** The call of another loader around this one, set by {@link NestedLoads.call}. */
  outer: FollowedCall | undefined;
}

/** Facts observed about the loads of a series. */
interface SeenLoads {
  count: number;
  /** True if a loader of the series called the cache. */
  ask: boolean;
  /** True if a loader of the series returned a promise. Only such a loader can call the cache after its first turn. */
  wait: boolean;
}

/**
 * The number of first loads of a series that are followed. If none of them calls the cache, only a sample of the later loads is followed.
 */
const FIRST_FOLLOWED = 32;
/** One in this many later loads is followed. */
const FOLLOWED_ONE_IN = 64;
/** From this version of Node on, an asynchronous context costs almost nothing (AsyncContextFrame). */
const CHEAP_CONTEXT = Number(process.versions.node.split('.')[0]) >= 24;

/**
 * Detects a loader that asks for the key it is loading, directly or through other loads. Such a loader must not wait for itself.
 *
 * AsyncLocalStorage follows the calls. Before Node 24 it uses promise hooks and costs a third of a load's time. So there, only the first
 * loads of a series are followed, and, if their loaders return promises, a sample of the later ones. When one of them calls the cache,
 * every later load of that series is followed. Calls in a loader's first turn are always detected. A loader that asks for its own key only
 * in a later load, and after an `await`, waits until its `hardTimeout`.
 */
export class NestedLoads {
  readonly #context = new AsyncLocalStorage<FollowedCall>();
  readonly #seen = new WeakMap<Series, SeenLoads>();
  #followed = 0;
  /** The loader call that runs in this turn. */
  #calling: FollowedCall | undefined;

  /** Returns true inside a load of this key, at any depth. */
  isInside(key: string): boolean {
    const inner = this.#calling ?? (this.#followed === 0 ? undefined : this.#context.getStore());
    if (inner === undefined) return false;
    for (let call: FollowedCall | undefined = inner; call !== undefined; call = call.outer) {
      this.#of(seriesOf(call)).ask = true;
      if (call.loads.some((one) => one.key === key)) return true;
    }
    return false;
  }

  /** Calls the loader of some loads of one series. @returns the loader's result; its errors are thrown. */
  call<C, T>(call: FollowedCall, loader: (context: C) => T | Promise<T>, context: C): T | Promise<T> {
    const before = this.#calling;
    call.outer = before ?? (this.#followed === 0 ? undefined : this.#context.getStore());
    this.#calling = call;
    try {
      const seen = this.#of(seriesOf(call));
      const returned = this.#follows(seen) ? this.#run(call, loader, context) : loader(context);
      if (!seen.wait && isThenable(returned)) seen.wait = true;
      return returned;
    } finally {
      this.#calling = before;
    }
  }

  #run<C, T>(call: FollowedCall, loader: (context: C) => T | Promise<T>, context: C): T | Promise<T> {
    const end = () => this.#end();
    let waits = false;
    this.#followed++;
    try {
      const returned = this.#context.run(call, loader, context);
      waits = isThenable(returned);
      if (waits) (returned as Promise<T>).then(end, end);
      return returned;
    } finally {
      if (!waits) end();
    }
  }

  #follows(seen: SeenLoads): boolean {
    const before = seen.count++;
    if (CHEAP_CONTEXT || seen.ask || before < FIRST_FOLLOWED) return true;
    return seen.wait && before % FOLLOWED_ONE_IN === 0;
  }

  #of(series: Series): SeenLoads {
    let seen = this.#seen.get(series);
    if (seen === undefined) this.#seen.set(series, (seen = { count: 0, ask: false, wait: false }));
    return seen;
  }

  #end(): void {
    if (--this.#followed === 0) this.#context.disable();
  }
}

function seriesOf({ loads }: FollowedCall): Series {
  return loads[0]!.plan.series;
}
