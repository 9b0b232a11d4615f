import type { CacheContract, CacheItem } from '../contract/cache-contract.js';
import type { Clock } from '../base/clock.js';
import { MissReasons } from '../freshness/miss-reasons.js';
import { resultOfError } from '../base/load-answers.js';
import { type CacheObserver, MissReason, Operation, Outcome, Result } from '../base/observer.js';

const OBSERVED = Symbol.for('nestjs-cache-observability:observed');

/** A running call of `wrap`. Other calls with its key join it. */
interface WrapFlight {
  /** The reason to report if the call turns out to be a miss; determined when the call began. */
  readonly reason: MissReason;
  /** True if the value came from the loader. */
  loaded: boolean;
  /** True if the cache reported a stored value under the key while the call ran. */
  stored: boolean;
}

/** A cache of cache-manager. An observed cache carries the mark. */
type Adoptable = CacheContract<unknown> & { [OBSERVED]?: Observation };

/** The observation of a cache. */
export interface Observation {
  /** The original methods of the cache. */
  readonly unobserved: CacheContract<unknown>;
  readonly observer: CacheObserver;
}

/** Returns the observation of a cache; undefined if it is not observed. */
export function observationOf(cache: CacheContract<unknown>): Observation | undefined {
  return (cache as Adoptable)[OBSERVED];
}

/**
 * Observes a cache of cache-manager in place, so that all its holders use the observed methods. API, results, defaults, events and rejections stay
 * the same. A second call for the same cache changes nothing and returns the first observation.
 */
export function observeInPlace(cache: CacheContract<unknown>, observer: CacheObserver, clock: Clock): Observation {
  const known = observationOf(cache);
  if (known !== undefined) return known;
  const unobserved: CacheContract<unknown> = {
    get: cache.get.bind(cache),
    mget: cache.mget.bind(cache),
    ttl: cache.ttl.bind(cache),
    set: cache.set.bind(cache),
    mset: cache.mset.bind(cache),
    del: cache.del.bind(cache),
    mdel: cache.mdel.bind(cache),
    clear: cache.clear.bind(cache),
    wrap: cache.wrap.bind(cache),
    on: cache.on.bind(cache),
    off: cache.off.bind(cache),
    disconnect: cache.disconnect.bind(cache),
    cacheId: cache.cacheId.bind(cache),
    get stores() {
      return cache.stores;
    },
  };
  const observation: Observation = { unobserved, observer };
  const methods = new ObservedMethods(unobserved, observer, clock);
  Object.defineProperty(cache, OBSERVED, { value: observation });
  Object.assign(cache, {
    get: (key: string) => methods.get(key),
    mget: (keys: string[]) => methods.mget(keys),
    set: (key: string, ...rest: [value: unknown, ttl?: number]) => methods.set(key, ...rest),
    mset: (list: CacheItem[]) => methods.mset(list),
    del: (key: string) => methods.del(key),
    mdel: (keys: string[]) => methods.mdel(keys),
    clear: () => methods.clear(),
    wrap: (key: string, load: () => unknown, ...rest: unknown[]) => methods.wrap(key, load, ...rest),
  });
  return observation;
}

class ObservedMethods {
  readonly #cache: CacheContract<unknown>;
  readonly #observer: CacheObserver;
  readonly #clock: Clock;
  readonly #reasons = new MissReasons();
  readonly #wraps = new Map<string, WrapFlight>();

  constructor(cache: CacheContract<unknown>, observer: CacheObserver, clock: Clock) {
    this.#cache = cache;
    this.#observer = observer;
    this.#clock = clock;
    cache.on('set', ({ key }) => {
      const flight = this.#wraps.get(key);
      if (flight !== undefined) flight.stored = true;
    });
  }

  async get(key: string): Promise<unknown> {
    const startedAt = this.#clock.now();
    try {
      const value = await this.#cache.get(key);
      this.#accessed(key, value === undefined ? Outcome.miss : Outcome.hit, startedAt, startedAt);
      return value;
    } catch (error) {
      this.#accessed(key, Outcome.error, startedAt, startedAt);
      throw error;
    }
  }

  async mget(keys: string[]): Promise<unknown[]> {
    const startedAt = this.#clock.now();
    try {
      const values = await this.#cache.mget(keys);
      keys.forEach((key, index) => {
        this.#accessed(key, values[index] === undefined ? Outcome.miss : Outcome.hit, startedAt, startedAt);
      });
      return values;
    } catch (error) {
      for (const key of keys) this.#accessed(key, Outcome.error, startedAt, startedAt);
      throw error;
    }
  }

  set(key: string, ...rest: [value: unknown, ttl?: number]): Promise<unknown> {
    return this.#written([key], Operation.set, () => this.#cache.set(key, ...rest));
  }

  mset(list: CacheItem[]): Promise<unknown> {
    const keys = list.map(({ key }) => key);
    return this.#written(keys, Operation.set, () => this.#cache.mset(list as Parameters<CacheContract['mset']>[0]));
  }

  del(key: string): Promise<boolean> {
    return this.#written([key], Operation.delete, () => this.#cache.del(key));
  }

  mdel(keys: string[]): Promise<boolean> {
    return this.#written(keys, Operation.delete, () => this.#cache.mdel(keys));
  }

