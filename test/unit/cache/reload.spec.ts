import { describe, expect, it } from '@jest/globals';
import { LayeredCache, type LayeredCacheOptions } from '../../../lib/cache/layered-cache.js';
import { memoryLayer } from '../../../lib/cache/layers/memory-layer.js';
import { Outcome } from '../../../lib/cache/base/observer.js';
import type { CachePolicy } from '../../../lib/cache/policies/policy.js';
import { ManualClock, settle } from '../../support/manual-clock.js';
import { RecordingObserver } from '../../support/recording-observer.js';
import { ScriptedLayer, SharedServer } from '../../support/scripted-layer.js';

function setUp(policy: CachePolicy = {}, server = new SharedServer(), clock = new ManualClock()) {
  const remote = new ScriptedLayer('remote', server);
  const observer = new RecordingObserver();
  const options: LayeredCacheOptions = {
    layers: [memoryLayer(), remote.factory()],
    namespace: 'cache',
    ttl: '1m',
    observer,
    clock,
  };
  const cache = new LayeredCache(options);
  const plan = cache.plan<number>('a', policy);
  let version = 0;
  const load = () => ++version;
  return { cache, remote, observer, clock, server, plan, load };
}

/** A load that a test ends by hand. */
function held() {
  let end!: (value: number) => void;
  let fail!: (error: Error) => void;
  let calls = 0;
  const load = () => {
    calls++;
    return new Promise<number>((resolve, reject) => {
      end = resolve;
      fail = reject;
    });
  };
  return { load, end: (value: number) => end(value), fail: () => fail(new Error('down')), calls: () => calls };
}

describe('a reload', () => {
  it('a reload calls the loader for a fresh entry, which others read until the new value replaces it', async () => {
    const { cache, plan, load } = setUp();
    await cache.through('a', load, plan);
    const origin = held();
    const reloaded = cache.reload('a', origin.load, plan);
    await settle();
    expect(await cache.through('a', load, plan)).toMatchObject({ value: 1, outcome: Outcome.hit });
    origin.end(7);
    expect(await reloaded).toMatchObject({ value: 7, outcome: Outcome.miss });
    expect(await cache.through('a', load, plan)).toMatchObject({ value: 7, outcome: Outcome.hit });
  });

  it('a reload ignores the value in a remote layer, and stores the new one there', async () => {
    const one = setUp();
    await one.cache.through('a', one.load, one.plan);
    const other = setUp({}, one.server, one.clock);
    const answer = await other.cache.reload('a', () => 5, other.plan);
    expect(answer).toMatchObject({ value: 5, outcome: Outcome.miss });
    await settle();
    const third = setUp({}, one.server, one.clock);
    expect(await third.cache.through('a', third.load, third.plan)).toMatchObject({ value: 5, outcome: Outcome.hit });
  });

  it('a reload shares one load with concurrent reloads and misses', async () => {
    const { cache, plan } = setUp();
    const origin = held();
    const answers = [cache.reload('a', origin.load, plan), cache.reload('a', origin.load, plan)];
    await settle();
    answers.push(cache.through('a', origin.load, plan));
    await settle();
    origin.end(3);
    expect((await Promise.all(answers)).map(({ value }) => value)).toEqual([3, 3, 3]);
    expect(origin.calls()).toBe(1);
  });

  it('a reload does not take the result of a joined load that finds the value in a remote layer', async () => {
    const one = setUp();
    await one.cache.through('a', one.load, one.plan);
    await settle();
    const other = setUp({}, one.server, one.clock);
    const found = other.cache.through('a', () => 9, other.plan);
    const reloaded = other.cache.reload('a', () => 9, other.plan);
    expect(await found).toMatchObject({ value: 1, outcome: Outcome.hit });
    expect(await reloaded).toMatchObject({ value: 9, outcome: Outcome.miss });
  });

  it.each<[string, CachePolicy]>([
    ['fresh', {}],
    ['stale and kept for errors', { staleIfError: '1h', staleWhileRevalidate: '30s' }],
  ])('a failed reload returns the stored value and keeps it: %s', async (state, policy) => {
    const { cache, plan, load, clock } = setUp(policy);
    await cache.through('a', load, plan);
    if (state !== 'fresh') await clock.advance(70_000);
    const down = () => Promise.reject(new Error('down'));
    expect(await cache.reload('a', down, plan)).toMatchObject({ value: 1, outcome: Outcome.stale });
    const later = await cache.through('a', down, plan);
    expect([later.value, later.outcome]).toEqual([1, state === 'fresh' ? Outcome.hit : Outcome.stale]);
  });

  it('a failed reload rejects if nothing is stored', async () => {
    const { cache, plan } = setUp();
    const down = () => Promise.reject(new Error('down'));
    await expect(cache.reload('a', down, plan)).rejects.toThrow('down');
  });

  it('a reload calls an origin again that just failed, while other callers get the stale value', async () => {
    const { cache, plan, load, clock } = setUp({ ttl: '1s', staleIfError: '1h' });
    await cache.through('a', load, plan);
    await clock.advance(1_001);
    const failing = () => Promise.reject(new Error('down'));
    expect(await cache.reload('a', failing, plan)).toMatchObject({ value: 1, outcome: Outcome.stale });
    expect(await cache.through('a', load, plan)).toMatchObject({ value: 1, outcome: Outcome.stale });
    expect(await cache.reload('a', failing, plan)).toMatchObject({ value: 1, outcome: Outcome.stale });
    expect(await cache.reload('a', () => 7, plan)).toMatchObject({ value: 7, outcome: Outcome.miss });
  });

  it('a reload is counted as a miss, once', async () => {
    const { cache, plan, load, observer } = setUp();
    await cache.through('a', load, plan);
    observer.take();
    await cache.reload('a', load, plan);
    expect(observer.take().filter((line) => !line.includes(' set '))).toEqual(['a load ok', 'a miss (unknown)']);
  });

  it('a reload that an invalidation overtakes stores nothing', async () => {
    const { cache, plan, load } = setUp();
    await cache.through('a', load, plan);
    const origin = held();
    const reloaded = cache.reload('a', origin.load, plan);
    await settle();
    await cache.del('a');
    origin.end(7);
    expect((await reloaded).value).toBe(7);
    expect(await cache.through('a', load, plan)).toMatchObject({ value: 2, outcome: Outcome.miss });
  });
});
