import { afterEach, describe, expect, it } from '@jest/globals';
import { memoryLayer } from '../../lib/cache/layers/memory-layer.js';
import { redisLayer } from '../../lib/cache/layers/redis/redis-layer.js';
import { createObservedCache } from '../../lib/wiring/create-observed-cache.js';
import type { ObservedCache } from '../../lib/wiring/observed-cache.js';
import { eventually, freePort, RedisServer } from '../support/redis.js';

type Line = { level: string; code: string; message: string };

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function serverOn(port?: number): Promise<RedisServer> {
  const server = await RedisServer.start({}, port);
  closing.push(() => server.dispose());
  return server;
}

/** A process with memory in front of Redis, and its log. */
async function process(url: string): Promise<{
  cache: ObservedCache;
  lines: Line[];
  /** The codes of the log, in order; only those that match a pattern. */
  said: (code: RegExp) => string[];
}> {
  const lines: Line[] = [];
  const cache = createObservedCache({
    namespace: 'cache',
    layers: [memoryLayer(), redisLayer({ url, deadline: 200 })],
    log: (level, code, message) => lines.push({ level, code, message }),
  });
  closing.push(() => cache.disconnect());
  await cache.connect();
  return { cache, lines, said: (codes) => lines.map(({ code }) => code).filter((code) => codes.test(code)) };
}

/** Waits for a message: memory serves its fresh entries, so only a message makes a process load again. */
async function untilHeard(speaker: ObservedCache, listener: ObservedCache): Promise<void> {
  await eventually(async () => {
    await listener.set('heard', 1);
    await speaker.del('heard');
    await new Promise((resolve) => setTimeout(resolve, 50));
    return listener.peek('heard') === undefined;
  }, 'messages arrive');
}

describe('the log of messages between processes', () => {
  it('the log reports once per outage that an invalidation could not be sent, and that messages are sent again', async () => {
    const server = await serverOn();
    const { cache, said } = await process(server.url);
    await cache.del('before');
    expect(said(/./)).toEqual([]);
    for (const turn of [1, 2]) {
      await server.kill();
      for (let index = 0; index < 5; index++) {
        await cache.del(`k${index}`);
        await cache.invalidateTags(`tag${index}`);
      }
      const outages = Array.from({ length: turn }, () => ['BUS_NOT_SENT', 'BUS_SENT']).flat();
      expect(said(/^BUS_/)).toEqual(outages.slice(0, -1));
      await server.up();
      await eventually(async () => {
        await cache.del('after');
        return said(/^BUS_/).at(-1) === 'BUS_SENT';
      }, 'messages are sent again');
      await cache.del('after');
      expect(said(/^BUS_/)).toEqual(outages);
    }
  }, 30_000);

  it('the log reports no unsent message if nothing was invalidated', async () => {
    const server = await serverOn();
    const { cache, said } = await process(server.url);
    await server.kill();
    for (let index = 0; index < 5; index++) await cache.getOrSet(`k${index}`, () => index);
    expect(said(/^(LAYER|BUS)_/)).toEqual(['LAYER_LOST']);
  });

  it('the log reports only the lost layer without Redis at the start, and messages arrive when it is back', async () => {
    const port = await freePort();
    const { cache, said } = await process(`redis://127.0.0.1:${port}`);
    await cache.getOrSet('k', () => 1);
    expect(cache.metrics.getHealth().warnings.map(({ code }) => code)).toEqual(['LAYER_DOWN']);
    expect(said(/^(LAYER|BUS)_/)).toEqual(['LAYER_LOST']);
    const server = await serverOn(port);
    const other = await process(server.url);
    await eventually(() => said(/^LAYER_/).length > 1, 'the layer is restored', 20_000);
    expect(said(/^(LAYER|BUS)_/)).toEqual(['LAYER_LOST', 'LAYER_RESTORED']);
    await untilHeard(other.cache, cache);
    expect(other.said(/./)).toEqual([]);
  }, 30_000);

  it('the log reports if a user may not use the channel, and when the user may again', async () => {
    const server = await serverOn();
    const admin = await server.client();
    await admin.sendCommand(['ACL', 'SETUSER', 'app', 'on', '>secret', '~cache:*', 'resetchannels', '+@all']);
    const { cache, said } = await process(server.url.replace('//', '//app:secret@'));
    await cache.set('k', 1);
    expect(said(/^BUS_/).sort()).toEqual(['BUS_NOT_SENT', 'BUS_UNREACHABLE']);
    await cache.del('k');
    expect(said(/^BUS_/).sort()).toEqual(['BUS_NOT_SENT', 'BUS_UNREACHABLE']);
    await admin.sendCommand(['ACL', 'SETUSER', 'app', '&cache:*']);
    await untilHeard((await process(server.url)).cache, cache);
    await cache.del('k');
    const all = ['BUS_NOT_SENT', 'BUS_RESTORED', 'BUS_SENT', 'BUS_UNREACHABLE'];
    await eventually(() => said(/^BUS_/).length >= all.length, 'all log lines of the bus');
    expect(said(/^BUS_/).sort()).toEqual(all);
  }, 20_000);
});

