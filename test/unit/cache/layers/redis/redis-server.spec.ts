import { createClient, createClientPool } from '@redis/client';
import { Redis } from 'ioredis';
import KeyvRedis from '@keyv/redis';
import { describe, expect, it } from '@jest/globals';
import { keyvLayer, type LayerFactory, type RedisLayerOptions, redisLayer } from '../../../../../lib/index.js';
import { layerContext } from '../../../../support/layer-context.js';

const url = 'redis://cache.internal:6380';
const node = createClient({ url });
const pool = createClientPool({ url });
const lazy = { lazyConnect: true };
const of = (client: unknown) => redisLayer({ client } as RedisLayerOptions);
const serverOf = (factory: LayerFactory) => factory.create(layerContext('shop')).server;
const nodes = [{ host: 'a', port: 1 }, { host: 'b', port: 2 }]; // prettier-ignore

describe('the server of a layer', () => {
  it.each<[string, LayerFactory]>([
    ['with credentials and a database', redisLayer({ url: 'redis://user:secret@Cache.Internal:6380/3' })],
    ['with TLS', redisLayer({ url: 'rediss://cache.internal:6380' })],
    ['with write-behind', redisLayer({ url, writes: 'behind' })],
    ['of a client of node-redis', of(node)],
    ['of a client of node-redis with a socket', of(createClient({ socket: { host: 'cache.internal', port: 6380 } }))],
    ['of a client of ioredis', of(new Redis('redis://:secret@cache.internal:6380/2', lazy))],
    ['of a store of Keyv', keyvLayer(new KeyvRedis(url) as never)],
  ])('is that of its host and port for a layer %s, without credentials', (_what, factory) => {
    expect(serverOf(factory)).toBe(serverOf(redisLayer({ url })));
    expect(String(serverOf(factory))).not.toMatch(/secret|user/);
  });

  it.each<[string, LayerFactory, LayerFactory]>([
    ['a default address', redisLayer(), redisLayer({ url: 'redis://localhost' })],
    ['a pool', of(pool), of(pool)],
    ['Sentinel', redisLayer({ sentinel: { name: 'main', rootNodes: nodes } }), of(new Redis({ ...lazy, name: 'main', sentinels: [...nodes].reverse() }))],
    ['a cluster', redisLayer({ cluster: { rootNodes: [{ url }, { url: 'redis://b' }] } }), redisLayer({ cluster: { rootNodes: [{ url: 'redis://b' }, { url }] } })],
  ])('is the same for two layers over %s', (_what, one, other) => {
    expect(serverOf(one)).toBe(serverOf(other));
  }); // prettier-ignore

  it.each<[string, LayerFactory]>([
    ['another port', redisLayer({ url: 'redis://cache.internal:6381' })],
    ['another host', redisLayer({ url: 'redis://other.internal:6380' })],
    ['a pool, whose address cannot be read', of(pool)],
    ['another master of Sentinel', redisLayer({ sentinel: { name: 'main', rootNodes: nodes } })],
  ])('differs for %s', (_what, factory) => {
    expect(serverOf(factory)).not.toBe(serverOf(redisLayer({ url })));
  });
});
