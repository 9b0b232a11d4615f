import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type Clock, systemClock } from '../../lib/cache/base/clock.js';
import { memoryLayer } from '../../lib/cache/layers/memory-layer.js';
import { redisLayer } from '../../lib/cache/layers/redis/redis-layer.js';
import { createObservedCache } from '../../lib/wiring/create-observed-cache.js';
import type { ObservedCache } from '../../lib/wiring/observed-cache.js';
import { eventually, RedisServer } from '../support/redis.js';

const skewed = (ms: number): Clock => ({ ...systemClock, now: () => systemClock.now() + ms });

describe.each([
  ['agree', 0, 0],
  ['differ by a minute', 30_000, -30_000],
  ['differ by a minute the other way', -30_000, 30_000],
])('two processes whose clocks %s', (_, hereMs, thereMs) => {
  let server: RedisServer;
  let here: ObservedCache;
  let there: ObservedCache;
  let turn = 0;
  beforeAll(async () => {
    server = await RedisServer.start();
  });
  afterAll(() => server.dispose());
  beforeEach(async () => {
    const namespace = `skew${turn++}`;
    const process = (ms: number) =>
      createObservedCache({
        namespace,
        clock: skewed(ms),
        layers: [memoryLayer(), redisLayer({ url: server.url, deadline: 2_000 })],
      });
    here = process(hereMs);
    there = process(thereMs);
    await Promise.all([here.connect(), there.connect()]);
  });
  afterEach(() => Promise.all([here.disconnect(), there.disconnect()]));

  it('both processes read a value until it expires, each by its own clock', async () => {
    const setAt = Date.now();
    await here.set('k', 'v', '20s');
    expect(await there.get('k')).toBe('v');
    const left = (await there.ttl('k'))! - (Date.now() + thereMs);
    expect(left).toBeGreaterThan(19_000 - (Date.now() - setAt));
    expect(left).toBeLessThanOrEqual(20_050);
  });

  it('a value expires in both processes at the same time', async () => {
    await here.set('k', 'v', 300);
    expect(await there.get('k')).toBe('v');
    await eventually(async () => (await here.get('k')) === undefined, 'the value expires here');
    await eventually(async () => (await there.get('k')) === undefined, 'the value expires there', 100);
  });

  it.each([
    ['a key', (cache: ObservedCache) => cache.del('k')],
    ['a tag', (cache: ObservedCache) => cache.invalidateTags('red')],
    ['a glob', (cache: ObservedCache) => cache.deleteByPattern('k*')],
  ])('a load that began before the other process invalidated %s is refused', async (__, by) => {
    let version = 1;
    let begun!: () => void;
    let go!: () => void;
    const loading = new Promise<void>((resolve) => (begun = resolve));
    const may = new Promise<void>((resolve) => (go = resolve));
    const slow = here.getOrSet(
      'k',
      async () => {
        const read = version;
        begun();
        await may;
        return read;
      },
      { tags: ['red'] },
    );
    await loading;
    version = 2;
    await by(there);
    go();
    expect(await slow).toBe(1);
    const load = () => version;
    expect(await there.getOrSet('k', load, { tags: ['red'] })).toBe(2);
    await eventually(
      async () => (await here.getOrSet('k', load, { tags: ['red'] })) === 2,
      'memory applies the invalidation',
      1_000,
    );
    expect(await there.get('k')).toBe(2);
  });
});
