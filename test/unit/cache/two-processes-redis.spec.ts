import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { LayeredCache } from '../../../lib/cache/layered-cache.js';
import { memoryLayer } from '../../../lib/cache/layers/memory-layer.js';
import { redisLayer } from '../../../lib/cache/layers/redis/redis-layer.js';
import type { CachePolicy } from '../../../lib/cache/policies/policy.js';
import { RecordingObserver } from '../../support/recording-observer.js';
import { eventually, RedisServer } from '../../support/redis.js';

let server: RedisServer;
const open: LayeredCache[] = [];

beforeAll(async () => {
  server = await RedisServer.start();
});
afterEach(async () => {
  await open[0]?.clear();
  await Promise.all(open.splice(0).map((cache) => cache.disconnect()));
});
afterAll(() => server.dispose());

async function process(policy: CachePolicy = {}, connects = true, observer = new RecordingObserver()) {
  const layers = [memoryLayer(), redisLayer({ url: server.url, required: true })];
  const cache = new LayeredCache({ layers, namespace: 'two', ttl: '1m', policy, observer });
  if (connects) await cache.connect();
  open.push(cache);
  return cache;
}

describe('two processes on one Redis', () => {
  it('two processes on one Redis share values of every type, and the rest of their TTL', async () => {
    const [one, other] = [await process(), await process()];
    const value = { at: new Date(0), of: new Map([['a', 1n]]), bytes: Buffer.from('x') };
    await one.set('a', value, 10_000);
    expect(await other.get('a')).toEqual(value);
    expect(Math.abs((await other.ttl('a'))! - (await one.ttl('a'))!)).toBeLessThan(100);
  });

  it("two processes on one Redis receive each other's invalidations from the first use on, without connect()", async () => {
    const [one, other] = [await process({}, false), await process({}, false)];
    await one.set('a', 1);
    await eventually(async () => (await other.get('a')) === 1 && other.peek('a') === 1, 'memory has the value');
    await eventually(async () => {
      await other.get('a');
      await one.set('a', 1);
      await one.del('a');
      await new Promise((resolve) => setTimeout(resolve, 50));
      return other.peek('a') === undefined && (await other.get('a')) === undefined;
    }, 'the deletion arrives');
  });

  it('two processes on one Redis isolate stored values from changes by their readers', async () => {
    const [one, other] = [await process(), await process()];
    for (const key of ['a', 'b', 'c', 'd']) await one.set(key, { inner: { list: [1] } });
    const read: { inner: { list: number[] } }[] = [
      (await other.get('a'))!,
      ...(await Promise.all([other.get('b'), other.get('b')])).map((value) => value as never),
      (await other.mget(['c']))[0] as never,
      await other.getOrSet('d', () => ({ inner: { list: [] } }) as never),
    ];
    for (const value of read) expect(() => value.inner.list.push(2)).toThrow(TypeError);
    expect(await other.mget(['a', 'b', 'c', 'd'])).toEqual(Array(4).fill({ inner: { list: [1] } }));
  });

  it('two processes on one Redis read in one turn the entries that they also replace and remove in it', async () => {
    const [one, other] = [await process(), await process()];
    const keys = Array.from({ length: 1_200 }, (_, index) => `k${index}`);
    await one.mset(keys.map((key) => ({ key, value: key })));
    const reading = keys.map((key) => other.get(key));
    await Promise.all([other.set('k0', 'new'), other.del('k1')]);
    expect((await Promise.all(reading)).slice(2)).toEqual(keys.slice(2));
    expect(await other.mget(['k0', 'k1'])).toEqual(['new', undefined]);
    await eventually(() => ['k0', 'k1'].every((key) => one.peek(key) === undefined), 'the messages arrive');
    expect(await Promise.all(['k0', 'k1', 'k2'].map((key) => one.get(key)))).toEqual(['new', undefined, 'k2']);
  });

  it('two processes on one Redis drop the entries that the other one invalidated', async () => {
    const [one, other] = [await process(), await process()];
    for (const key of ['a', 'b', 'c']) await one.getOrSet(key, () => key, { tags: [`tag of ${key}`] });
    await other.mget(['a', 'b', 'c']);
    await one.del('a');
    await one.invalidateTags('tag of b');
    await one.deleteByPattern('c*');
    await eventually(() => ['a', 'b', 'c'].every((key) => other.peek(key) === undefined), 'the messages arrive');
    expect(await other.mget(['a', 'b', 'c'])).toEqual([undefined, undefined, undefined]);
  });

  it.each([
    ['get', (cache: LayeredCache) => cache.get('a')],
    ['mget', (cache: LayeredCache) => cache.mget(['a'])],
    ['getOrSet', (cache: LayeredCache) => cache.getOrSet('a', () => 2)],
  ])('two processes on one Redis know why %s misses what the other one had stored', async (_name, read) => {
    const observer = new RecordingObserver();
    const [one, other] = [await process(), await process({}, true, observer)];
    for (const invalidate of [
      () => other.del('a'),
      () => other.clear(),
      () => other.deleteByPattern('a*'),
      () => other.invalidateTags('of a'),
    ]) {
      await one.del('a');
      await one.getOrSet('a', () => 1, { tags: ['of a'] });
      await eventually(async () => (await other.get('a')) === 1, 'it is read');
      await invalidate();
      observer.lines.length = 0;
      await read(other);
      expect(observer.lines).toContain('a miss (invalidated)');
    }
  });

  it('two processes on one Redis load a key once under a lock', async () => {
    const [one, other] = [await process({ lock: true }), await process({ lock: true })];
    const load = jest.fn(() => new Promise<number>((resolve) => setTimeout(resolve, 50, 1)));
    const answers = await Promise.all([one, other, one, other].map((cache) => cache.getOrSet('a', load)));
    expect(answers).toEqual([1, 1, 1, 1]);
    expect(load).toHaveBeenCalledTimes(1);
  });

  it('two processes on one Redis store nothing that was loaded before the other invalidated it', async () => {
    const [one, other] = [await process(), await process()];
    const since = other.mark();
    await one.set('a', 'new');
    await one.del('a');
    await one.del('b');
    await other.setMany([{ key: 'a', value: 'old', since }, { key: 'c', value: 1, since }]); // prettier-ignore
    since.release();
    const third = await process();
    expect(await third.mget(['a', 'c'])).toEqual([undefined, 1]);
  });
});
