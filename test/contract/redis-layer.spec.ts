import { afterAll, beforeAll } from '@jest/globals';
import { systemClock } from '../../lib/cache/base/clock.js';
import { redisLayer } from '../../lib/cache/layers/redis/redis-layer.js';
import type { RedisLayerOptions } from '../../lib/cache/layers/redis/redis-options.js';
import { layerContext } from '../support/layer-context.js';
import { eventually, RedisServer } from '../support/redis.js';
import { describeLayer } from './layer-contract.js';

let server: RedisServer;
let turn = 0;

beforeAll(async () => {
  server = await RedisServer.start();
});
afterAll(() => server.dispose());

const run = (name: string, options: RedisLayerOptions) =>
  describeLayer(name, async () => {
    const prefix = `test${turn++}`;
    const make = async () => {
      const layer = redisLayer({ url: server.url, ...options }).create(layerContext(prefix));
      await layer.connect?.();
      return layer;
    };
    const layer = await make();
    return {
      layer,
      clock: systemClock,
      pass: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
      beside: async () => {
        const other = await make();
        const get = other.get.bind(other);
        // Another process sees a queued write once it has been written.
        other.get = async (key, ticket) => {
          await eventually(() => layer.status().queueDepth === 0, 'the queue is written');
          return get(key, ticket);
        };
        return other;
      },
      close: async () => layer.disconnect(),
    };
  });

run('redis', {});
run('redis, structured clone, compressed', { serializer: 'structured-clone', compression: { threshold: 64 } });
run('redis, without a breaker', { breaker: false });
run('redis, written behind', { writes: 'behind' });
run('redis, written behind in small batches', { writes: { batchSize: 7, flushEvery: 1 } });
