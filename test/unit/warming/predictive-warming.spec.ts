import 'reflect-metadata';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { Outcome } from '../../../lib/cache/base/observer.js';
import type { AccessWatcher } from '../../../lib/cache/reads/access-watcher.js';
import { Watchers } from '../../../lib/cache/reads/watchers.js';
import type { AnnotatedLoader } from '../../../lib/cache/policies/read-plan.js';
import type { CachedHandler } from '../../../lib/caching/decoration/cached-handler.js';
import { AskedKeys, MOST_KEYS, QUARTER_MS } from '../../../lib/warming/predictive/asked-keys.js';
import { ClockWarming, PREDICTIVE } from '../../../lib/warming/predictive/predictive-warming.js';
import { WarmableKeys } from '../../../lib/warming/predictive/warmable-keys.js';
import { CacheWarmer } from '../../../lib/warming/cache-warmer.js';
import type { WarmingStrategy } from '../../../lib/warming/strategy.js';
import { StrategyRegistry } from '../../../lib/warming/strategy-registry.js';
import type { ClockTarget, WarmableEntry, WarmedBatch, WarmingTarget } from '../../../lib/warming/warming-target.js';
import { HandClock } from '../../support/hand-clock.js';
import { settle } from '../../support/manual-clock.js';

beforeEach(() => Logger.overrideLogger(false));
afterEach(() => Logger.overrideLogger(true));

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const MINUTE = 60_000;
const TTL_MS = 30 * MINUTE;
/** A Monday, 0:00 UTC. */
const MONDAY = Date.UTC(2024, 0, 1);

/** A cache that stores only the times at which entries end, for traffic of weeks. */
class Ends implements ClockTarget, WarmingTarget {
  readonly layers = [];
  readonly loads: string[] = [];
  readonly #ends = new Map<string, number>();
  readonly #watchers = new Watchers();

  constructor(private readonly clock: HandClock) {}

