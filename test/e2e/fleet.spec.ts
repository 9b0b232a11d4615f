import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import {
  CacheObservabilityModule,
  type CacheObservabilityOptions,
  memoryLayer,
  ObservedCache,
  redisLayer,
} from '../../lib/index.js';
import { type BootedApp, boot, closeApps, type Platform, platforms } from '../support/apps.js';
import { eventually, RedisServer } from '../support/redis.js';
import { beforeTimer } from '../support/before-timer.js';

let redis: RedisServer;
beforeAll(async () => (redis = await RedisServer.start()), 20_000);
afterAll(async () => redis.dispose());
afterEach(async () => {
  redis.resume();
  await closeApps();
  await (await redis.client()).flushAll();
});

const start = (platform: Platform, options: CacheObservabilityOptions = {}) =>
  boot(platform, {
    imports: [
      CacheObservabilityModule.forRoot({
        layers: [memoryLayer(), redisLayer({ url: redis.url })],
        namespace: 'shop',
        fleet: { every: '1s' },
        prometheus: { defaultMetrics: false },
        ...options,
      }),
    ],
  });

/** One miss and its load, then hits. */
async function visit({ app }: BootedApp, key: string, hits: number): Promise<void> {
  const cache = app.get(ObservedCache);
  for (let time = 0; time <= hits; time++) await cache.getOrSet(key, () => key);
}

const fleetOf = async ({ ask }: BootedApp, path: string) => {
  const { body, headers } = await ask()
    .get(`/cache/${path}${path.includes('?') ? '&' : '?'}scope=fleet`)
    .expect(200);
  return { body, instances: Number(headers['x-cache-instances']) };
};

const untilTogether = (app: BootedApp, instances: number) =>
  eventually(async () => (await fleetOf(app, 'stats')).instances === instances, `${instances} instances`, 15_000);

