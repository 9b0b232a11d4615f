import { AsyncResource } from 'node:async_hooks';
import type { Clock } from '../cache/base/clock.js';
import type { AnnotatedLoader, ReadPlan } from '../cache/policies/read-plan.js';
import { SpaceSaving } from '../metrics/space-saving.js';
import { NOTHING_WARMED, renewKey } from './renewal.js';
import type { TaskStrategy } from './strategy-pass.js';
import { type TaskOutcome, WarmingTask } from './warming-task.js';
import type { PopularTarget } from './warming-target.js';

/** Name of the built-in strategy that renews the hottest keys before they expire. */
export const POPULAR_KEYS = 'popular-keys';

const COUNTERS = 512;
/** One in this number of hits is counted. */
const ONE_IN = 8;
/** The minimum number of sampled hits of a popular key, over about two halvings of the counters. */
const LEAST = 2;
/** The number of checks between two halvings of the counters. */
const LOOKS_TO_HALVE = 6;

interface Renewal {
  readonly load: AnnotatedLoader<unknown>;
  readonly plan: ReadPlan;
}

/**
 * Renews the hottest keys before they expire. It counts a sample of the hits in bounded memory, stores the last loader of each
 * counted key, and runs it again shortly before the entry expires. A key without a load since it was first counted, such as
 * one that is only set, expires.
 */
export class PopularKeys implements TaskStrategy {
  readonly everyReplica = true;
  readonly #counts = new SpaceSaving(COUNTERS);
  readonly #renewals = new Map<string, Renewal>();
  #looks = 0;

  /**
   * @param limit the number of keys that are renewed.
   * @param everyMs the time between two checks; entries that expire before the check after the next are renewed.
   */
  constructor(
    private readonly target: PopularTarget,
    private readonly clock: Clock,
    private readonly limit: number,
    private readonly everyMs: number,
  ) {}

  /** Starts to count. @returns a function that stops it and drops the counts. */
  watch(): () => void {
    const stop = this.target.watchAccesses({
      oneIn: ONE_IN,
      hit: (key) => this.#count(key),
      loaded: (key, loader, plan) => this.#remember(key, loader, plan),
    });
    return () => {
      stop();
      this.#renewals.clear();
    };
  }

  /** Returns whether a key is due. Halves old counts from time to time. */
  async look(): Promise<boolean> {
    const due = await this.due();
    if (++this.#looks % LOOKS_TO_HALVE === 0) this.#counts.halve();
    return due.length > 0;
  }

  /** Returns the popular keys that expire soon and have a loader. */
  async due(): Promise<readonly string[]> {
    const candidates = this.#counts.top(this.limit, LEAST).filter((key) => this.#renewals.has(key));
    const until = this.clock.now() + 2 * this.everyMs;
    const expiries = await Promise.all(candidates.map((key) => this.target.ttl(key).catch(() => undefined)));
    return candidates.filter((_, index) => expiries[index] !== undefined && expiries[index] <= until);
  }

  async entries(): Promise<Iterable<WarmingTask>> {
    return (await this.due()).map((key) => new WarmingTask(async () => this.#renew(key)));
  }

  #renew(key: string): Promise<TaskOutcome> | TaskOutcome {
    const renewal = this.#renewals.get(key);
    return renewal === undefined ? NOTHING_WARMED : renewKey(this.target, key, renewal.load, renewal.plan);
  }

  #count(key: string): void {
    const displaced = this.#counts.add(key);
    if (displaced !== undefined) this.#renewals.delete(displaced);
  }

  /** Stores the loader with the context of its call: it may read the tenant from AsyncLocalStorage. */
  #remember(key: string, loader: AnnotatedLoader<unknown>, plan: ReadPlan): void {
    if (this.#counts.has(key)) this.#renewals.set(key, { load: AsyncResource.bind(loader), plan });
  }
}
