import { beforeEach, describe, expect, it } from '@jest/globals';
import { NotFoundException } from '@nestjs/common';
import { createCache, type Cache } from 'cache-manager';
import { Keyv, type KeyvOptions } from 'keyv';
import { observeInPlace } from '../../../lib/cache/adopted/adopted-cache.js';
import type { CacheContract } from '../../../lib/cache/contract/cache-contract.js';
import { systemClock } from '../../../lib/cache/base/clock.js';
import { createObservedCache, observeCache } from '../../../lib/wiring/create-observed-cache.js';
import { settle } from '../../support/manual-clock.js';
import { RecordingObserver } from '../../support/recording-observer.js';

describe("a cache of cache-manager's, observed in place", () => {
  let observer: RecordingObserver;
  let cache: Cache;
  const observe = () => observeInPlace(cache as unknown as CacheContract<unknown>, observer, systemClock);

  beforeEach(() => {
    observer = new RecordingObserver();
    observer.attach([{ name: 'adopted' }]);
    cache = createCache({ ttl: 60_000 });
    observe();
  });

  it('an adopted cache counts gets of one key and of many', async () => {
    expect(await cache.get('a')).toBeUndefined();
    expect(await cache.set('a', 1)).toBe(1);
    expect(await cache.get('a')).toBe(1);
    expect(await cache.mget(['a', 'b'])).toEqual([1, undefined]);
    expect(await cache.del('a')).toBe(true);
    expect(await cache.get('a')).toBeUndefined();
    expect(observer.take()).toEqual([
      'a miss (cold)', 'a set ok', 'a hit adopted', 'a hit adopted', 'b miss (cold)', 'a delete ok', 'a miss (invalidated)',
    ]); // prettier-ignore
  });

  it('an adopted cache reports a wrap that loads and one that does not', async () => {
    expect(await cache.wrap('k', () => ({ n: 1 }))).toEqual({ n: 1 });
    expect(await cache.wrap('k', () => ({ n: 2 }))).toEqual({ n: 1 });
    expect(observer.take()).toEqual(['k miss (cold)', 'k load ok', 'k hit adopted']);
    expect(observer.running).toBe(0);
  });

  it('an adopted cache reports callers that waited for another wrap as coalesced', async () => {
    await Promise.all([1, 2, 3].map(() => cache.wrap('k', async () => 'v')));
    expect(observer.take().filter((line) => !line.includes('load')).sort()).toEqual([
      'k coalesced (cold)', 'k coalesced (cold)', 'k miss (cold)',
    ]); // prettier-ignore
  });

  it('an adopted cache reports a refresh by its threshold as a hit and a refresh', async () => {
    await cache.wrap('k', async () => 'old', 1_000, 10_000);
    observer.take();
    expect(await cache.wrap('k', async () => 'new', 1_000, 10_000)).toBe('old');
    await settle();
    expect(observer.take()).toEqual(['k hit adopted', 'k refresh ok']);
    expect(await cache.get('k')).toBe('new');
  });

  it('an adopted cache counts a loader that throws a 404 as rejected', async () => {
    await expect(cache.wrap('k', () => Promise.reject(new NotFoundException()))).rejects.toThrow('Not Found');
    expect(observer.take()).toContain('k load rejected');
  });

  it("an adopted cache passes the loader's rejection through, and does not warn of listeners", async () => {
    const error = new Error('origin');
    await expect(cache.wrap('k', () => Promise.reject(error))).rejects.toBe(error);
    expect(observer.take()).toEqual(['k miss (cold)', 'k load error']);
    await Promise.all(Array.from({ length: 50 }, (_, index) => cache.wrap(`k${index}`, () => index)));
  });

  it('an adopted cache does not change when it is observed twice', async () => {
    const get = cache.get;
    observe();
    expect(cache.get).toBe(get);
  });

  it('observeCache() attaches metrics to a cache once', async () => {
    const plain = createCache();
    const observed = observeCache(plain);
    expect(observed).toBe(plain);
    await observed.set('user:1', 1);
    await plain.get('user:1');
    await plain.get('user:2');
    expect(observed.metrics.getStats()).toMatchObject({ totalRequests: 2, cacheHits: 1, cacheMisses: 1 });
    expect(observeCache(plain).metrics).toBe(observed.metrics);
  });

  it('an adopted cache works under our API: values are stored raw, each access is counted once', async () => {
    const plain = createCache();
    const observed = createObservedCache({ cache: plain });
    expect(await observed.getOrSet('k', () => ({ at: new Date(5) }), { tags: ['red'], ttl: 10_000 })).toEqual({ at: new Date(5) }); // prettier-ignore
    expect(await plain.get('k')).toEqual({ at: new Date(5) });
    expect(await observed.getOrSet('k', () => 'again' as unknown)).toEqual({ at: new Date(5) });
    expect(observed.metrics.getStats()).toMatchObject({ totalRequests: 3, cacheHits: 2, cacheMisses: 1 });
    await observed.invalidateTags('red');
    expect(await observed.getOrSet('k', () => 'again' as unknown)).toBe('again');
    expect(await observed.deleteByPattern('k*')).toBe(1);
    expect(await plain.get('k')).toBeUndefined();
    expect(observed.stores).toBe(plain.stores);
  });
});

describe('instances of classes in an adopted cache', () => {
  class User {
    name = 'ann';
  }
  const json = { serialize: JSON.stringify, deserialize: JSON.parse } as unknown as KeyvOptions;

  it('instances keep their class if the stores of an adopted cache hold references', async () => {
    const cache = createObservedCache({ cache: createCache() });
    let loads = 0;
    const load = () => {
      loads += 1;
      return { user: new User() };
    };
    for (const _ of ['miss', 'hit']) expect(await cache.getOrSet('user:1', load)).toStrictEqual({ user: new User() });
    expect(loads).toBe(1);
  });

  it('instances are not stored if a store of an adopted cache loses the class, which is logged once', async () => {
    const warnings: string[] = [];
    const stores = [new Keyv(), new Keyv({ ...json, store: new Map(), useKeyPrefix: false })];
    const own = createCache({ stores });
    const log = (_level: string, code: string) => void warnings.push(code);
    const cache = createObservedCache({ cache: own, log });
    for (const key of ['user:1', 'user:2', 'user:2'])
      expect(await cache.getOrSet(key, () => new User())).toStrictEqual(new User());
    expect(await own.get('user:2')).toBeUndefined();
    expect(await cache.getOrSet('plain:1', () => ({ n: 1 }))).toEqual({ n: 1 });
    expect(await own.get('plain:1')).toEqual({ n: 1 });
    expect(warnings).toEqual(['CLASSES_LOST']);
  });
});
