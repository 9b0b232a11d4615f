import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createClient, createClientPool } from '@redis/client';
import { Redis } from 'ioredis';
import { createClient as createClient4 } from 'cache-manager-redis-yet/node_modules/redis/dist/index.js';
import { systemClock } from '../../lib/cache/base/clock.js';
import { redisLayer } from '../../lib/cache/layers/redis/redis-layer.js';
import type { RedisClientLike, RedisLayerOptions } from '../../lib/cache/layers/redis/redis-options.js';
import { layerContext } from '../support/layer-context.js';
import { RedisCluster, RedisSentinelSetup, RedisServer } from '../support/redis.js';
import { describeLayer } from './layer-contract.js';

let server: RedisServer;
let cluster: RedisCluster;
let sentinel: RedisSentinelSetup;
let turn = 0;
const closing: (() => unknown)[] = [];

beforeAll(async () => {
  [server, cluster, sentinel] = await Promise.all([
    RedisServer.start(),
    RedisCluster.start(),
    RedisSentinelSetup.start(),
  ]);
}, 30_000);
afterAll(async () => {
  for (const close of closing) await close();
  await Promise.all([server.dispose(), cluster.dispose(), sentinel.dispose()]);
}, 30_000);

const run = (name: string, options: () => RedisLayerOptions | Promise<RedisLayerOptions>) => {
  let made: RedisLayerOptions | undefined;
  describeLayer(name, async () => {
    made ??= await options();
    const prefix = `test${turn++}`;
    const make = async () => {
      const layer = redisLayer({ deadline: 2_000, ...made }).create(layerContext(prefix));
      await layer.connect?.();
      return layer;
    };
    const layer = await make();
    return {
      layer,
      clock: systemClock,
      pass: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
      beside: make,
      close: async () => layer.disconnect(),
    };
  });
};

run('redis cluster', () => ({ cluster: { rootNodes: cluster.rootNodes } }));
run('redis cluster behind names that only a map leads to', async () => {
  const named = await RedisCluster.start({
    'cluster-announce-hostname': 'redis.invalid',
    'cluster-preferred-endpoint-type': 'hostname',
  });
  closing.push(() => named.dispose());
  const addresses = named.nodes.map(({ port }) => [`redis.invalid:${port}`, { host: '127.0.0.1', port }] as const);
  return { cluster: { rootNodes: named.rootNodes, nodeAddressMap: Object.fromEntries(addresses) } };
});
run('redis through sentinel', () => ({ sentinel: { name: sentinel.name, rootNodes: sentinel.rootNodes } }));
run("the application's node-redis 5", async () => {
  const client = createClient({ url: server.url });
  await client.connect();
  closing.push(() => client.destroy());
  return { client: client as unknown as RedisClientLike };
});
run("the application's node-redis 4", async () => {
  const client = createClient4({ url: server.url });
  closing.push(() => client.disconnect());
  return { client: client as unknown as RedisClientLike };
});
run("the application's cluster client", async () => {
  const client = await cluster.client();
  closing.push(() => client.destroy());
  return { client: client as unknown as RedisClientLike };
});
run("the application's ioredis", () => {
  const client = new Redis(server.port, '127.0.0.1');
  closing.push(() => client.disconnect());
  return { client: client as unknown as RedisClientLike };
});
run("the application's ioredis with lazyConnect", () => {
  const client = new Redis(server.port, '127.0.0.1', { lazyConnect: true });
  closing.push(() => client.disconnect());
  return { client: client as unknown as RedisClientLike };
});
run("the application's ioredis cluster", () => {
  const client = new Redis.Cluster(cluster.nodes.map(({ port }) => ({ host: '127.0.0.1', port })));
  closing.push(() => client.disconnect());
  return { client: client as unknown as RedisClientLike };
});
run("the application's ioredis with autopipelining and a keyPrefix", () => {
  const client = new Redis(server.port, '127.0.0.1', { enableAutoPipelining: true, keyPrefix: 'app:é*:' });
  closing.push(() => client.disconnect());
  return { client: client as unknown as RedisClientLike };
});
run("the application's ioredis cluster with autopipelining and a keyPrefix", () => {
  const client = new Redis.Cluster(
    cluster.nodes.map(({ port }) => ({ host: '127.0.0.1', port })),
    { enableAutoPipelining: true, redisOptions: { keyPrefix: 'app}:' } },
  );
  closing.push(() => client.disconnect());
  return { client: client as unknown as RedisClientLike };
});
run("the application's ioredis cluster with a hash tag as keyPrefix", () => {
  const client = new Redis.Cluster(
    cluster.nodes.map(({ port }) => ({ host: '127.0.0.1', port })),
    { keyPrefix: '{app}:' },
  );
  closing.push(() => client.disconnect());
  return { client: client as unknown as RedisClientLike };
});
run("the application's pool of node-redis 5", () => {
  const pool = createClientPool({ url: server.url }, { minimum: 2, maximum: 4 });
  closing.push(() => pool.destroy());
  return { client: pool as unknown as RedisClientLike };
});

describe('refused Redis clients', () => {
  it.each([
    ['reads from replicas', () => new Redis.Cluster([], { lazyConnect: true, scaleReads: 'slave' }), 'scaleReads'],
    [
      'has a keyPrefix without a closed hash tag',
      () => new Redis({ lazyConnect: true, keyPrefix: 'a{b' }),
      'keyPrefix',
    ],
    ['is of another package', () => ({ get: () => undefined }), 'client'],
  ])('redisLayer() refuses a client that %s, with the reason', (_, make, reason) => {
    const layer = redisLayer({ client: make() as unknown as RedisClientLike });
    expect(() => layer.create(layerContext('refused'))).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTIONS', message: expect.stringContaining(reason) }),
    );
  });
});
