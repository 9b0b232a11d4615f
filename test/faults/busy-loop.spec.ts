import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { memoryLayer } from '../../lib/cache/layers/memory-layer.js';
import { redisLayer } from '../../lib/cache/layers/redis/redis-layer.js';
import { createObservedCache } from '../../lib/wiring/create-observed-cache.js';
import type { ObservedCache } from '../../lib/wiring/observed-cache.js';
import { RedisServer } from '../support/redis.js';

/** Keeps the event loop busy. */
function work(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

const KEYS = 1_000;
const keys = Array.from({ length: KEYS }, (_, index) => `user:${index}`);

describe('a busy event loop', () => {
  let redis: RedisServer;
  let cache: ObservedCache;
  let codes: string[];

  beforeEach(async () => {
    codes = [];
    redis = await RedisServer.start();
    cache = createObservedCache({
      layers: [memoryLayer(), redisLayer({ url: redis.url, deadline: 200 })],
      ttl: '1h',
      log: (_, code) => void codes.push(code),
    });
    await cache.connect();
  });
  afterEach(async () => {
    redis.resume();
    await cache.disconnect();
    await redis.dispose();
  });

  const loadAll = (load: (key: string) => Promise<string>) =>
    Promise.all(keys.map((key) => cache.getOrSet(key, () => load(key))));
  const busily = async (key: string) => {
    await new Promise((resolve) => setImmediate(resolve));
    work(1);
    return key;
  };

  it('a busy event loop does not open the circuit of a Redis that answers', async () => {
    expect(await loadAll(busily)).toEqual(keys);
    await cache.set('after', 1);
    expect(codes).toEqual([]);
  });

  it('a busy event loop opens the circuit of a frozen Redis, and the loads continue', async () => {
    redis.freeze();
    expect(await loadAll(busily)).toEqual(keys);
    expect(codes).toContain('CIRCUIT_OPEN');
  });

  it.each([
    ['one', () => cache.set('k', 'new')],
    ['many', () => cache.mset([{ key: 'k', value: 'new' }])],
  ])('a busy event loop writes what was set just before: %s', async (_, write) => {
    await cache.set('k', 'old');
    const writing = write();
    await Promise.resolve();
    work(500);
    await writing;
    const other = createObservedCache({ layers: [redisLayer({ url: redis.url })], ttl: '1h' });
    expect(await other.get('k')).toBe('new');
    await other.disconnect();
    expect(codes).toEqual([]);
  });
});
