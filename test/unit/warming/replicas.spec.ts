import 'reflect-metadata';
import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { LayeredCache } from '../../../lib/cache/layered-cache.js';
import { memoryLayer } from '../../../lib/cache/layers/memory-layer.js';
import { redisLayer } from '../../../lib/cache/layers/redis/redis-layer.js';
import { NoopObserver } from '../../../lib/metrics/noop-observer.js';
import { CacheWarmer } from '../../../lib/warming/cache-warmer.js';
import { StrategyRegistry } from '../../../lib/warming/strategy-registry.js';
import { RedisServer } from '../../support/redis.js';

let redis: RedisServer;
beforeAll(async () => {
  Logger.overrideLogger(false);
  redis = await RedisServer.start();
});
afterAll(async () => {
  Logger.overrideLogger(true);
  await redis.dispose();
});

async function replica() {
  const layers = [memoryLayer(), redisLayer({ url: redis.url, required: true })];
  const cache = new LayeredCache({ layers, namespace: 'replicas', ttl: '5m', observer: new NoopObserver() });
  await cache.connect();
  return { cache, warmer: new CacheWarmer(cache, new StrategyRegistry()) };
}

it('one of several replicas on one Redis warms, and all have its entries', async () => {
  const replicas = await Promise.all([replica(), replica(), replica()]);
  let open!: () => void;
  const opened = new Promise<void>((resolve) => (open = resolve));
  const load = jest.fn(() => opened.then(() => 'warm'));
  for (const { warmer } of replicas) warmer.register({ entries: () => [{ key: 'k', load }] }, { name: 's' });
  const runs = replicas.map(({ warmer }) => warmer.start('s').done);
  await Promise.race(runs);
  await Promise.race(runs.map((run) => run.then(() => undefined)));
  open();
  const results = (await Promise.all(runs)).map(({ strategies }) => strategies[0]?.result).sort();
  expect(results).toEqual(['elsewhere', 'elsewhere', 'ok']);
  expect(load).toHaveBeenCalledTimes(1);
  for (const { cache } of replicas) expect(await cache.get('k')).toBe('warm');
  const again = await Promise.all(replicas.map(({ warmer }) => warmer.warm('s')));
  expect(again.every(({ keysWarmed }) => keysWarmed === 0)).toBe(true);
  await Promise.all(replicas.map(({ cache }) => cache.disconnect()));
});

it('every replica warms separately while Redis is down', async () => {
  const down = redisLayer({ url: 'redis://127.0.0.1:1' });
  const cache = new LayeredCache({
    layers: [memoryLayer(), down],
    namespace: 'r',
    ttl: '5m',
    observer: new NoopObserver(),
  });
  const warmer = new CacheWarmer(cache, new StrategyRegistry());
  warmer.register({ entries: () => [{ key: 'k', value: 1 }] }, { name: 's' });
  expect(await warmer.warm('s')).toMatchObject({ keysWarmed: 1, strategies: [{ result: 'ok' }] });
  expect(cache.peek('k')).toBe(1);
  await cache.disconnect();
});
