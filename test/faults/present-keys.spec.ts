import { setImmediate as eventLoopTurn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { memoryLayer } from '../../lib/cache/layers/memory-layer.js';
import { redisLayer } from '../../lib/cache/layers/redis/redis-layer.js';
import { createObservedCache } from '../../lib/wiring/create-observed-cache.js';
import type { ObservedCache } from '../../lib/wiring/observed-cache.js';
import { RedisPlaces } from '../support/redis-places.js';

const places = new RedisPlaces();
const TURNS = 100;

/** Every way to read an existing key; each returns whether it was found. */
const ways: Record<string, (cache: ObservedCache, key: string) => Promise<boolean>> = {
  get: async (cache, key) => (await cache.get(key)) !== undefined,
  mget: async (cache, key) => (await cache.mget([key, `${key}:absent`]))[0] !== undefined,
  has: (cache, key) => cache.has(key),
  ttl: async (cache, key) => (await cache.ttl(key)) !== undefined,
  getOrSet: async (cache, key) => (await cache.getOrSet(key, () => 'absent')) !== 'absent',
  getOrSetMany: async (cache, key) =>
    (await cache.getOrSetMany([key], (keys) => keys.map(() => 'absent')))[0] !== 'absent',
};

/** Every way to write a key. */
const writing: Record<string, (cache: ObservedCache, key: string) => Promise<unknown>> = {
  set: (cache, key) => cache.set(key, 'made'),
  mset: (cache, key) => cache.mset([{ key, value: 'made' }]),
  setMany: (cache, key) => cache.setMany([{ key, value: 'made' }]),
};

describe.each(places.both)('an existing key on %s', (_, options) => {
  let turn = 0;
  let open: ObservedCache[] = [];
  let namespace: string;
  const process = async (withMemory: boolean): Promise<ObservedCache> => {
    const redis = redisLayer({ deadline: 2_000, ...options() });
    const cache = createObservedCache({
      namespace,
      ttl: '1h',
      policy: { staleWhileRevalidate: '1m' },
      layers: withMemory ? [memoryLayer(), redis] : [redis],
    });
    await cache.connect();
    open.push(cache);
    return cache;
  };
  beforeEach(() => void (namespace = `present${turn++}`));
  afterEach(async () => {
    await Promise.all(open.map((cache) => cache.disconnect()));
    open = [];
  });

  it.each(Object.keys(ways))('an existing key is found by %s while its process writes it', async (way) => {
    const cache = await process(false);
    await cache.set('k', -1);
    for (let value = 0; value < TURNS; value++) {
      const [, found] = await Promise.all([cache.set('k', value), ways[way]!(cache, 'k')]);
      expect([value, found]).toEqual([value, true]);
    }
  });

  it.each(Object.keys(ways).flatMap((way) => Object.keys(writing).map((how): [string, string] => [way, how])))(
    'a new key is found by %s in the turn in which its process creates it by %s',
    async (way, how) => {
      const cache = await process(false);
      for (let key = 0; key < TURNS / 10; key++) {
        const [, found] = await Promise.all([writing[how]!(cache, `new${key}`), ways[way]!(cache, `new${key}`)]);
        expect([key, found]).toEqual([key, true]);
        const [, left] = await Promise.all([cache.del(`new${key}`), ways[way]!(cache, `new${key}`)]);
        expect([key, left]).toEqual([key, false]);
      }
    },
  );

  it.each(Object.keys(ways))('an existing key is found by %s while a large batch with it is sent', async (way) => {
    const cache = await process(false);
    const batch = Array.from({ length: 3_000 }, (_, index) => ({ key: `k${index}`, value: 'x'.repeat(200) }));
    const [, found] = await Promise.all([cache.mset(batch), ways[way]!(cache, 'k2999')]);
    expect(found).toBe(true);
  });

  it.each(Object.keys(ways))('an existing key is found by %s while another process writes it', async (way) => {
    const writer = await process(false);
    const readers = [await process(true), await process(false)];
    await writer.set('k', -1);
    let isWriting = true;
    const reading = readers.map(async (reader) => {
      let absent = 0;
      while (isWriting) {
        if (!(await ways[way]!(reader, 'k'))) absent++;
        await eventLoopTurn();
      }
      return absent;
    });
    for (let value = 0; value < 2 * TURNS; value++) await writer.set('k', value);
    isWriting = false;
    expect(await Promise.all(reading)).toEqual([0, 0]);
  });

  it.each([
    ['deleted', (cache: ObservedCache) => cache.del('k'), 'loaded'],
    ['invalidated by tag', (cache: ObservedCache) => cache.invalidateTags('red'), 'loaded'],
    ['set', (cache: ObservedCache) => cache.set('k', 'new'), 'new'],
  ])('a key that is %s while its TTL is changed has the newer state', async (_what, act, after) => {
    for (const withMemory of [false, true]) {
      const cache = await process(withMemory);
      await cache.setMany([{ key: 'k', value: 'old', tags: ['red'] }]);
      await Promise.all([cache.expire('k'), act(cache)]);
      expect(await cache.getOrSet('k', () => 'loaded', { staleWhileRevalidate: '1m' })).toBe(after);
    }
  });

  it('a key that is replaced during a read is not copied to memory', async () => {
    const writer = await process(false);
    const reader = await process(true);
    await writer.set('k', -1);
    for (let value = 0; value < TURNS; value++) {
      await Promise.all([reader.mget(['k']), reader.has('k'), reader.getOrSet('k', () => -1), reader.set('k', value)]);
      expect([await reader.get('k'), await writer.get('k')]).toEqual([value, value]);
    }
  });
});
