import { HttpException } from '@nestjs/common';
import 'reflect-metadata';
import { AsyncLocalStorage } from 'node:async_hooks';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { LayeredCache } from '../../../lib/cache/layered-cache.js';
import type { Layer, LayerFactory } from '../../../lib/cache/layers/layer.js';
import { memoryLayer } from '../../../lib/cache/layers/memory-layer.js';
import { CacheWarmer } from '../../../lib/warming/cache-warmer.js';
import { POPULAR_KEYS } from '../../../lib/warming/popular-keys.js';
import { PopularKeysWatch } from '../../../lib/warming/popular-keys-watch.js';
import type { WarmingEntry } from '../../../lib/warming/strategy.js';
import { StrategyRegistry } from '../../../lib/warming/strategy-registry.js';
import { ManualClock, settle } from '../../support/manual-clock.js';
import { RecordingObserver } from '../../support/recording-observer.js';

beforeEach(() => Logger.overrideLogger(false));
afterEach(() => Logger.overrideLogger(true));

/** A remote layer that records every call. */
function spiedRemoteLayer(calls: string[]): LayerFactory {
  const memory = memoryLayer({ name: 'remote' });
  return {
    ...memory,
    create(context) {
      const layer = memory.create(context);
      return new Proxy(layer, {
        get(target, property) {
          if (property === 'shared') return true;
          const member: unknown = Reflect.get(target, property, target);
          if (typeof member !== 'function') return member;
          return (...parameters: unknown[]) => {
            calls.push(String(property));
            return Promise.resolve(member.apply(target, parameters));
          };
        },
      }) as Layer;
    },
  };
}

function make({ remote = false, maxEntrySize = undefined as number | undefined } = {}) {
  const clock = new ManualClock();
  const calls: string[] = [];
  const observer = new RecordingObserver();
  const cache = new LayeredCache({
    layers: [memoryLayer(), ...(remote ? [spiedRemoteLayer(calls)] : [])],
    namespace: 'cache',
    ttl: '1m',
    policy: maxEntrySize === undefined ? {} : { maxEntrySize },
    observer,
    clock,
  });
  const warmer = new CacheWarmer(cache, new StrategyRegistry(), {}, clock);
  const yields = (entries: Iterable<WarmingEntry>) => warmer.register({ entries: () => entries }, { name: 's' });
  return { cache, warmer, clock, calls, observer, yields };
}

