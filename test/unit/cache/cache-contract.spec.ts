import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { LayeredCache } from '../../../lib/cache/layered-cache.js';
import { memoryLayer } from '../../../lib/cache/layers/memory-layer.js';
import { ManualClock, settle } from '../../support/manual-clock.js';
import { RecordingObserver } from '../../support/recording-observer.js';

describe("cache-manager's contract", () => {
  let clock: ManualClock;
  let observer: RecordingObserver;
  let cache: LayeredCache;

  beforeEach(() => {
    clock = new ManualClock();
    observer = new RecordingObserver();
    cache = new LayeredCache({ layers: [memoryLayer()], namespace: 'cache', ttl: '1m', observer, clock });
  });
  afterEach(() => cache.disconnect());

  it('the cache sets, gets, returns the expiry and deletes', async () => {
    expect(await cache.set('k', { n: 1 }, 5_000)).toEqual({ n: 1 });
    expect(await cache.get('k')).toEqual({ n: 1 });
    expect(await cache.ttl('k')).toBe(clock.now() + 5_000);
    expect(await cache.del('k')).toBe(true);
    expect(await cache.get('k')).toBeUndefined();
    expect(await cache.ttl('k')).toBeUndefined();
  });

  it('the cache stores null, by set and by wrap', async () => {
    await cache.set('null', null);
    expect(await cache.get('null')).toBeNull();
    const load = jest.fn(() => null);
    await cache.wrap('w', load);
    expect(await cache.wrap('w', load)).toBeNull();
    expect(load).toHaveBeenCalledTimes(1);
  });

  it('the cache sets, gets and deletes many', async () => {
    const list = [{ key: 'a', value: 1 }, { key: 'b', value: 2, ttl: 1_000 }]; // prettier-ignore
    expect(await cache.mset(list)).toBe(list);
    expect(await cache.mget(['a', 'absent', 'b'])).toEqual([1, undefined, 2]);
    await clock.advance(1_000);
    expect(await cache.mget(['a', 'b'])).toEqual([1, undefined]);
    expect(await cache.mdel(['a', 'b'])).toBe(true);
    expect(await cache.mget(['a', 'b'])).toEqual([undefined, undefined]);
    expect(await cache.clear()).toBe(true);
  });

  it('the cache wraps with a TTL, with options, raw, and refreshes below the threshold', async () => {
    const refreshed = jest.fn();
    cache.on('refresh', refreshed);
    expect(await cache.wrap('k', () => 'v1', { ttl: 1_000, raw: true })).toEqual({ value: 'v1', expires: clock.now() + 1_000 }); // prettier-ignore
    expect(await cache.wrap('k', () => 'v2', 1_000, 500)).toBe('v1');
    await clock.advance(600);
    expect(await cache.wrap('k', () => 'v2', 1_000, 500)).toBe('v1');
    await settle();
    expect(refreshed).toHaveBeenCalledWith({ key: 'k', value: 'v2' });
    expect(await cache.get('k')).toBe('v2');
  });

  it('the cache emits its events, also when a listener throws', async () => {
    const emitted: unknown[] = [];
    cache.on('get', () => {
      throw new Error('listener');
    });
    cache.on('get', (payload) => emitted.push(payload));
    cache.on('del', (payload) => emitted.push(payload));
    await cache.set('k', 1);
    await cache.get('k');
    await cache.get('absent');
    await cache.del('k');
    expect(emitted).toEqual([{ key: 'k', value: 1, store: 'primary' }, { key: 'k' }]);
  });

  it('a store of the cache reads and writes through the cache', async () => {
    const [store] = cache.stores;
    await store!.set('k', 'v', 1_000);
    expect(await cache.get('k')).toBe('v');
    expect(await store!.get('k', { raw: true })).toEqual({ value: 'v', expires: clock.now() + 1_000 });
    expect(await store!.delete('k')).toBe(true);
    expect(await cache.get('k')).toBeUndefined();
  });

  it('the cache rejects a set of a value that cannot be stored, and an invalid TTL', async () => {
    await expect(cache.set('k', () => 1)).rejects.toMatchObject({ code: 'VALUE_NOT_SERIALIZABLE' });
    await expect(cache.set('k', 1, -1)).rejects.toMatchObject({ code: 'INVALID_DURATION' });
    await expect(cache.set('k', 1, NaN)).rejects.toMatchObject({ code: 'INVALID_DURATION' });
  });

  it('the cache loads the missing keys of a batch in one call, and joins single callers of the same keys', async () => {
    await cache.set('a', 'cached');
    const loader = jest.fn(async (missing: string[]) => new Map(missing.map((key) => [key, `loaded ${key}`])));
    const many = cache.getOrSetMany(['a', 'b', 'c', 'b'], loader);
    const single = cache.getOrSet('c', () => 'not called');
    expect(await many).toEqual(['cached', 'loaded b', 'loaded c', 'loaded b']);
    expect(await single).toBe('loaded c');
    expect(loader).toHaveBeenCalledTimes(1);
    expect(loader.mock.calls[0]![0]).toEqual(['b', 'c']);
  });

  it('the cache expires an entry on request, and returns whether there is one', async () => {
    await cache.set('k', 1);
    expect(await cache.has('k')).toBe(true);
    expect(await cache.expire('k')).toBe(true);
    expect(await cache.has('k')).toBe(false);
    expect(await cache.expire('k')).toBe(false);
  });

  it('the cache gives every reader its own copy of a value that cannot be frozen', async () => {
    await cache.set('k', { at: new Date(5) });
    const first = await cache.get<{ at: Date }>('k');
    first!.at.setTime(9);
    expect(await cache.get('k')).toEqual({ at: new Date(5) });
  });
});