describe.each(platforms)('a fleet on %s', (platform) => {
  it('every statistics route with scope=fleet adds up all instances, with its own current figures', async () => {
    const [one, other] = [await start(platform), await start(platform)];
    await visit(one, 'feed:1', 3);
    await visit(other, 'feed:2', 5);
    await visit(other, 'user:7', 1);
    await eventually(
      async () => (await fleetOf(one, 'stats')).body.total_requests === 12,
      'both instances in the statistics of one',
    );
    const { body: stats } = await fleetOf(one, 'stats');
    expect(stats).toMatchObject({
      total_requests: 12,
      cache_hits: 9,
      cache_misses: 3,
      recalculations: 3,
      hit_rate: 0.75,
    });
    const { body: patterns } = await fleetOf(one, 'stats/patterns?window=5m');
    expect(patterns).toEqual([
      expect.objectContaining({ pattern: 'feed:*', total_requests: 10, window: '5m' }),
      expect.objectContaining({ pattern: 'user:*', total_requests: 2 }),
    ]);
    const { body: operations } = await fleetOf(one, 'stats/operations');
    expect(operations.find(({ operation }: any) => operation === 'load')).toMatchObject({ count: 3 });
    const { body: layers } = await fleetOf(one, 'stats/layers');
    expect(
      layers.map(({ layer, cache_hits, connected, entry_count }: any) => [layer, cache_hits, connected, entry_count]),
    ).toEqual([
      ['memory', 9, true, 3],
      ['redis', 0, true, null],
    ]);
    expect((await fleetOf(one, 'stats/top-patterns?limit=1')).body).toMatchObject([{ pattern: 'feed:*' }]);
    expect((await fleetOf(one, 'stats/low-performers?threshold=0.6')).body).toMatchObject([{ pattern: 'user:*' }]);
    expect((await fleetOf(one, 'stats/endpoints')).body).toEqual([]);
    expect((await fleetOf(one, 'hit-rate')).body).toMatchObject({ overall: { all: 0.75 } });
    expect((await fleetOf(one, 'realtime')).body).toMatchObject({ hit_rate: 0.75 });
    expect((await fleetOf(one, 'health')).body).toMatchObject({ total_requests: 12 });
    expect((await one.ask().get('/cache/stats').expect(200)).body.total_requests).toBe(4);
    expect((await one.ask().get('/cache/stats?scope=instance').expect(200)).body.total_requests).toBe(4);

    await visit(one, 'feed:1', 0);
    expect((await fleetOf(one, 'stats')).body.total_requests).toBe(13);
  }, 30_000);

  it('insights, their ladders, hot keys and alerts with scope=fleet cover all instances', async () => {
    const [one, other] = [await start(platform), await start(platform)];
    const cache = other.app.get(ObservedCache);
    for (let id = 0; id < 40; id++) await cache.getOrSet(`missing:${id}`, () => undefined);
    const [none, feeds] = ['missing:*', 'feed:*'].map((pattern) => `pattern=${encodeURIComponent(pattern)}`);
    const ladderOf = async ({ ask }: BootedApp) => (await ask().get(`/cache/insights/ttl?${feeds}`).expect(200)).body;
    await visit(one, 'feed:1', 99);
    await visit(other, 'feed:1', 0);
    await eventually(async () => (await ladderOf(other)).ttl_ms !== null, 'the other knows the TTL', 20_000);
    await visit(other, 'feed:1', 1_499);
    await eventually(
      async () => (await fleetOf(one, `insights/ttl?${feeds}`)).body.accesses === 1_600,
      'the accesses of both in one ladder',
      20_000,
    );
    expect(await ladderOf(one)).toMatchObject({ accesses: 100 });
    expect(await fleetOf(one, `insights?${none}`)).toMatchObject({
      instances: 2,
      body: [{ pattern: 'missing:*', instances: 1 }],
    });
    expect((await one.ask().get(`/cache/insights?${none}`).expect(200)).body).toEqual([]);
    expect(await fleetOf(one, 'alerts')).toEqual({ instances: 2, body: [] });
    const { body: memory } = await fleetOf(one, 'insights/memory');
    expect(memory).toMatchObject([
      { cache: 'default', layer: 'memory', accesses: expect.any(Number), instances: 2, differing: [] },
    ]);
    expect(memory[0].ladder[2]).toMatchObject({ factor: 1, misses_per_second: null });
    const hottest = async () => {
      await visit(other, 'feed:1', 500);
      return fleetOf(one, 'hot-keys?limit=1');
    };
    await eventually(async () => (await hottest()).body.length === 1, 'the sampled hits make a hot key', 20_000);
    const { body: hotKeys, instances } = await hottest();
    expect(instances).toBe(2);
    expect(hotKeys).toMatchObject([
      { cache: 'default', key: 'feed:•••', pattern: 'feed:*', instances: expect.any(Number) },
    ]);
    expect(hotKeys[0].requests).toBeGreaterThan((await ladderOf(one)).accesses);
  }, 40_000);

  it('a fleet drops an instance at once when it ends, and counts no figure twice if an instance sends it again', async () => {
    const [one, other] = [await start(platform), await start(platform)];
    await visit(other, 'feed:2', 1);
    await untilTogether(one, 2);
    await eventually(
      async () => (await fleetOf(one, 'stats')).body.total_requests === 2,
      'the fleet has both requests',
    );
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    expect((await fleetOf(one, 'stats')).body.total_requests).toBe(2);
    await other.close();
    await eventually(async () => (await fleetOf(one, 'stats')).instances === 1, 'the ended instance is dropped', 2_000);
    expect((await fleetOf(one, 'stats')).body.total_requests).toBe(0);
  }, 30_000);

  it('a fleet lists its instances and all starts, also of an earlier deploy; without Redis it lists itself', async () => {
    const earlier = await start(platform, { version: '1.0' });
    await earlier.close();
    const [one, other] = [await start(platform, { version: '1.1' }), await start(platform, { version: '1.2' })];
    const instances = async () => (await one.ask().get('/cache/instances').expect(200)).body;
    await eventually(async () => (await instances()).instances.length === 2, 'both instances are listed', 20_000);
    expect(await instances()).toMatchObject({
      fleet: 'on',
      instances: [
        { own: true, version: '1.1', status: 'healthy' },
        { own: false, version: '1.2', status: 'healthy', requests_per_second: 0 },
      ],
    });
    const versions = async () =>
      (await one.ask().get('/cache/dashboard/context').expect(200)).body.starts.map((each: any) => each.version);
    await eventually(async () => (await versions()).join() === '1.0,1.1,1.2', 'all starts', 20_000);
    await other.close();
    await eventually(async () => (await instances()).instances.length === 1, 'the closed instance is dropped', 20_000);
    redis.freeze();
    expect(await instances()).toMatchObject({ fleet: 'unavailable', instances: [{ own: true, version: '1.1' }] });
    expect(await versions()).toEqual(['1.1']);
    redis.resume();
  }, 60_000);

  it('the statistics routes name what is missing if there is no fleet, and list the scopes', async () => {
    const alone = await start(platform, { fleet: false });
    const { body } = await alone.ask().get('/cache/stats?scope=fleet').expect(409);
    expect(body).toMatchObject({
      code: 'FLEET_OFF',
      message: expect.stringMatching(/^Statistics of .*fleet: true.*redisLayer\(\)/),
    });
    const { message } = (await alone.ask().get('/cache/insights?scope=fleet').expect(409)).body;
    expect(message).toMatch(/^Recommendations of the whole fleet/);
    await alone.ask().get('/cache/insights/memory?scope=fleet').expect(409);
    expect((await alone.ask().get('/cache/hot-keys?scope=fleet').expect(409)).body.message).toMatch(/^Hot keys of/);
    expect((await alone.ask().get('/cache/stats?scope=world').expect(400)).body).toMatchObject({
      code: 'INVALID_PARAMETER',
      message: expect.stringContaining('instance, fleet'),
    });
    const single = await start(platform, { layers: [memoryLayer()], fleet: true });
    expect((await single.ask().get('/cache/stats/patterns?scope=fleet').expect(409)).body.code).toBe('FLEET_OFF');
    await single.ask().get('/cache/stats/patterns').expect(200);
  });

  it('the statistics routes report within two seconds that the other instances cannot be reached, and return their own figures meanwhile', async () => {
    const one = await start(platform);
    await untilTogether(one, 1);
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    redis.freeze();
    const { body } = await beforeTimer(4_000, async () => one.ask().get('/cache/stats?scope=fleet').expect(503));
    expect(['FLEET_UNAVAILABLE', 'CIRCUIT_OPEN']).toContain(body.code);
    await one.ask().get('/cache/stats').expect(200);
    redis.resume();
    await eventually(
      async () => (await one.ask().get('/cache/stats?scope=fleet')).status === 200,
      'the fleet is reachable again',
      10_000,
    );
  }, 30_000);
});

describe('a fleet with an instance that dies', () => {
  it('a fleet drops a dead instance after its lifetime, and ignores an instance of another version', async () => {
    const one = await start('express');
    await untilTogether(one, 1);
    const client = await redis.client();
    const [mine] = (await client.keys('shop:*sharedMap:fleet:*')) as string[];
    const names = mine!.slice(0, mine!.lastIndexOf(':'));
    await client.sAdd(names, ['dead', 'foreign']);
    await client.set(`${names}:foreign`, 'NCO1 of another version');
    await eventually(
      async () => {
        expect((await fleetOf(one, 'stats')).instances).toBe(1);
        return !(await client.sMembers(names)).includes('dead');
      },
      'the dead instance is dropped',
      5_000,
    );
    expect(await client.pTTL(mine!)).toBeGreaterThan(0);
    expect(await client.pTTL(mine!)).toBeLessThanOrEqual(3_000);
  }, 20_000);
});