  /** A caller requests a key, and loads it if it is not fresh. */
  ask(key: string): void {
    if (this.#isFresh(key)) {
      if (this.#watchers.hits) this.#watchers.hit(key);
      return;
    }
    this.loads.push(key);
    this.#ends.set(key, this.clock.now() + TTL_MS);
    this.#watchers.loaded(key, undefined as never, undefined as never);
  }

  setMany(entries: Iterable<WarmableEntry>): Promise<WarmedBatch> {
    const all = [...entries];
    for (const { key } of all) this.#ends.set(key, this.clock.now() + TTL_MS);
    return Promise.resolve({ written: all.length, rejected: [], bytes: 0 });
  }

  async renew<V>(key: string, loader: AnnotatedLoader<V>): Promise<Outcome> {
    await loader(undefined as never);
    this.#ends.set(key, this.clock.now() + TTL_MS);
    return Outcome.miss;
  }

  freshKeys(keys: readonly string[]): Promise<Set<string>> {
    return Promise.resolve(new Set(keys.filter((key) => this.#isFresh(key))));
  }

  ttl(key: string): Promise<number | undefined> {
    return Promise.resolve(this.#ends.get(key));
  }

  patternOf(key: string): string {
    return `${key.split(':')[0]}:*`;
  }

  watchFirstHit(keys: readonly string[], onHit: (key: string) => void) {
    return this.#watchers.watchFirstHit(keys, onHit);
  }

  watchNextHit(keys: readonly string[], onHit: (key: string) => void) {
    return this.#watchers.watchNextHit(keys, onHit);
  }

  watchAccesses(watcher: AccessWatcher) {
    return this.#watchers.watchAccesses(watcher);
  }

  #isFresh(key: string): boolean {
    return (this.#ends.get(key) ?? 0) > this.clock.now();
  }
}

interface Setting {
  readonly predictive?: boolean;
  readonly maxLoads?: number;
  readonly strategy?: WarmingStrategy;
  readonly restored?: Uint8Array;
}

/** A cache with a cached method whose keys are `seller:…`, and its warming. */
function make({ predictive = true, maxLoads = 200, strategy, restored }: Setting = {}) {
  const clock = new HandClock(MONDAY);
  const cache = new Ends(clock);
  const failing = new Set<string>();
  const warmed: string[] = [];
  const loaderOf = (key: string) => () => {
    if (failing.has(key)) return Promise.reject(new Error('no database'));
    warmed.push(key);
    return Promise.resolve(key);
  };
  const repeatable = { loaderOf: (key: string) => (key.startsWith('seller:') ? loaderOf(key) : undefined) };
  const registry = new StrategyRegistry();
  const warmer = new CacheWarmer(cache, registry, {}, clock);
  if (strategy !== undefined) warmer.register(strategy, { name: 'own' });
  const codes: string[] = [];
  const keys = new WarmableKeys({
    target: cache,
    handlers: () => [{ pattern: 'seller:*', repeatable } as unknown as CachedHandler],
    strategies: () => registry.all.filter(({ options }) => options.name !== PREDICTIVE),
  });
  const log = (_level: string, code: string) => void codes.push(code);
  const warming = new ClockWarming({ target: cache, keys, warmer, clock, log, maxLoads });
  if (restored !== undefined) warming.restore(restored);
  if (predictive) {
    warmer.register(warming, { name: PREDICTIVE, onStartup: false });
    warming.start();
  }
  /** Lets a pass end that may have begun: its writer waits some milliseconds for more entries. */
  const pass = async () => {
    for (let wait = 0; wait < 4; wait++) {
      await settle();
      clock.turnTo(clock.now() + 50);
    }
    await settle();
  };
  /** Requests keys at this time of every day, for `days` days; a pass may run before. */
  const everyDay = async (days: number, at: number, asked: readonly string[]) => {
    for (let day = 0; day < days; day++) {
      const next = Math.ceil((clock.now() - at) / DAY) * DAY + at;
      clock.turnTo(next - MINUTE);
      await pass();
      clock.turnTo(next);
      for (const key of asked) cache.ask(key);
      clock.turnTo(next + QUARTER_MS);
    }
  };
  return { cache, clock, warmer, warming, warmed, failing, codes, pass, everyDay };
}

/** The same numbers in every run (Park and Miller, 1988). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
}

const sum = (numbers: readonly number[]) => numbers.reduce((all, one) => all + one, 0);

describe('two weeks of peaks', () => {
  const WORKDAY = [8, 18];
  const WEEKEND = [11];
  const STEPS = 15;

  /** Peaks of an hour, each with its own keys. Returns the misses of the first five minutes of each. */
  async function play(setting: Setting, seed: number) {
    const made = make(setting);
    const random = seeded(seed);
    const zipf = (count: number) => Math.floor(count ** random()) - 1;
    const misses: number[] = [];
    let mostLoads = 0;
    for (let quarter = 0; quarter < 14 * 96; quarter++) {
      const hour = Math.floor((quarter % 96) / 4);
      const peaks = quarter % (7 * 96) < 5 * 96 ? WORKDAY : WEEKEND;
      const isPeak = peaks.includes(hour);
      const end = made.clock.now() + QUARTER_MS;
      const warmedBefore = made.warmed.length;
      for (let step = 0; step < STEPS; step++) {
        const before = made.cache.loads.length;
        if (isPeak) for (let request = 0; request < 40; request++) made.cache.ask(`seller:${hour}:${zipf(160)}`);
        else if (step % 5 === 0) made.cache.ask(`seller:night:${zipf(1_000)}`);
        if (isPeak && quarter % 4 === 0) {
          if (step === 0) misses.push(0);
          if (step < STEPS / 3) misses[misses.length - 1]! += made.cache.loads.length - before;
        }
        made.clock.turnTo(Math.min(made.clock.now() + QUARTER_MS / STEPS, end - MINUTE));
      }
      if (setting.predictive !== false) await settle();
      made.clock.turnTo(end);
      mostLoads = Math.max(mostLoads, made.warmed.length - warmedBefore);
    }
    return { ...made, misses, mostLoads };
  }

  it('two weeks of warming halve the misses at peaks, within the budget, and warmed entries are read', async () => {
    const seed = 7;
    const without = await play({ predictive: false }, seed);
    const made = await play({ maxLoads: 120 }, seed);
    const { warmed, read } = made.warmer.warmedOf('seller:*')[0]!;
    expect(sum(made.misses)).toBeLessThanOrEqual(sum(without.misses) / 2);
    expect(made.mostLoads).toBeLessThanOrEqual(120);
    expect(read / warmed).toBeGreaterThanOrEqual(0.4);
  });
});

describe('warming by the clock', () => {
  const AT_NINE = 9 * HOUR;

  it('warming by the clock loads the keys requested at this time on two days, a minute before', async () => {
    const { cache, warmed, everyDay, clock, pass } = make();
    await everyDay(2, AT_NINE, ['seller:1', 'seller:2']);
    expect([warmed, cache.loads.length]).toEqual([[], 4]);
    clock.turnTo(MONDAY + 2 * DAY + AT_NINE - 2 * MINUTE);
    await pass();
    expect(warmed).toEqual([]);
    await everyDay(1, AT_NINE, ['seller:1', 'seller:2']);
    expect([warmed, cache.loads.length]).toEqual([['seller:1', 'seller:2'], 4]);
  });

  it('warming by the clock expects of a Saturday the keys of the last Saturday', async () => {
    const { warmed, everyDay, clock } = make();
    for (let week = 0; week < 2; week++) {
      await everyDay(5, AT_NINE, ['seller:1']);
      clock.turnTo(clock.now() + 2 * DAY);
    }
    const before = warmed.length;
    await everyDay(5, AT_NINE, ['seller:1']);
    expect(warmed.length - before).toBe(5);
    await everyDay(2, AT_NINE, []);
    expect(warmed.length - before).toBe(5);
  });

  it('warming by the clock loads nothing that is fresh, nothing twice and no more than its budget', async () => {
    const many = Array.from({ length: 30 }, (_, at) => `seller:${at}`);
    const { warmed, cache, clock, everyDay, pass } = make({ maxLoads: 10 });
    await everyDay(2, AT_NINE, many);
    clock.turnTo(MONDAY + 2 * DAY + AT_NINE - 2 * MINUTE);
    for (const key of many.slice(0, 5)) cache.ask(key);
    await everyDay(1, AT_NINE, many);
    expect(warmed).toHaveLength(10);
    expect(warmed.filter((key) => many.slice(0, 5).includes(key))).toEqual([]);
    await pass();
    expect(warmed).toHaveLength(10);
  });

  it('warming by the clock forgets keys that are no longer requested, though it warmed them', async () => {
    const { warmed, everyDay } = make();
    await everyDay(3, AT_NINE, ['seller:1']);
    // After two weeks, only the first one has requests on a weekday.
    await everyDay(11, AT_NINE, []);
    const before = warmed.length;
    await everyDay(5, AT_NINE, []);
    expect(warmed.length).toBe(before);
  });

  it('warming by the clock continues if a key cannot be loaded, and reports it without the key', async () => {
    const { warmed, failing, everyDay, warmer, clock, pass } = make();
    await everyDay(2, AT_NINE, ['seller:1', 'seller:2']);
    failing.add('seller:1');
    clock.turnTo(MONDAY + 2 * DAY + AT_NINE - MINUTE);
    const running = warmer.warm(PREDICTIVE);
    await pass();
    const { strategies } = await running;
    expect(warmed).toEqual(['seller:2']);
    expect(strategies[0]).toMatchObject({ strategy: PREDICTIVE, result: 'partial', keysWarmed: 1, keysFailed: 1 });
    expect(JSON.stringify(strategies)).not.toContain('seller:1');
  });

  it('warming by the clock stops for a pattern whose warmed entries are not read', async () => {
    const many = Array.from({ length: 15 }, (_, at) => `seller:${at}`);
    const { warmed, warming, everyDay, codes, clock, pass } = make();
    await everyDay(2, AT_NINE, many);
    // Requested in the quarter before, too, so that entries warmed for this quarter are replaced before they are read.
    for (let day = 0; day < 8; day++) {
      clock.turnTo(MONDAY + (2 + day) * DAY + AT_NINE - MINUTE);
      await pass();
      clock.turnTo(clock.now() + MINUTE);
      for (const key of many) warming.asked.asked(key);
    }
    expect(codes).toContain('PREDICTION_STOPPED');
    expect(warmed.length).toBeLessThan(8 * 15);
  });

  it('warming by the clock takes entries of strategies, with the TTL of the strategy, and continues if a strategy fails', async () => {
    const loaded: string[] = [];
    let fails = false;
    const strategy: WarmingStrategy = {
      *entries() {
        for (const id of [1, 2, 3]) {
          yield { key: `feed:${id}`, load: () => (loaded.push(`feed:${id}`), id) };
          if (fails) throw new Error('no list');
        }
      },
    };
    const { everyDay, warmed, pass } = make({ strategy });
    await pass();
    await everyDay(2, AT_NINE, ['feed:1', 'feed:3', 'seller:1', 'other:1']);
    await everyDay(1, AT_NINE, ['feed:1', 'feed:3', 'seller:1']);
    expect([loaded, warmed]).toEqual([['feed:1', 'feed:3'], ['seller:1']]);
    fails = true;
    await everyDay(1, AT_NINE, ['feed:1', 'feed:3', 'seller:1']);
    expect([loaded, warmed]).toEqual([
      ['feed:1', 'feed:3', 'feed:1'],
      ['seller:1', 'seller:1'],
    ]);
  });

  it('warming by the clock continues after a restart with its saved data', async () => {
    const first = make();
    await first.everyDay(2, AT_NINE, ['seller:1']);
    const restored = await first.warming.collectDump();
    expect(await first.warming.collectDump()).toBeUndefined();
    const { warmed, everyDay, clock } = make({ restored: restored! });
    clock.turnTo(MONDAY + 2 * DAY);
    await everyDay(1, AT_NINE, ['seller:1']);
    expect(warmed).toEqual(['seller:1']);
  });
});

describe('the schedule of requests', () => {
  it('the schedule of requests has a bounded number of keys: it drops the least requested keys', () => {
    const asked = new AskedKeys();
    const often = Array.from({ length: 1_000 }, (_, at) => `often:${at}`);
    for (let quarter = 0; quarter < 100; quarter++) {
      for (const key of often) asked.asked(key);
      for (let once = 0; once < 500; once++) asked.asked(`once:${quarter}:${once}`);
      asked.end(quarter, true);
    }
    expect(asked.keys.length).toBe(MOST_KEYS);
    expect(often.every((key) => asked.has(key))).toBe(true);
    expect(asked.bytes().length).toBeLessThan(MOST_KEYS * 300);
  });

  it('the schedule of requests does not learn from a quarter that was observed too briefly', () => {
    const asked = new AskedKeys();
    for (const quarter of [0, 96]) {
      asked.asked('a');
      asked.end(quarter, false);
    }
    expect(asked.likely(192)).toEqual([]);
  });

  it('the schedule of requests refuses bytes that are cut, foreign or changed', () => {
    const asked = new AskedKeys();
    for (const quarter of [0, 96]) {
      for (let key = 0; key < 20; key++) asked.asked(`key:${key}`);
      asked.end(quarter, true);
    }
    const dump = asked.bytes();
    const copy = new AskedKeys();
    copy.restore(dump);
    expect(copy.likely(192)).toEqual(asked.likely(192));
    expect(copy.bytes()).toEqual(dump);
    const random = seeded(3);
    for (let attempt = 0; attempt < 150; attempt++) {
      const bytes = Uint8Array.from(dump.subarray(0, attempt % 2 === 0 ? dump.length : random() * dump.length));
      for (let change = 0; change < 3; change++)
        bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
      const target = new AskedKeys();
      try {
        target.restore(bytes);
      } catch {
        expect(target.keys).toEqual([]);
      }
      expect(target.keys.length).toBeLessThanOrEqual(MOST_KEYS);
    }
  });
});
