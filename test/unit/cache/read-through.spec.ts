import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { HttpException } from '@nestjs/common';
import { LayeredCache, type LayeredCacheOptions } from '../../../lib/cache/layered-cache.js';
import { memoryLayer } from '../../../lib/cache/layers/memory-layer.js';
import type { LoadContext } from '../../../lib/cache/policies/policy.js';
import { ManualClock, settle } from '../../support/manual-clock.js';
import { RecordingObserver } from '../../support/recording-observer.js';

describe('getOrSet', () => {
  let clock: ManualClock;
  let observer: RecordingObserver;
  let cache: LayeredCache;
  const make = (options: Partial<LayeredCacheOptions> = {}) =>
    new LayeredCache({ layers: [memoryLayer()], namespace: 'cache', ttl: '1m', observer, clock, ...options });

  beforeEach(() => {
    clock = new ManualClock();
    observer = new RecordingObserver();
    cache = make();
  });
  afterEach(() => cache.disconnect());

  /** A loader that the test releases. */
  const held = <V>() => {
    let resolve!: (value: V) => void;
    let reject!: (error: Error) => void;
    const promise = new Promise<V>((yes, no) => {
      resolve = yes;
      reject = no;
    });
    return { resolve, reject, loader: jest.fn((_context: LoadContext<V>) => promise) };
  };

  it('getOrSet() loads once and answers from memory until the TTL has passed', async () => {
    const load = jest.fn(() => ({ n: 1 }));
    expect(await cache.getOrSet('k', load)).toEqual({ n: 1 });
    expect(await cache.getOrSet('k', load)).toEqual({ n: 1 });
    expect(load).toHaveBeenCalledTimes(1);
    expect(observer.take()).toEqual(['k load ok', 'k set ok', 'k miss (cold)', 'k hit memory']);
    await clock.advance(60_000);
    await cache.getOrSet('k', load);
    expect(load).toHaveBeenCalledTimes(2);
    expect(observer.take()).toEqual(['memory evicted 1 expired', 'k load ok', 'k set ok', 'k miss (expired)']);
  });

  it('getOrSet() answers a hit in memory after one microtask', async () => {
    await cache.getOrSet('k', () => 1);
    const order: string[] = [];
    void cache.getOrSet('k', () => 2).then(() => order.push('hit'));
    void cache.get('k').then(() => order.push('get'));
    queueMicrotask(() => order.push('next'));
    await Promise.resolve();
    expect(order).toEqual(['hit', 'get', 'next']);
  });

  it('getOrSet() shares one load between concurrent callers', async () => {
    const { loader, resolve } = held<number>();
    const answers = Promise.all([1, 2, 3].map(() => cache.getOrSet('k', loader)));
    resolve(7);
    expect(await answers).toEqual([7, 7, 7]);
    expect(loader).toHaveBeenCalledTimes(1);
    expect(observer.take().filter((line) => line.includes('('))).toEqual([
      'k miss (cold)',
      'k coalesced (cold)',
      'k coalesced (cold)',
    ]);
    expect(observer.running).toBe(0);
  });

  it("getOrSet() passes the origin's error to every caller unchanged and stores nothing", async () => {
    const error = new Error('origin');
    const { loader, reject } = held<number>();
    const answers = Promise.allSettled([cache.getOrSet('k', loader), cache.getOrSet('k', loader)]);
    reject(error);
    for (const answer of await answers) expect(answer).toEqual({ status: 'rejected', reason: error });
    expect(observer.take()).toEqual(['k load error', 'k miss (cold)', 'k coalesced (cold)']);
    expect(await cache.getOrSet('k', () => 1)).toBe(1);
  });

  it('getOrSet() treats a loader that throws synchronously like a rejected load', async () => {
    await expect(
      cache.getOrSet('k', () => {
        throw new TypeError('sync');
      }),
    ).rejects.toThrow(new TypeError('sync'));
  });

  it('getOrSet() serves the stale value while one refresh runs', async () => {
    const policy = { ttl: 1_000, staleWhileRevalidate: 5_000 };
    await cache.getOrSet('k', () => 'old', policy);
    await clock.advance(1_500);
    const { loader, resolve } = held<string>();
    expect(await cache.getOrSet('k', loader, policy)).toBe('old');
    expect(await cache.getOrSet('k', loader, policy)).toBe('old');
    expect(loader).toHaveBeenCalledTimes(1);
    resolve('new');
    await settle();
    expect(await cache.getOrSet('k', loader, policy)).toBe('new');
    expect(observer.take().slice(3)).toEqual([
      'k stale memory (expired)',
      'k stale memory (expired)',
      'k refresh ok',
      'k set ok',
      'k hit memory',
    ]);
  });

  it('getOrSet() loads in the foreground after the stale time too', async () => {
    const policy = { ttl: 1_000, staleWhileRevalidate: 1_000 };
    await cache.getOrSet('k', () => 'old', policy);
    await clock.advance(2_000);
    expect(await cache.getOrSet('k', () => 'new', policy)).toBe('new');
  });

  it('getOrSet() serves the last value when its origin fails, and does not call the origin for a second', async () => {
    const policy = { ttl: 1_000, staleIfError: 60_000 };
    const failing = jest.fn(() => Promise.reject(new Error('down')));
    await cache.getOrSet('k', () => 'old', policy);
    await clock.advance(1_500);
    observer.take();
    expect(await cache.getOrSet<string>('k', failing, policy)).toBe('old');
    expect(await cache.getOrSet<string>('k', failing, policy)).toBe('old');
    expect(failing).toHaveBeenCalledTimes(1);
    expect(observer.take()).toEqual(['k load error', 'k stale memory (expired)', 'k stale memory (expired)']);
    await clock.advance(1_000);
    expect(await cache.getOrSet<string>('k', failing, policy)).toBe('old');
    expect(failing).toHaveBeenCalledTimes(2);
    await clock.advance(60_000);
    await expect(cache.getOrSet<string>('k', failing, policy)).rejects.toThrow('down');
  });

  it.each([
    [400, 'the error'],
    [403, 'the error'],
    [404, 'the error'],
    [410, 'the error'],
    [408, 'the last value'],
    [429, 'the last value'],
    [500, 'the last value'],
    [503, 'the last value'],
  ])('getOrSet() with staleIfError answers a loader that throws HttpException %d with %s', async (status, answer) => {
    const policy = { ttl: 1_000, staleIfError: 60_000 };
    await cache.getOrSet('k', () => 'the last value', policy);
    await clock.advance(1_500);
    const refusing = jest.fn(() => Promise.reject(new HttpException('the error', status)));
    const read = () => cache.getOrSet<string>('k', refusing, policy).catch((error: Error) => error.message);
    expect([await read(), await read()]).toEqual([answer, answer]);
    expect(refusing).toHaveBeenCalledTimes(answer === 'the error' ? 2 : 1);
  });

  it.each([
    [404, 'rejected'],
    [429, 'error'],
    [500, 'error'],
  ])('getOrSet() and getOrSetMany() count a load that throws HttpException %d as %s', async (status, result) => {
    const refuse = () => Promise.reject(new HttpException('the error', status));
    await expect(cache.getOrSet('k', refuse)).rejects.toThrow('the error');
    await expect(cache.getOrSetMany(['a', 'b'], refuse)).rejects.toThrow('the error');
    const loads = observer.take().filter((line) => line.includes('load'));
    expect(loads).toEqual([`k load ${result}`, `a load ${result}`, `b load ${result}`]);
    expect(observer.running).toBe(0);
  });

  it('getOrSet() serves the stale value after the soft timeout while the load continues', async () => {
    const policy = { ttl: 1_000, staleIfError: 60_000, softTimeout: 100 };
    await cache.getOrSet('k', () => 'old', policy);
    await clock.advance(1_500);
    const { loader, resolve } = held<string>();
    const answer = cache.getOrSet('k', loader, policy);
    await clock.advance(100);
    expect(await answer).toBe('old');
    resolve('new');
    await settle();
    expect(cache.peek('k')).toBe('new');
  });

  it('getOrSet() gives a load up after the hard timeout and aborts its signal', async () => {
    let signal!: AbortSignal;
    const answer = cache.getOrSet(
      'k',
      (context) => {
        signal = context.signal;
        return new Promise<never>(() => {});
      },
      { hardTimeout: 200 },
    );
    const failed = expect(answer).rejects.toMatchObject({ code: 'LOAD_TIMEOUT' });
    await clock.advance(200);
    await failed;
    expect(signal.aborted).toBe(true);
    expect(observer.take()).toEqual(['k load timeout', 'k miss (cold)']);
    expect(await cache.getOrSet('k', () => 1)).toBe(1);
  });

  it('getOrSet() never stores the late result of a load that was given up', async () => {
    const { loader, resolve } = held<string>();
    const answer = cache.getOrSet('k', loader, { hardTimeout: 200 }).catch(() => 'gave up');
    await clock.advance(200);
    expect(await answer).toBe('gave up');
    resolve('late');
    await settle();
    expect(cache.peek('k')).toBeUndefined();
  });

  it('getOrSet() lets a waiter load itself after its wait timeout', async () => {
    const { loader, resolve } = held<string>();
    const first = cache.getOrSet('k', loader);
    const second = cache.getOrSet('k', () => 'own', { waitTimeout: 50 });
    await clock.advance(50);
    expect(await second).toBe('own');
    expect(observer.take()).toEqual(['k wait timeout', 'k load ok', 'k set ok', 'k miss (cold)']);
    resolve('first');
    expect(await first).toBe('first');
  });

  it('getOrSet() refreshes ahead of expiry from the given fraction on, once', async () => {
    const policy = { ttl: 10_000, refreshAhead: 0.8 };
    const load = jest.fn(() => 'v');
    await cache.getOrSet('k', load, policy);
    await clock.advance(7_999);
    await cache.getOrSet('k', load, policy);
    expect(load).toHaveBeenCalledTimes(1);
    await clock.advance(1);
    await cache.getOrSet('k', load, policy);
    await settle();
    expect(load).toHaveBeenCalledTimes(2);
    expect(observer.take().slice(3)).toEqual(['k hit memory', 'k hit memory', 'k refresh ok', 'k set ok']);
  });

  it('getOrSet() responds in the same turn if the refresh fraction is 1', async () => {
    const plan = cache.plan('k', { ttl: 10_000, refreshAhead: 1 });
    await cache.through('k', () => 'v', plan);
    await clock.advance(9_999);
    expect(cache.fresh('k', plan)?.value).toBe('v');
  });

  it('getOrSet() refreshes early by XFetch in proportion to the cost of the load', async () => {
    let random = 0;
    cache = make({ random: () => random });
    const policy = { ttl: 10_000, refreshAhead: 'xfetch' } as const;
    const load = jest.fn(async () => {
      await clock.advance(1_000);
      return 'v';
    });
    await cache.getOrSet('k', load, policy);
    await clock.advance(8_000);
    await cache.getOrSet('k', load, policy);
    expect(load).toHaveBeenCalledTimes(1);
    random = 0.9; // −ln(0.1) ≈ 2.3 loads early
    await cache.getOrSet('k', load, policy);
    expect(load).toHaveBeenCalledTimes(2);
    await settle();
  });

  it('getOrSet() refreshes by XFetch earlier in proportion to beta', async () => {
    cache = make({ random: () => 0.7 }); // −ln(0.3) ≈ 1.2 loads early
    const load = jest.fn(async () => {
      await clock.advance(1_000);
      return 'v';
    });
    const asked = async (beta: number) => {
      const policy = { ttl: 10_000, refreshAhead: { beta } };
      await cache.getOrSet(`k${beta}`, load, policy);
      await clock.advance(8_000);
      load.mockClear();
      await cache.getOrSet(`k${beta}`, load, policy);
      await settle();
      return load.mock.calls.length;
    };
    expect([await asked(1), await asked(2)]).toEqual([0, 1]);
  });

  it('getOrSet() shortens the TTL by its jitter to a whole number of milliseconds', async () => {
    cache = make({ random: () => 0.5 });
    await cache.getOrSet('k', () => 1, { ttl: 1_001, jitter: 0.2 });
    expect(await cache.ttl('k')).toBe(clock.now() + 900);
  });

  it('getOrSet() stores null as a value, undefined not, and both as negativeTtl sets', async () => {
    const load = jest.fn(() => null as unknown);
    await cache.getOrSet('null', load);
    await cache.getOrSet('null', load);
    expect(load).toHaveBeenCalledTimes(1);
    const nothing = jest.fn(() => undefined as unknown);
    await cache.getOrSet('undefined', nothing);
    await cache.getOrSet('undefined', nothing);
    expect(nothing).toHaveBeenCalledTimes(2);
    await cache.getOrSet('negative', nothing, { negativeTtl: 1_000 });
    await cache.getOrSet('negative', nothing, { negativeTtl: 1_000 });
    expect(nothing).toHaveBeenCalledTimes(3);
    await cache.getOrSet('never', load, { negativeTtl: false });
    await cache.getOrSet('never', load, { negativeTtl: false });
    expect(load).toHaveBeenCalledTimes(3);
  });

  it('getOrSet() stores only values that cacheIf and the loader allow, with the TTL and tags they set', async () => {
    await cache.getOrSet('no', () => 1, { cacheIf: (value) => value > 1 });
    expect(cache.peek('no')).toBeUndefined();
    await cache.getOrSet('skipped', ({ skip }) => (skip(), 1));
    expect(cache.peek('skipped')).toBeUndefined();
    await cache.getOrSet('own', ({ setTtl, setTags }) => {
      setTtl('2s');
      setTags('red');
      return 1;
    });
    expect(await cache.ttl('own')).toBe(clock.now() + 2_000);
    await cache.invalidateTags('red');
    expect(cache.peek('own')).toBeUndefined();
    await cache.getOrSet('computed', () => 5, { ttl: (value) => value * 1_000, tags: (value) => [`n${value}`] });
    expect(await cache.ttl('computed')).toBe(clock.now() + 5_000);
    await cache.invalidateTags('n5');
    expect(cache.peek('computed')).toBeUndefined();
  });

  it('getOrSet() returns a loaded value although its ttl function throws, and does not store it', async () => {
    const log = jest.fn();
    cache = make({ log });
    const ttl = () => {
      throw new Error('bad');
    };
    expect(await cache.getOrSet('k', () => 1, { ttl })).toBe(1);
    expect(cache.peek('k')).toBeUndefined();
    expect(log).toHaveBeenCalledTimes(1);
  });

  it('getOrSet() returns a value that cannot be stored, and logs it once', async () => {
    const log = jest.fn();
    cache = make({ log });
    const value = { run: () => 1 };
    expect(await cache.getOrSet('k', () => value)).toBe(value);
    expect(await cache.getOrSet('k', () => value)).toBe(value);
    expect(log).toHaveBeenCalledTimes(1);
    expect(observer.take()).toEqual(['k load ok', 'k set rejected', 'k miss (cold)', 'k load ok', 'k set rejected', 'k miss (cold)']); // prettier-ignore
  });

  it('getOrSet() returns and does not store a value larger than maxEntrySize', async () => {
    await cache.getOrSet('k', () => 'x'.repeat(5_000), { maxEntrySize: 1_000 });
    expect(cache.peek('k')).toBeUndefined();
    expect(observer.take()).toContain('k too large');
  });

  it.each([
    ['a deletion of its key', {}, (c: LayeredCache) => c.del('user:1')],
    ['a set of its key', {}, (c: LayeredCache) => c.set('user:1', 'set')],
    ['a glob', {}, (c: LayeredCache) => c.deleteByPattern('user:*')],
    ['a tag known before', { tags: ['red'] }, (c: LayeredCache) => c.invalidateTags('red')],
    ['a tag known after', { tags: () => ['red'] }, (c: LayeredCache) => c.invalidateTags('red')],
    ['a clear', {}, (c: LayeredCache) => c.clear()],
  ])('getOrSet() does not restore an old value if %s came between its load', async (_, policy, invalidate) => {
    const { loader, resolve } = held<string>();
    const before = cache.getOrSet('user:1', loader, policy);
    await invalidate(cache);
    const after = cache.getOrSet('user:1', () => 'new', policy);
    resolve('old');
    expect(await before).toBe('old');
    expect(await after).not.toBe('old');
    await settle();
    expect(cache.peek('user:1')).toBe(await after);
  });

  it('getOrSet() does not wait for itself when a loader reads its own key', async () => {
    const value = await cache.getOrSet('k', async () => `outer ${await cache.getOrSet('k', () => 'inner')}`);
    expect(value).toBe('outer inner');
  });

  it("getOrSet() does not deadlock if loaders read each other's keys", async () => {
    const a = (): Promise<string> => cache.getOrSet('a', async () => `a${await cache.getOrSet('b', async () => `b${await cache.getOrSet('a', () => '!')}`)}`); // prettier-ignore
    expect(await a()).toBe('ab!');
  });

  it('getOrSet() passes the stale value to the loader that replaces it', async () => {
    const policy = { ttl: 1_000, staleIfError: 60_000 };
    await cache.getOrSet('k', () => 'old', policy);
    await clock.advance(1_500);
    expect(await cache.getOrSet<string>('k', ({ stale }) => `${stale} and new`, policy)).toBe('old and new');
  });

  it('a disabled cache calls the origin, and invalidations still remove stored entries', async () => {
    await cache.set('k', 'kept');
    cache.enabled = false;
    observer.take();
    expect(await cache.getOrSet('k', () => 'origin')).toBe('origin');
    expect(await cache.get('k')).toBeUndefined();
    expect(await cache.mget(['k'])).toEqual([undefined]);
    expect(observer.take()).toEqual(['k bypass', 'k bypass', 'k bypass']);
    await cache.set('k', 'newer');
    cache.enabled = true;
    expect(await cache.get('k')).toBeUndefined();
  });

  it.each([
    ['', 'INVALID_KEY'],
    ['x'.repeat(65_537), 'KEY_TOO_LONG'],
    ['ž'.repeat(32_769), 'KEY_TOO_LONG'],
  ])('getOrSet() refuses an invalid key', async (key, code) => {
    await expect(cache.getOrSet(key, () => 1)).rejects.toMatchObject({ code });
    await expect(cache.get(key)).rejects.toMatchObject({ code });
    await expect(cache.set(key, 1)).rejects.toMatchObject({ code });
    await expect(cache.del(key)).rejects.toMatchObject({ code });
    await expect(cache.mget([key])).rejects.toMatchObject({ code });
  });

  it.each([
    [{ ttl: -1 }, 'INVALID_DURATION'],
    [{ ttl: NaN }, 'INVALID_DURATION'],
    [{ ttl: 'soon' }, 'INVALID_DURATION'],
    [{ jitter: 2 }, 'INVALID_OPTIONS'],
    [{ refreshAhead: -1 }, 'INVALID_OPTIONS'],
  ])('getOrSet() refuses an invalid policy %j', async (policy, code) => {
    await expect(cache.getOrSet('k', () => 1, policy)).rejects.toMatchObject({ code });
    expect(() => cache.plan('p:*', policy)).toThrow(expect.objectContaining({ code }));
  });

  it('getOrSet() stores forever with a TTL of 0', async () => {
    await cache.getOrSet('k', () => 1, { ttl: 0 });
    await clock.advance(10 ** 12);
    expect(cache.peek('k')).toBe(1);
  });

  it('getOrSet() reports the reason of a miss', async () => {
    cache = make({ layers: [memoryLayer({ maxEntries: 1 })] });
    await cache.set('a', 1);
    await cache.set('b', 1);
    await cache.get('a');
    await cache.del('b');
    await cache.get('b');
    await cache.get('never');
    await cache.set('c', 1, 1_000);
    await clock.advance(1_000);
    await cache.get('c');
    expect(observer.take().filter((line) => line.includes('miss'))).toEqual([
      'a miss (evicted)',
      'b miss (invalidated)',
      'never miss (cold)',
      'c miss (expired)',
    ]);
  });
});
