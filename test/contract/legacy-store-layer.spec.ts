import { afterAll, beforeAll } from '@jest/globals';
import { redisStore } from 'cache-manager-redis-yet';
import { systemClock } from '../../lib/cache/base/clock.js';
import {
  legacyStoreLayer,
  type LegacyStoreLayerOptions,
  type LegacyStoreLike,
} from '../../lib/cache/layers/stores/legacy-store-layer.js';
import { layerContext } from '../support/layer-context.js';
import { eventually, RedisServer } from '../support/redis.js';
import { describeLayer } from './layer-contract.js';

let server: RedisServer;
let turn = 0;

beforeAll(async () => {
  server = await RedisServer.start();
});
afterAll(() => server.dispose());

/** A store with the required methods of cache-manager 5 only. */
class LeastStore implements LegacyStoreLike {
  constructor(readonly map: Map<string, unknown>) {}
  get = (key: string) => Promise.resolve(this.map.get(key));
  set = (key: string, value: unknown) => Promise.resolve(void this.map.set(key, value));
  del = (key: string) => Promise.resolve(void this.map.delete(key));
}

const run = (
  name: string,
  open: () => () => LegacyStoreLike | Promise<LegacyStoreLike>,
  options: LegacyStoreLayerOptions = {},
) =>
  describeLayer(name, async () => {
    const prefix = `test${turn++}`;
    const store = open();
    const make = async () => {
      const layer = legacyStoreLayer(store, options).create(layerContext(prefix));
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
        other.get = async (key, ticket) => {
          await eventually(() => layer.status().queueDepth === 0, 'the queue is written');
          return get(key, ticket);
        };
        return other;
      },
      close: async () => layer.disconnect(),
    };
  });

const open = () => () => redisStore({ url: server.url }) as Promise<LegacyStoreLike>;
run('cache-manager-redis-yet', open);
run('cache-manager-redis-yet, written behind', open, { writes: 'behind' });
run('a store with the least of methods', () => {
  const map = new Map();
  return () => new LeastStore(map);
});