describe('warming the cache', () => {
  it('warming turns misses into hits', async () => {
    const { cache, warmer, yields } = make();
    yields([
      { key: 'feed:1', value: { page: 1 } },
      { key: 'feed:2', load: () => Promise.resolve({ page: 2 }) },
    ]);
    const report = await warmer.warmAll();
    expect(report).toMatchObject({ keysWarmed: 2, keysFailed: 0 });
    expect(report.bytes).toBeGreaterThan(0);
    const load = jest.fn();
    expect(await cache.getOrSet('feed:1', load)).toEqual({ page: 1 });
    expect(await cache.getOrSet('feed:2', load)).toEqual({ page: 2 });
    expect(load).not.toHaveBeenCalled();
  });

  it('warming is not counted as accesses', async () => {
    const { warmer, observer, yields } = make({ remote: true });
    yields([
      { key: 'a', value: 1 },
      { key: 'b', load: () => 2 },
    ]);
    await warmer.warmAll();
    const lines = observer.take().filter((line) => !line.startsWith('remote') && !line.startsWith('memory'));
    expect(lines).toEqual(['a warm ok', 'b warm ok']);
  });

  it('warming writes a batch in one round trip to each layer', async () => {
    const { warmer, calls } = make({ remote: true });
    await warmer.warmBatch(Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`product:${i}`, { i }])), '10m');
    expect(calls).toEqual(['setMany']);
  });

  it('warming reads once and writes once for a strategy of a hundred entries', async () => {
    const { warmer, calls, yields } = make({ remote: true });
    yields(Array.from({ length: 100 }, (_, i) => ({ key: `k${i}`, load: () => i })));
    await warmer.warmAll();
    expect(calls).toEqual(['getMany', 'setMany']);
    await warmer.warmAll();
    expect(calls).toEqual(['getMany', 'setMany']);
  });

  it('warming skips entries that another process has put into the shared layer', async () => {
    const { cache, warmer, yields } = make({ remote: true });
    await cache.set('a', 1);
    const load = jest.fn(() => 2);
    yields([{ key: 'a', load }]);
    expect(await warmer.warmAll()).toMatchObject({ keysSkipped: 1 });
    expect(load).not.toHaveBeenCalled();
  });

  it('warming stores its entries with their own ttl', async () => {
    const { cache, warmer, clock } = make();
    await warmer.warmSpecificKey('long', 1, '10m');
    await warmer.warmSpecificKey('short', 1);
    await clock.advance(61_000);
    expect([await cache.has('long'), await cache.has('short')]).toEqual([true, false]);
  });

  it.each([
    ['is deleted', (cache: LayeredCache) => cache.del('feed:1')],
    ['matches a glob that is deleted', (cache: LayeredCache) => cache.deleteByPattern('feed:*')],
    ['has a tag that is invalidated', (cache: LayeredCache) => cache.invalidateTags('feeds')],
  ])('warming does not restore a value that %s while it is loaded', async (_, invalidate) => {
    const { cache, warmer, yields } = make();
    let finish!: (value: string) => void;
    yields([{ key: 'feed:1', load: () => new Promise((resolve) => (finish = resolve)), tags: ['feeds'] }]);
    const { done } = warmer.start();
    await settle();
    await until(() => finish !== undefined);
    await invalidate(cache);
    finish('old');
    expect(await done).toMatchObject({ keysWarmed: 0, keysSkipped: 1, keysFailed: 0 });
    expect(await cache.has('feed:1')).toBe(false);
  });

  it('warming reports why a value was not stored', async () => {
    const { warmer, yields } = make({ maxEntrySize: 500 });
    yields([
      { key: 'function', value: () => 1 },
      { key: 'large', value: 'x'.repeat(1000) },
      { key: 'x'.repeat(70_000), value: 1 },
      { key: 'fine', value: 1 },
    ]);
    const { strategies } = await warmer.warmAll();
    expect(strategies[0]).toMatchObject({ result: 'partial', keysWarmed: 1, keysFailed: 3 });
    expect(strategies[0]?.errors.map(({ code }) => code).sort()).toEqual([
      'ENTRY_TOO_LARGE',
      'KEY_TOO_LONG',
      'VALUE_NOT_SERIALIZABLE',
    ]);
    await expect(warmer.warmSpecificKey('f', () => 1)).rejects.toMatchObject({ code: 'VALUE_NOT_SERIALIZABLE' });
  });

  it('warming measures which of the warmed entries were hit', async () => {
    const { cache, warmer, yields } = make();
    yields(['a', 'b', 'c', 'd'].map((key) => ({ key, value: 1 })));
    const { id } = await warmer.warmAll();
    await cache.get('a');
    await cache.getOrSet('b', () => 2);
    await cache.get('b');
    await cache.mget(['c', 'x']);
    expect(warmer.getReport(id)?.efficiency).toBe(0.75);
  });
});

