import type { Clock } from '../../lib/cache/base/clock.js';
import type { CachePolicy } from '../../lib/cache/policies/policy.js';
import {
  createObservedCache,
  type ObservedCache,
  type ObservedCacheOptions,
  type Recommendation,
} from '../../lib/index.js';

/** A clock that advances within a turn: loaders take time by advancing it. */
export class SteppedClock implements Clock {
  #now = 1_700_000_000_000;
  #tasks: { readonly at: number; readonly task: () => void }[] = [];

  now(): number {
    return this.#now;
  }

  after(delayMs: number, task: () => void): () => void {
    const entry = { at: this.#now + delayMs, task };
    this.#tasks.push(entry);
    return () => void (this.#tasks = this.#tasks.filter((other) => other !== entry));
  }

  step(ms: number): void {
    const until = this.#now + ms;
    for (;;) {
      const due = this.#tasks.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0];
      if (due === undefined) break;
      this.#tasks = this.#tasks.filter((other) => other !== due);
      this.#now = Math.max(this.#now, due.at);
      due.task();
    }
    this.#now = Math.max(this.#now, until);
  }
}

/** Requests to a cache, one after the other. */
export interface Workload {
  readonly options?: Omit<ObservedCacheOptions, 'clock'>;
  readonly policy?: CachePolicy<unknown>;
  readonly requests: number;
  /** Milliseconds between two requests. */
  readonly everyMs: number;
  readonly keyOf: (n: number) => string;
  /** The value of the origin. @default the key */
  readonly originOf?: (key: string, now: number) => unknown;
  /** The time of the origin, milliseconds. @default 50 */
  readonly loadMs?: number;
  /** Runs before the request. */
  readonly before?: (cache: ObservedCache, n: number, clock: SteppedClock) => unknown;
}

/** The results of a workload. */
export interface Played {
  readonly recommendations: readonly Recommendation[];
  readonly hitRate: number;
  /** Share of the hits that differ from what the origin would have returned. */
  readonly staleShare: number;
  readonly loads: number;
  /** Milliseconds that callers waited for loads. */
  readonly waitedMs: number;
  readonly bytes: number;
  of(code: string): Recommendation | undefined;
}

export async function play(workload: Workload): Promise<Played> {
  const {
    options,
    policy,
    requests,
    everyMs,
    keyOf,
    originOf = (key) => ({ of: key }),
    loadMs = 50,
    before,
  } = workload;
  const clock = new SteppedClock();
  const cache = createObservedCache({ ttl: '1m', random: randomOf(1), ...options, clock });
  let loads = 0;
  let refreshes = 0;
  let waitedMs = 0;
  let stale = 0;
  try {
    for (let n = 0; n < requests; n++) {
      clock.step(everyMs);
      if (before !== undefined) await before(cache, n, clock);
      const key = keyOf(n);
      const askedAt = clock.now();
      const answer = cache.getOrSet(
        key,
        ({ stale }) => {
          loads += 1;
          // Nobody waits for a refresh.
          if (stale === undefined) clock.step(loadMs);
          else refreshes += 1;
          return originOf(key, clock.now());
        },
        policy,
      );
      const value = await answer.catch(() => undefined);
      if (JSON.stringify(value) !== JSON.stringify(originOf(key, clock.now()))) stale += 1;
      waitedMs += clock.now() - askedAt;
    }
    const recommendations = cache.insight.recommendations();
    const { hitRate, totalSizeBytes } = cache.metrics.getStats('all');
    return {
      recommendations,
      hitRate: hitRate ?? 0,
      staleShare: stale / Math.max(1, requests - (loads - refreshes)),
      loads,
      waitedMs,
      bytes: totalSizeBytes ?? 0,
      of: (code) => recommendations.find((each) => each.code === code),
    };
  } finally {
    await cache.disconnect();
  }
}

/** Numbers from 0 to 1, the same for the same seed. */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mix = Math.imul(state ^ (state >>> 15), state | 1);
    mix ^= mix + Math.imul(mix ^ (mix >>> 7), mix | 61);
    return ((mix ^ (mix >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Ranks from 0 to `count - 1`, drawn by Zipf's law with this exponent. */
export function zipf(count: number, exponent: number, random: () => number): () => number {
  const sums: number[] = [];
  let all = 0;
  for (let rank = 1; rank <= count; rank++) sums.push((all += 1 / rank ** exponent));
  return () => {
    const wanted = random() * all;
    let [low, high] = [0, count - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (sums[middle]! < wanted) low = middle + 1;
      else high = middle;
    }
    return low;
  };
}