  async clear(): Promise<boolean> {
    const startedAt = this.#clock.now();
    try {
      const cleared = await this.#cache.clear();
      this.#reasons.allInvalidated();
      this.#observer.invalidation(Result.ok, this.#clock.now() - startedAt, 0);
      return cleared;
    } catch (error) {
      this.#observer.invalidation(Result.error, this.#clock.now() - startedAt, 0);
      throw error;
    }
  }

  /**
   * Deduces hits, because the cache does not report them. A call was a hit if the loader was not called, or if the returned value is not the
   * loader's: then the load was a refresh. On a miss the cache stores the value and reports this before it returns.
   */
  async wrap(key: string, load: () => unknown, ...rest: unknown[]): Promise<unknown> {
    const startedAt = this.#clock.now();
    const joined = this.#wraps.get(key);
    const flight = joined ?? { reason: this.#reason(key, startedAt), loaded: false, stored: false };
    if (joined === undefined) this.#wraps.set(key, flight);
    const run = new WrappedLoad(load, this.#clock);
    run.onEnd = (result) => {
      const operation = run.answered && !run.foreground ? Operation.refresh : Operation.load;
      this.#observer.inFlight(-1);
      this.#observer.load(this.#observer.seriesOf(key), operation, result, run.tookMs);
    };
    run.onStart = () => this.#observer.inFlight(1);
    try {
      const wrap = this.#cache.wrap as (...parameters: unknown[]) => Promise<unknown>;
      const answer = await wrap(key, () => run.start(), ...rest);
      run.foreground = run.ended && flight.stored && run.gave(answer);
      if (run.foreground) flight.loaded = true;
      const outcome = run.foreground ? Outcome.miss : joined?.loaded === true ? Outcome.coalesced : Outcome.hit;
      this.#accessed(key, outcome, startedAt, run.foreground ? run.startedAt : this.#clock.now(), flight.reason);
      if (run.foreground) this.#reasons.kept(key, Infinity);
      return answer;
    } catch (error) {
      run.foreground = true;
      flight.loaded = true;
      this.#accessed(
        key,
        joined === undefined ? Outcome.miss : Outcome.coalesced,
        startedAt,
        run.startedAt || startedAt,
      );
      throw error;
    } finally {
      run.answered = true;
      run.tellNow();
      if (this.#wraps.get(key) === flight && joined === undefined) this.#wraps.delete(key);
    }
  }

  async #written<T>(keys: readonly string[], operation: Operation, write: () => Promise<T>): Promise<T> {
    const startedAt = this.#clock.now();
    const report = (result: Result) => {
      const tookMs = this.#clock.now() - startedAt;
      for (const key of keys) this.#observer.operation(this.#observer.seriesOf(key), operation, result, tookMs, 0);
    };
    try {
      const answer = await write();
      for (const key of keys) {
        if (operation === Operation.set) this.#reasons.kept(key, Infinity);
        else this.#reasons.invalidated(key);
      }
      report(Result.ok);
      return answer;
    } catch (error) {
      report(Result.error);
      throw error;
    }
  }

  #accessed(
    key: string,
    outcome: Outcome,
    startedAt: number,
    knownAt: number,
    why = this.#reason(key, startedAt),
  ): void {
    const now = this.#clock.now();
    const hit = outcome === Outcome.hit;
    const reason = hit ? MissReason.none : outcome === Outcome.error ? MissReason.error : why;
    const responseMs = (knownAt === startedAt ? now : knownAt) - startedAt;
    this.#observer.access(this.#observer.seriesOf(key), outcome, hit ? 0 : -1, responseMs, now - startedAt, reason);
  }

  /** Returns the reason of a miss. A key that was stored and is absent has expired; the cache does not report expiry. */
  #reason(key: string, now: number): MissReason {
    const reason = this.#reasons.of(key, now);
    return reason === MissReason.unknown ? MissReason.expired : reason;
  }
}

/** The loader of one `wrap` and what it returned. */
class WrappedLoad {
  startedAt = 0;
  tookMs = 0;
  ended = false;
  answered = false;
  foreground = false;
  onStart: (() => void) | undefined;
  onEnd: ((result: Result) => void) | undefined;
  #value: unknown;
  #result: Result = Result.ok;
  #report = false;
  readonly #load: () => unknown;
  readonly #clock: Clock;

  constructor(load: () => unknown, clock: Clock) {
    this.#load = load;
    this.#clock = clock;
  }

  async start(): Promise<unknown> {
    this.startedAt = this.#clock.now();
    this.onStart?.();
    try {
      this.#value = await this.#load();
      return this.#value;
    } catch (error) {
      this.#result = resultOfError(error);
      throw error;
    } finally {
      this.ended = true;
      this.tookMs = this.#clock.now() - this.startedAt;
      this.tellNow();
    }
  }

  /** Returns true if the answer, raw or not, is the loader's value. */
  gave(answer: unknown): boolean {
    if (Object.is(answer, this.#value)) return true;
    return typeof answer === 'object' && answer !== null && 'value' in answer && Object.is(answer.value, this.#value);
  }

  /** Reports the load once the load has ended and the call of `wrap` has returned. */
  tellNow(): void {
    if (!this.ended || !this.answered || this.#report) return;
    this.#report = true;
    this.onEnd?.(this.#result);
  }
}
