import { afterAll, beforeAll } from '@jest/globals';
import KeyvRedis from '@keyv/redis';
import { Keyv } from 'keyv';
import { systemClock } from '../../lib/cache/base/clock.js';
import { keyvLayer, type KeyvLayerOptions, type KeyvStoreLike } from '../../lib/cache/layers/stores/keyv-layer.js';
import { layerContext } from '../support/layer-context.js';
import { eventually, RedisServer } from '../support/redis.js';
import { describeLayer } from './layer-contract.js';

let server: RedisServer;
let turn = 0;

beforeAll(async () => {
  server = await RedisServer.start();
});
afterAll(() => server.dispose());

/** An adapter without an iterator, like that of a store that cannot list its keys. */
class Unlisted implements KeyvStoreLike {
  constructor(readonly map: Map<string, unknown>) {}
  get = (key: string) => Promise.resolve(this.map.get(key));
  set = (key: string, value: unknown) => Promise.resolve(this.map.set(key, value) === this.map);
  delete = (key: string) => Promise.resolve(this.map.delete(key));
}

const run = (name: string, open: () => () => KeyvStoreLike, options: KeyvLayerOptions = {}) =>
  describeLayer(name, async () => {
    const prefix = `test${turn++}`;
    const store = open();
    const make = async () => {
      const layer = keyvLayer(store, options).create(layerContext(prefix));
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

run('keyv over @keyv/redis', () => () => new KeyvRedis(server.url, { throwOnErrors: true }));
run('keyv over @keyv/redis that swallows errors, with a namespace of its own', () => () => {
  const adapter = new KeyvRedis(server.url);
  adapter.namespace = 'mine';
  return adapter;
});
run('a Keyv instance over @keyv/redis, written behind', () => () => new Keyv(new KeyvRedis(server.url)), {
  writes: 'behind',
});
run('keyv over a Map', () => {
  const map = new Map();
  return () => new Keyv(map);
});
run('keyv over an adapter that cannot list its keys', () => {
  const map = new Map();
  return () => new Unlisted(map);
});
