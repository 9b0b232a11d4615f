import { AsyncResource } from 'node:async_hooks';
import type { Clock } from '../cache/base/clock.js';
import type { AnnotatedLoader, ReadPlan } from '../cache/policies/read-plan.js';
import { SpaceSaving } from '../metrics/space-saving.js';
import { NOTHING_WARMED, renewKey } from './renewal.js';
import type { TaskStrategy } from './strategy-pass.js';
import { type TaskOutcome, WarmingTask } from './warming-task.js';
import type { PopularTarget } from './warming-target.js';

/** Name of the built-in strategy that keeps the hottest keys from expiring. */
export const POPULAR_KEYS = 'popular-keys';

const COUNTERS = 512;
/** One in eight hits is counted. */
const ONE_IN = 8;
/** The least sampled hits of a popular key, over about two halvings of the counters. */
const LEAST = 2;
/** Checks between two halvings of the counters. */
const LOOKS_TO_HALVE = 6;

interface Renewal {
  readonly load: AnnotatedLoader<unknown>;
  readonly plan: ReadPlan;
}

/**
 * Keeps the hottest keys from expiring: counts a sample of the hits in bounded memory, remembers the last loader of each
 * counted key, and runs it again shortly before the entry expires. Keys without a load since they were first counted, such as
 * keys that are only set, expire.
 */
export class PopularKeys implements TaskStrategy {
  readonly everyReplica = true;
  readonly #counts = new SpaceSaving(COUNTERS);
  readonly #renewals = new Map<string, Renewal>();
  #looks = 0;

  /**
   * @param limit the number of keys that are kept fresh.
   * @param everyMs the time between two checks; entries that expire before the check after the next are renewed.
   */
  constructor(
    private readonly target: PopularTarget,
    private readonly clock: Clock,
    private readonly limit: number,
    private readonly everyMs: number,
  ) {}

  /** Begins to count. Returns a function that stops it and drops the counts. */
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

  /** Checks whether a key is due, and halves old counts from time to time. */
  async look(): Promise<boolean> {
    const due = await this.due();
    if (++this.#looks % LOOKS_TO_HALVE === 0) this.#counts.halve();
    return due.length > 0;
  }

  /** The popular keys that expire soon and have a loader. */
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

  /** Keeps the context of the loader's first call: a loader may read the tenant from AsyncLocalStorage. */
  #remember(key: string, loader: AnnotatedLoader<unknown>, plan: ReadPlan): void {
    if (this.#counts.has(key)) this.#renewals.set(key, { load: AsyncResource.bind(loader), plan });
  }
}