describe('the log of lost invalidations', () => {
  it('the log reports once at the end how many invalidations are lost, and names none', async () => {
    const server = await serverOn();
    const { cache, lines } = await process(server.url);
    await cache.set('secret', 1);
    await server.kill();
    await cache.mdel(['secret', 'other']);
    await cache.invalidateTags('red');
    await cache.deleteByPattern('user:*');
    await cache.disconnect();
    await cache.disconnect();
    const said = lines.filter(({ code }) => code === 'INVALIDATIONS_LOST');
    expect(said).toEqual([
      {
        level: 'warn',
        code: 'INVALIDATIONS_LOST',
        message: expect.stringMatching(/^Layer 'redis' .* 4 invalidations/),
      },
    ]);
    expect(said[0]!.message).not.toMatch(/secret|red\b|user/);
  });

  it('the log reports no lost invalidations at the end if all were delivered after an outage', async () => {
    const server = await serverOn();
    const { cache, said } = await process(server.url);
    const reading = await server.client();
    await cache.set('k', 1);
    await server.kill();
    await cache.del('k');
    await cache.invalidateTags('red');
    await server.up();
    await eventually(
      async () => (await reading.zCard('cache:~{cache}tags').catch(() => 0)) === 1,
      'the tag was delivered',
    );
    await eventually(async () => (await reading.exists('cache:~fence:{cache:k}')) === 1, 'the deletion was delivered');
    await cache.disconnect();
    expect(said(/INVALIDATIONS_LOST/)).toEqual([]);
  }, 15_000);
});

describe('a single process on Redis', () => {
  const change = async (cache: ObservedCache) => {
    await cache.set('k', 1);
    await cache.mset([{ key: 'a', value: 1 }]);
    await cache.getOrSet('loaded', () => 1);
    await cache.del('k');
    await cache.invalidateTags('red');
    await cache.deleteByPattern('a*');
  };
  const published = async (server: RedisServer) => {
    const client = await server.client();
    const stats = await client.info('commandstats');
    client.destroy();
    return /cmdstat_publish:calls=(\d+)/.exec(stats)?.[1] ?? '0';
  };

  it('a single process sends itself no messages', async () => {
    const server = await serverOn();
    const { cache } = await process(server.url);
    await change(cache);
    expect(await published(server)).toBe('0');
  });

  it('a set of a single process takes three commands of the server', async () => {
    const server = await serverOn();
    const { cache } = await process(server.url);
    await cache.set('k', 0);
    const client = await server.client();
    const calls = async () => {
      const stats = await client.info('commandstats');
      const counted = [...stats.matchAll(/cmdstat_(\S+?):calls=(\d+)/g)].filter(([, name]) => !/info|ping/.test(name!));
      return counted.reduce((sum, [, , count]) => sum + Number(count), 0);
    };
    const before = await calls();
    for (let index = 1; index <= 10; index++) await cache.set('k', index);
    const counted = (await calls()) - before;
    client.destroy();
    expect(counted).toBe(30);
  });

  it('a process that begins to listen receives the next set of one that knew of no other', async () => {
    const server = await serverOn();
    const { cache: one } = await process(server.url);
    for (let index = 0; index < 3; index++) await one.set('k', index);
    for (let index = 0; index < 5; index++) {
      const { cache: other } = await process(server.url);
      expect(await other.get('k')).toBe(index + 2);
      await one.set('k', index + 3);
      await eventually(() => other.peek('k') === undefined, 'the message arrives');
      await other.disconnect();
      for (let again = 0; again < 2; again++) await one.set('k', index + 3);
    }
  });

  it('a process sends messages from the first listener of another process until that process has closed', async () => {
    const server = await serverOn();
    const { cache: one } = await process(server.url);
    const { cache: other } = await process(server.url);
    for (const [speaker, listener] of [
      [one, other],
      [other, one],
    ] as const) {
      await listener.set('heard', 1);
      await speaker.set('heard', 2);
      await eventually(() => listener.peek('heard') === undefined, 'the message arrives');
    }
    await other.disconnect();
    await eventually(async () => {
      const before = await published(server);
      await change(one);
      return before === (await published(server));
    }, 'messages end');
  });

  it('processes receive messages although their user may use only the shared channel', async () => {
    const server = await serverOn();
    const client = await server.client();
    await client.sendCommand(['ACL', 'SETUSER', 'app', 'on', '>pw', '~*', '+@all', 'resetchannels', '&cache:~bus']);
    client.destroy();
    const url = server.url.replace('://', '://app:pw@');
    const { cache: one } = await process(url);
    const { cache: other } = await process(url);
    await untilHeard(one, other);
    await untilHeard(other, one);
  });
});
