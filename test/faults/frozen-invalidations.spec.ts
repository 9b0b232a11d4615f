import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createClient, createClientPool } from '@redis/client';
import { Redis } from 'ioredis';
import { systemClock } from '../../lib/cache/base/clock.js';
import { memoryLayer } from '../../lib/cache/layers/memory-layer.js';
import { redisLayer } from '../../lib/cache/layers/redis/redis-layer.js';
import type { RedisClientLike, RedisLayerOptions } from '../../lib/cache/layers/redis/redis-options.js';
import { createObservedCache } from '../../lib/wiring/create-observed-cache.js';
import type { ObservedCache } from '../../lib/wiring/observed-cache.js';
import { ManualClock } from '../support/manual-clock.js';
import { eventually, RedisServer } from '../support/redis.js';
import { TcpProxy } from '../support/tcp-proxy.js';

const DEADLINE_MS = 300;
/** For timers that start a little after the call. */
const ALLOWANCE_MS = 50;
/** A queued write may be running, and its messages are sent separately: each has its own deadline. */
const DEADLINES = { through: 1, behind: 2 };

/** The time of this machine, which Redis compares with its own, and timers that the test advances. */
class HandTimers extends ManualClock {
  override now(): number {
    return systemClock.now();
  }
}

/** Work that must end in time. */
class Work {
  settled = false;

  constructor(readonly work: Promise<unknown>) {
    const settle = () => void (this.settled = true);
    work.then(settle, settle);
  }

  async settles(clock: ManualClock, withinMs: number): Promise<void> {
    for (let ms = 0; ms < withinMs && !this.settled; ms += 10) await clock.advance(10);
    expect(this.settled).toBe(true);
    await this.work;
  }
}

type Connected = RedisLayerOptions & { close(): unknown };

const clients: Record<string, (url: string) => Promise<Connected>> = {
  "the layer's own connection": (url) => Promise.resolve({ url, close: () => undefined }),
  'an own client of node-redis': async (url) => {
    const client = createClient({ url });
    client.on('error', () => undefined);
    await client.connect();
    return { client: client as unknown as RedisClientLike, close: () => client.destroy() };
  },
  'an own client of ioredis': (url) => {
    const client = new Redis(url);
    client.on('error', () => undefined);
    return Promise.resolve({ client: client as unknown as RedisClientLike, close: () => client.disconnect() });
  },
  'a pool of node-redis': async (url) => {
    const pool = createClientPool({ url });
    pool.on('error', () => undefined);
    await pool.connect();
    return { client: pool as unknown as RedisClientLike, close: () => pool.destroy() };
  },
};

const KEY = 'product:1';
const LARGE = Array.from({ length: 200 }, (_, index) => ({ key: `feed:${index}`, value: 'x'.repeat(1_000) }));

const invalidations: Record<string, (cache: ObservedCache) => Promise<unknown>> = {
  'a glob': (cache) => cache.deleteByPattern('product:*'),
  'a glob after a large write': (cache) => Promise.all([cache.mset(LARGE), cache.deleteByPattern('product:*')]),
  clear: (cache) => cache.clear(),
  'a tag': (cache) => cache.invalidateTags('catalogue'),
  keys: (cache) => cache.mdel([KEY, 'product:2']),
};

const OWN = "the layer's own connection";
const cases: (readonly [what: string, kind: string, writes: 'through' | 'behind'])[] = [
  ...Object.keys(clients).map((kind) => ['a glob', kind, 'through'] as const),
  ...Object.keys(invalidations)
    .filter((what) => what !== 'a glob')
    .map((what) => [what, OWN, 'through'] as const),
  ['a glob', OWN, 'behind'],
];

describe('Redis freezes at any command of an invalidation', () => {
  let server: RedisServer;
  let namespace = 0;
  beforeAll(async () => {
    server = await RedisServer.start();
  });
  afterAll(() => server.dispose());

  /** @returns false if the invalidation has fewer commands. */
  async function freezesAt(
    command: number,
    kind: string,
    invalidate: (cache: ObservedCache) => Promise<unknown>,
    writes: 'through' | 'behind',
  ): Promise<boolean> {
    const proxy = await TcpProxy.start(server.port);
    const { close, ...options } = await clients[kind]!(proxy.url);
    const name = `shop${namespace++}`;
    const clock = new HandTimers();
    const common = { namespace: name, ttl: '1h', log: () => undefined } as const;
    const cache = createObservedCache({
      ...common,
      clock,
      layers: [memoryLayer(), redisLayer({ deadline: DEADLINE_MS, writes, ...options })],
    });
    const other = createObservedCache({ ...common, layers: [redisLayer({ url: server.url })] });
    try {
      await cache.connect();
      await other.connect();
      await other.set(KEY, 'old');
      await cache.getOrSet('product:2', () => 'old', { tags: ['catalogue'] });
      let seen = 0;
      proxy.freezeAt((name) => !/^(PING|CLIENT|INFO)$/i.test(name) && seen++ === command);
      const invalidating = new Work(invalidate(cache));
      await eventually(
        () => proxy.frozen || invalidating.settled,
        'the invalidation reaches the command, or ends',
        20_000,
      );
      const { frozen } = proxy;
      const withinMs = DEADLINES[writes] * DEADLINE_MS + ALLOWANCE_MS;
      await invalidating.settles(clock, withinMs);
      await new Work(cache.get('product:2').then((value) => expect(value).toBeUndefined())).settles(clock, withinMs);
      proxy.resume();
      await eventually(
        async () => {
          await clock.advance(500);
          return (await other.get('product:2')) === undefined;
        },
        'Redis has the invalidation',
        20_000,
      );
      return frozen;
    } finally {
      proxy.resume();
      await Promise.all([cache.disconnect(), other.disconnect()]);
      close();
      await proxy.dispose();
    }
  }

  it.each(cases)(
    'an invalidation by %s over %s, written %s, returns in time and is repeated',
    async (what, kind, writes) => {
      let command = 0;
      while (await freezesAt(command, kind, invalidations[what]!, writes)) command++;
      expect(command).toBeGreaterThan(0);
    },
    60_000,
  );
});
