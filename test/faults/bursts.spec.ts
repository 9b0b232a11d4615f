import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { memoryLayer } from '../../lib/cache/layers/memory-layer.js';
import { redisLayer } from '../../lib/cache/layers/redis/redis-layer.js';
import { createObservedCache } from '../../lib/wiring/create-observed-cache.js';
import type { ObservedCache } from '../../lib/wiring/observed-cache.js';
import { turnsDuring } from '../support/loop-turns.js';
import { RedisServer } from '../support/redis.js';

const KEYS = 5_000;
const valueOf = (key: string) => ({ key, text: 'x'.repeat(500), list: [1, 2, 3] });

describe('a burst of misses', () => {
  let redis: RedisServer;
  let cache: ObservedCache;
  let codes: string[];
  let burst = 0;

  beforeEach(async () => {
    codes = [];
    redis = await RedisServer.start();
    cache = createObservedCache({
      // On a busy machine the server needs longer than the default.
      layers: [memoryLayer(), redisLayer({ url: redis.url, deadline: '2s' })],
      ttl: '1h',
      log: (_, code) => void codes.push(code),
    });
    await cache.connect();
  });
  afterEach(async () => {
    await cache.disconnect();
    await redis.dispose();
  });

  it('a burst of misses does not block the event loop, keeps the circuit closed and stores every value', async () => {
    const keysOf = () => Array.from({ length: KEYS }, (_, index) => `product:${burst}:${index}`);
    const { turns } = await turnsDuring(async () => {
      burst++;
      const values = await cache.getOrSetMany(keysOf(), async (missing) => missing.map(valueOf));
      expect(values).toHaveLength(KEYS);
    });
    // Each step reads the time once per key: beginning, remote layers, storing.
    expect(turns).toBeGreaterThan(KEYS);
    expect(await cache.mget(keysOf().slice(-3))).toEqual(keysOf().slice(-3).map(valueOf));
    expect(codes).toEqual([]);
  });

  it('a burst of misses from callers of one key each does not open the circuit', async () => {
    const keys = Array.from({ length: KEYS }, (_, index) => `user:${index}`);
    const values = await Promise.all(keys.map((key) => cache.getOrSet(key, () => valueOf(key))));
    expect(values.at(-1)).toEqual(valueOf(keys.at(-1)!));
    expect(codes).toEqual([]);
  });
});