describe('popular keys', () => {
  function popular(options: { limit?: number; every?: string } = {}) {
    const made = make();
    const watch = new PopularKeysWatch(
      made.cache,
      made.warmer,
      { popularKeys: { every: '10s', ...options } },
      made.clock,
    );
    watch.onApplicationBootstrap();
    return { ...made, watch };
  }
  const ask = async (cache: LayeredCache, key: string, load: () => unknown, times: number) => {
    for (let time = 0; time < times; time++) await cache.getOrSet(key, load);
  };

  it('popular keys are refreshed before they expire, and others are not', async () => {
    const { cache, clock } = popular();
    const hot = jest.fn(() => 'hot');
    const cold = jest.fn(() => 'cold');
    for (let minute = 0; minute < 5; minute++) {
      for (let second = 0; second < 60; second += 5) {
        await ask(cache, 'hot', hot, 20);
        await clock.advance(5_000);
      }
      await ask(cache, 'cold', cold, 1);
    }
    const before = hot.mock.calls.length;
    expect(before).toBeGreaterThan(4);
    expect(cache.peek('hot')).toBe('hot');
    await clock.advance(40_000);
    expect(cache.peek('hot')).toBe('hot');
  });

  it.each([
    [404, { keysSkipped: 1, keysFailed: 0, result: 'ok' }],
    [500, { keysSkipped: 0, keysFailed: 1, result: 'failed' }],
  ])('a popular key whose origin answers %d by now is reported as %j', async (status, counts) => {
    const { cache, clock, warmer } = popular();
    const load = jest.fn((): unknown => 'hot');
    const asked = async (seconds: number) => {
      for (let second = 0; second < seconds; second += 5) {
        await ask(cache, 'hot', load, 20);
        await clock.advance(5_000);
      }
    };
    await asked(120);
    load.mockImplementation(() => {
      throw new HttpException('', status);
    });
    let report = await warmer.warm(POPULAR_KEYS);
    // The entry is still fresh when it is due.
    for (let step = 0; step < 10 && report.keysSkipped + report.keysFailed === 0; step++) {
      await asked(5);
      report = await warmer.warm(POPULAR_KEYS);
    }
    expect(report.strategies).toMatchObject([counts]);
  });

  it('popular keys never delay a caller for their loader again', async () => {
    const { cache, clock, observer } = popular();
    for (let second = 0; second < 600; second += 5) {
      await ask(cache, 'hot', () => 'hot', 20);
      await clock.advance(5_000);
    }
    // The first load, and the load that registered the loader for later.
    const misses = observer.take().filter((line) => line.startsWith('hot miss'));
    expect(misses.length).toBeLessThanOrEqual(2);
  });

  it('popular keys are dropped when they are not read any more', async () => {
    const { cache, clock } = popular();
    const hot = jest.fn(() => 'hot');
    for (let second = 0; second < 120; second += 5) {
      await ask(cache, 'hot', hot, 20);
      await clock.advance(5_000);
    }
    await clock.advance(3_600_000);
    const afterAnHour = hot.mock.calls.length;
    await clock.advance(3_600_000);
    expect(hot.mock.calls.length).toBe(afterAnHour);
    expect(cache.peek('hot')).toBeUndefined();
  });

  it('popular keys run their loader in the context of their caller', async () => {
    const tenants = new AsyncLocalStorage<string>();
    const { cache, clock } = popular();
    const load = jest.fn(() => tenants.getStore());
    for (let second = 0; second < 300; second += 5) {
      await tenants.run('acme', () => ask(cache, 'hot', load, 20));
      await clock.advance(5_000);
    }
    expect(load.mock.calls.length).toBeGreaterThan(3);
    expect(load.mock.results.every(({ value }) => value === 'acme')).toBe(true);
  });

  it('popular keys keep their value while their origin fails', async () => {
    const { cache, clock, warmer } = popular();
    let fails = false;
    const load = () => {
      if (fails) throw new Error('down');
      return 'hot';
    };
    for (let second = 0; second < 90; second += 5) {
      await ask(cache, 'hot', load, 20);
      await clock.advance(5_000);
    }
    fails = true;
    await clock.advance(20_000);
    expect(await warmer.warm(POPULAR_KEYS)).toMatchObject({ status: 'completed' });
  });

  it('popular keys make no report for every check', async () => {
    const { cache, clock, warmer } = popular();
    const { id } = await warmer.warm(POPULAR_KEYS);
    for (let second = 0; second < 6_000; second += 5) {
      await ask(cache, 'hot', () => 1, 10);
      await clock.advance(5_000);
    }
    expect(warmer.getReport(id)).toBeDefined();
  }, 20_000);

  it('popular keys end with the application', async () => {
    const { cache, clock, watch } = popular();
    const load = jest.fn(() => 1);
    for (let second = 0; second < 90; second += 5) {
      await ask(cache, 'hot', load, 20);
      await clock.advance(5_000);
    }
    watch.onModuleDestroy();
    const calls = load.mock.calls.length;
    await clock.advance(120_000);
    expect(load.mock.calls.length).toBe(calls);
  });
});

/** Runs the event loop until the condition is true. */
async function until(so: () => boolean): Promise<void> {
  for (let turn = 0; turn < 100 && !so(); turn++) await settle();
}
