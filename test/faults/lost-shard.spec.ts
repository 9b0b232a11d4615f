import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { redisLayer } from '../../lib/cache/layers/redis/redis-layer.js';
import { hashSlot } from '../../lib/cache/layers/redis/redis-keys.js';
import type { RedisClientLike, RedisLayerOptions } from '../../lib/cache/layers/redis/redis-options.js';
import { createObservedCache } from '../../lib/wiring/create-observed-cache.js';
import type { ObservedCache } from '../../lib/wiring/observed-cache.js';
import { RedisCluster } from '../support/redis.js';

const NAMESPACE = 'shop';

describe.each(['killed', 'frozen'] as const)('a cluster with one shard %s', (how) => {
  let cluster: RedisCluster;
  let closing: (() => unknown)[];
  /** For each client a key of the shard that will be lost, and keys of the two others. */
  let keysOf: (client: number) => { lost: string; alive: string[] };

  const shardOf = (name: string) => Math.floor((hashSlot(name) * 3) / 16_384);
  const process = async (options: RedisLayerOptions): Promise<ObservedCache> => {
    const cache = createObservedCache({
      namespace: NAMESPACE,
      ttl: '1h',
      layers: [redisLayer({ deadline: 1_000, breaker: false, ...options })],
    });
    await cache.connect();
    closing.push(() => cache.disconnect());
    return cache;
  };
  const ways: Record<string, () => Promise<ObservedCache>> = {
    'our own client': () => process({ cluster: { rootNodes: cluster.rootNodes } }),
    "the application's ioredis": () => {
      const nodes = cluster.nodes.map(({ port }) => ({ host: '127.0.0.1', port }));
      const client = new Redis.Cluster(nodes, { enableAutoPipelining: true });
      client.on('error', () => undefined);
      closing.push(() => client.disconnect());
      return process({ client: client as unknown as RedisClientLike });
    },
    "the application's node-redis": async () => {
      const client = await cluster.client();
      closing.push(() => client.destroy());
      return process({ client: client as unknown as RedisClientLike });
    },
  };

  beforeEach(async () => {
    closing = [];
    cluster = await RedisCluster.start({ 'cluster-require-full-coverage': 'no' });
    const home = shardOf(NAMESPACE);
    const keys = Array.from({ length: 100 }, (_, index) => `k${index}`);
    const of = (shard: number) => keys.filter((key) => shardOf(`${NAMESPACE}:${key}`) === shard);
    keysOf = (client) => ({
      lost: of((home + 1) % 3)[client]!,
      alive: [of(home)[client]!, of((home + 2) % 3)[client]!],
    });
  }, 20_000);
  afterEach(async () => {
    for (const close of closing.reverse()) await close();
    await cluster.dispose();
  }, 20_000);

  /** Kills or freezes the shard of a name. @returns a function that ends the fault. */
  const lose = async (name = `${NAMESPACE}:${keysOf(0).lost}`): Promise<() => void> => {
    const node = cluster.nodes[shardOf(name)]!;
    if (how === 'killed') await node.kill();
    else node.freeze();
    return () => node.resume();
  };

  it('a cluster with a lost shard answers from the other shards over each kind of client, and from none once the log is lost too', async () => {
    const caches = await Promise.all(Object.values(ways).map((way) => way()));
    await Promise.all(
      caches.map(async (cache, client) => {
        const { lost, alive } = keysOf(client);
        // Uses the connections to all nodes, and to the node of the log.
        await cache.invalidateTags('a tag');
        await cache.deleteByPattern(`gone ${client}*`);
        await cache.mset([...alive, lost].map((key) => ({ key, value: key })));
      }),
    );
    const resume = await lose();
    await Promise.all(caches.map((cache, client) => answersFromTheOthers(cache, keysOf(client))));
    resume();
    const resumeLog = await lose(NAMESPACE);
    await Promise.all(caches.map((cache, client) => answersFromNone(cache, keysOf(client))));
    resumeLog();
  }, 30_000);

  /** Without the invalidation log no process can decide which entries are still valid. */
  async function answersFromNone(cache: ObservedCache, { alive: [, key] }: ReturnType<typeof keysOf>): Promise<void> {
    expect(await cache.get(key!)).toBeUndefined();
  }

  async function answersFromTheOthers(cache: ObservedCache, { lost, alive }: ReturnType<typeof keysOf>): Promise<void> {
    const all = [...alive, lost];
    // Each read of one turn resolves when its own shard answers.
    const order: string[] = [];
    const ask = (what: string, asking: Promise<unknown>) => asking.then((value) => (order.push(what), value));
    const answers = await Promise.all([
      ask('lost', cache.get(lost)),
      ...alive.flatMap((key) => [
        ask('get', cache.get(key)),
        ask(
          'getOrSet',
          cache.getOrSet(key, () => 'loaded'),
        ),
      ]),
    ]);
    expect(answers).toEqual([undefined, ...alive.flatMap((key) => [key, key])]);
    if (how === 'frozen') expect(order.at(-1)).toBe('lost');
    // In one batch, only keys of the lost shard fail.
    expect(await cache.mget(all)).toEqual([...alive, undefined]);
    expect(await cache.getOrSetMany(all, (keys) => keys.map((key) => `loaded ${key}`))).toEqual([
      ...alive,
      `loaded ${lost}`,
    ]);
    const stats = cache.metrics.getStats('1m');
    expect(stats.errors).toBeGreaterThan(0);
    await cache.mset(all.map((key) => ({ key, value: `new ${key}` })));
    expect(await cache.mget(alive)).toEqual(alive.map((key) => `new ${key}`));
    await cache.mdel([alive[0]!, lost]);
    await cache.set(alive[0]!, 'after its deletion');
    expect(await cache.mget(alive)).toEqual(['after its deletion', `new ${alive[1]}`]);
  }

  it('a lost shard keeps the circuit of the other shards closed', async () => {
    const cache = createObservedCache({
      namespace: NAMESPACE,
      ttl: '1h',
      layers: [redisLayer({ cluster: { rootNodes: cluster.rootNodes }, deadline: 500 })],
    });
    await cache.connect();
    closing.push(() => cache.disconnect());
    const { lost, alive } = keysOf(0);
    await cache.mset([...alive, lost].map((key) => ({ key, value: key })));
    const resume = await lose();
    for (let round = 0; round < 12; round++) expect(await cache.mget([...alive, lost])).toEqual([...alive, undefined]);
    resume();
  }, 30_000);
});
