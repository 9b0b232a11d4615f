import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createClient, createClientPool } from '@redis/client';
import { Redis } from 'ioredis';
import type { RedisClientLike, RedisLayerOptions } from '../../lib/cache/layers/redis/redis-options.js';
import { Outage } from '../support/outage.js';
import { RedisServer } from '../support/redis.js';

/** Clients as applications make them, with their offline queues. */
const clients = {
  'node-redis': async (url: string) => {
    const client = createClient({ url });
    client.on('error', () => undefined);
    await client.connect();
    return { client: client as unknown as RedisClientLike, close: () => client.destroy() };
  },
  ioredis: async (url: string) => {
    const client = new Redis(url);
    client.on('error', () => undefined);
    return Promise.resolve({ client: client as unknown as RedisClientLike, close: () => client.disconnect() });
  },
  'a pool of node-redis': async (url: string) => {
    const pool = createClientPool({ url });
    pool.on('error', () => undefined);
    await pool.connect();
    return { client: pool as unknown as RedisClientLike, close: () => pool.destroy() };
  },
};

describe.each(['node-redis', 'ioredis', 'a pool of node-redis'] as const)(
  "the application's own client, of %s",
  (kind) => {
    let server: RedisServer;
    let close: () => unknown;
    let outage: Outage;
    /** The same Redis over another connection. */
    let beside: RedisLayerOptions;

    beforeEach(async () => {
      server = await RedisServer.start();
      const own = await clients[kind](server.url);
      close = own.close;
      outage = await Outage.begin({ client: own.client });
      beside = { url: server.url, client: undefined } as RedisLayerOptions;
    }, 60_000);
    afterEach(async () => {
      await outage.end();
      close();
      await server.dispose();
    });

    it('no visitor notices an own client whose server restarts empty', async () => {
      await outage.breakRedis(() => server.kill());
      expect(await outage.repair(() => server.up())).toBeLessThan(outage.recoveryMs);
      await outage.expectCountsMatch();
      outage.expectUnnoticed({ memoryKept: false });
      await outage.expectWritesStored(beside);
      await outage.expectNothingOld(beside);
    }, 60_000);

    it('no visitor notices an own client whose server is frozen', async () => {
      await outage.breakRedis(() => server.freeze(), 4_000);
      expect(await outage.repair(() => server.resume())).toBeLessThan(outage.recoveryMs);
      await outage.expectCountsMatch();
      outage.expectUnnoticed();
      await outage.expectWritesStored(beside);
      await outage.expectNothingOld(beside);
    }, 60_000);
  },
);
