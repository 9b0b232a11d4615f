import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { RedisClientType } from '@redis/client';
import { memoryLayer } from '../../lib/cache/layers/memory-layer.js';
import { redisLayer } from '../../lib/cache/layers/redis/redis-layer.js';
import { createObservedCache } from '../../lib/wiring/create-observed-cache.js';
import type { ObservedCache } from '../../lib/wiring/observed-cache.js';
import { eventually, RedisServer } from '../support/redis.js';

const NAMESPACE = 'shop';
const name = (key: string) => `${NAMESPACE}:${key}`;
const STATE = `${NAMESPACE}:~{${NAMESPACE}}state`;
const SWEEPS = `${NAMESPACE}:~{${NAMESPACE}}sweeps`;
const GLOBS = `${NAMESPACE}:~{${NAMESPACE}}globs`;

describe('an unfinished sweep', () => {
  let server: RedisServer;
  let admin: RedisClientType;
  let open: ObservedCache[];
  let said: string[];

  beforeEach(async () => {
    server = await RedisServer.start();
    admin = await server.client();
    open = [];
    said = [];
    await admin.sendCommand(['ACL', 'SETUSER', 'app', 'on', '>secret', '~shop:*', '&shop:*', '+@all']);
  });
  afterEach(async () => {
    await Promise.all(open.map((cache) => cache.disconnect()));
    await server.dispose();
  });

  const process = async (user = 'app:secret@'): Promise<ObservedCache> => {
    const cache = createObservedCache({
      namespace: NAMESPACE,
      ttl: '1h',
      layers: [memoryLayer(), redisLayer({ url: `redis://${user}127.0.0.1:${server.port}`, deadline: 2_000 })],
      log: (level, code) => void (/^SWEEP_/.test(code) && said.push(`${level} ${code}`)),
    });
    await cache.connect();
    open.push(cache);
    return cache;
  };
  const may = (right: string) => admin.sendCommand(['ACL', 'SETUSER', 'app', right]);
  const warnings = (cache: ObservedCache) => cache.metrics.getHealth().warnings.map(({ code }) => code);
  const scans = async () =>
    Number(/cmdstat_scan:calls=\d+.*rejected_calls=(\d+)/.exec(await admin.info('commandstats'))?.[1] ?? 0);

  it.each(['zremrangebyrank', 'zadd'])(
    'a sweep without the right to %s invalidates nothing of other processes with each attempt',
    async (right) => {
      const here = await process();
      const there = await process('');
      await may(`-${right}`);
      await here.clear().catch(() => undefined);
      const lost: unknown[] = [];
      for (let round = 0; round < 30; round++) {
        await there.set('product:1', round);
        await new Promise((resolve) => setTimeout(resolve, 100));
        const stored = await admin.get(STATE);
        if (Number(stored?.split(' ')[5]) > 0) lost.push(stored);
      }
      // The epoch before which every entry counts as invalidated has not changed.
      expect(lost).toEqual([]);
      expect(await there.get('product:1')).toBe(29);
    },
    20_000,
  );

  it.each([
    ['scan', 'a clear()', (cache: ObservedCache) => cache.clear()],
    ['scan', 'a glob', (cache: ObservedCache) => cache.deleteByPattern('product:*')],
  ])(
    'a sweep without the right to %s is %s, hides no newer entry, here or elsewhere, and is logged until it has finished',
    async (right, _, invalidate) => {
      const here = await process();
      const there = await process();
      await here.mset(['product:1', 'product:2', 'product:3'].map((key) => ({ key, value: 'old' })));
      await may(`-${right}`);
      await invalidate(here);
      for (const cache of [here, there, await process()])
        expect(await cache.mget(['product:1', 'product:2'])).toEqual([undefined, undefined]);
      await here.set('product:1', 'new');
      expect(await there.getOrSet('product:2', () => 'new')).toBe('new');
      // Retries come after one second, and after two more.
      await eventually(async () => (await scans()) >= 3, 'the sweep is retried');
      for (const cache of [here, there, await process()])
        expect(await cache.mget(['product:1', 'product:2'])).toEqual(['new', 'new']);
      expect(await admin.exists(name('product:3'))).toBe(1);
      expect(warnings(here)).toEqual(['SWEEP_PENDING']);
      expect(here.metrics.getHealth()).toMatchObject({
        status: 'warning',
        warnings: [{ layer: 'redis', value: 1, threshold: 0 }],
      });
      expect(said).toEqual(['warn SWEEP_PENDING']);
      await may(`+${right}`);
      await eventually(async () => (await admin.exists(name('product:3'))) === 0, 'the sweep has finished');
      await eventually(() => warnings(here).length === 0, 'the warning ends');
      expect(said).toEqual(['warn SWEEP_PENDING', 'log SWEEP_DONE']);
      await eventually(async () => (await admin.exists(SWEEPS)) === 0, 'Redis drops the record of the sweep');
      for (const cache of [here, there]) expect(await cache.mget(['product:1', 'product:2'])).toEqual(['new', 'new']);
    },
    30_000,
  );

  it('a sweep is remembered until it has finished, and another process finishes it if its process ends', async () => {
    const here = await process();
    await here.mset(['product:1', 'other'].map((key) => ({ key, value: 'old' })));
    await may('-scan');
    await here.deleteByPattern('product:*');
    await here.disconnect();
    // Move the records in Redis eleven minutes into the past.
    const ago = (epoch: number) => String(epoch - 660_000_000).padStart(16, '0');
    const noted = (await admin.zScore(SWEEPS, 'product:*'))!;
    const numbers = (await admin.get(STATE))!.split(' ');
    await admin.set(STATE, numbers.with(2, String(Number(ago(noted)))).join(' '));
    for (const list of [SWEEPS, GLOBS]) await admin.zAdd(list, { score: Number(ago(noted)), value: 'product:*' });
    for (const key of ['product:1', 'other']) await admin.setRange(name(key), 5, ago(noted - 1));
    const there = await process();
    await there.deleteByPattern('nothing:*');
    for (const cache of [there, await process()])
      expect(await cache.mget(['product:1', 'other'])).toEqual([undefined, 'old']);
    await may('+scan');
    await eventually(async () => (await admin.exists(name('product:1'))) === 0, 'the sweep has finished');
    expect(await there.mget(['product:1', 'other'])).toEqual([undefined, 'old']);
  }, 30_000);

  it('an unfinished sweep invalidates every older entry once too many invalidations follow', async () => {
    const here = await process();
    await here.mset(['product:1', 'other'].map((key) => ({ key, value: 'old' })));
    await may('-scan');
    await here.deleteByPattern('product:*');
    await here.set('later', 'new');
    for (let glob = 0; glob < 1_000; glob += 100) {
      await Promise.all(Array.from({ length: 100 }, (_, index) => here.deleteByPattern(`nothing:${glob + index}:*`)));
    }
    expect(await admin.zCard(GLOBS)).toBe(1_000);
    for (const cache of [await process(), await process()]) {
      expect(await cache.mget(['product:1', 'other', 'later'])).toEqual([undefined, undefined, 'new']);
    }
  }, 30_000);
});
