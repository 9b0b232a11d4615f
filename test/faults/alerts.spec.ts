import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createObservedCache } from '../../lib/wiring/create-observed-cache.js';
import { memoryLayer } from '../../lib/cache/layers/memory-layer.js';
import { redisLayer } from '../../lib/cache/layers/redis/redis-layer.js';
import type { ObservedCache } from '../../lib/wiring/observed-cache.js';
import { eventually, RedisServer } from '../support/redis.js';

describe('the alerts of a fleet whose Redis is killed', () => {
  let server: RedisServer;
  const caches: ObservedCache[] = [];
  beforeEach(async () => {
    server = await RedisServer.start();
  });
  afterEach(async () => {
    await Promise.all(caches.splice(0).map((cache) => cache.close()));
    await server.dispose();
  });

  it('each instance has one alert, which names Redis, and one instance notifies', async () => {
    const notified: string[] = [];
    const fleet = ['a', 'b', 'c'].map((instance) =>
      createObservedCache({
        namespace: 'shop',
        layers: [memoryLayer(), redisLayer({ url: server.url })],
        alerts: { onAlert: ({ code, subject }) => notified.push(`${instance} ${code} ${subject}`) },
      }),
    );
    caches.push(...fleet);
    await Promise.all(fleet.map((cache) => cache.connect()));
    const client = await server.client();
    await eventually(async () => (await client.keys('*alerts:notifier*')).length === 1, 'one instance is the notifier');
    for (const cache of fleet) await cache.getOrSet('product:1', () => 1);

    await server.kill();
    let key = 2;
    const asked = async (): Promise<boolean> => {
      for (const cache of fleet) await cache.getOrSet(`product:${key++}`, () => 1);
      return fleet.every((cache) => cache.insight.alerts().length > 0);
    };
    await eventually(asked, 'every instance has an alert');
    await eventually(() => notified.length > 0, 'a notification');
    for (const cache of fleet) {
      expect(cache.insight.alerts({ state: 'all' })).toMatchObject([{ subject: 'redis', severity: 'critical' }]);
    }
    expect(notified).toHaveLength(1);
    expect(notified[0]).toMatch(/^[abc] (?:CIRCUIT_OPEN|LAYER_DOWN) redis$/);
  });
});
