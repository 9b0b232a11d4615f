import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller, Get, Param } from '@nestjs/common';
import {
  Cached,
  CacheObservabilityModule,
  type CacheObservabilityOptions,
  createObservedCache,
  memoryLayer,
  ObservedCache,
  redisLayer,
} from '../../lib/index.js';
import { type BootedApp, boot, closeApps } from '../support/apps.js';
import { eventually, RedisServer } from '../support/redis.js';

let redis: RedisServer;
const caches: ObservedCache[] = [];
/** Codes that processes without Nest logged. */
const logged: string[] = [];

beforeAll(async () => (redis = await RedisServer.start()), 20_000);
afterAll(async () => redis.dispose());
afterEach(async () => {
  redis.resume();
  logged.length = 0;
  await closeApps();
  await Promise.all(caches.splice(0).map((cache) => cache.close()));
  await (await redis.client()).flushAll();
});

const layers = () => [memoryLayer(), redisLayer({ url: redis.url })];

/** An instance whose handler declares this TTL. */
async function instance(ttl: string, options: CacheObservabilityOptions = {}): Promise<BootedApp> {
  @Controller()
  class Feeds {
    @Get('feeds/:id')
    @Cached('feed:*', { ttl })
    feed(@Param('id') id: string) {
      return { id };
    }
  }
  return boot('express', {
    imports: [CacheObservabilityModule.forRoot({ layers: layers(), namespace: 'shop', prometheus: false, ...options })],
    controllers: [Feeds],
  });
}

/** A process without Nest. */
async function process(): Promise<ObservedCache> {
  const cache = createObservedCache({
    layers: layers(),
    namespace: 'shop',
    ttl: '5m',
    log: (_, code) => void logged.push(code),
  });
  caches.push(cache);
  await cache.connect();
  return cache;
}

const ttlIn = ({ app }: BootedApp) => app.get(ObservedCache).tuning.report('feed:*').effective.ttlMs;
const put = ({ ask }: BootedApp, body: object) => ask().put('/cache/policies?pattern=feed:*').send(body).expect(200);

describe('an overridden policy in a fleet', () => {
  it('an overridden policy reaches every instance, and so does its end', async () => {
    const [one, other] = [await instance('5m'), await instance('5m')];
    const { body } = await put(one, { ttl: '1m' });
    expect(body.override).toMatchObject({ reached: 'fleet' });
    await eventually(() => ttlIn(other) === 60_000, 'the other has it');
    const { body: listed } = await other.ask().get('/cache/policies?pattern=feed:*');
    expect(listed[0].override).toMatchObject({ reached: 'fleet', values: { ttl_ms: 60_000 } });
    await other.ask().delete('/cache/policies?pattern=feed:*').expect(200);
    await eventually(() => ttlIn(one) === 300_000, 'the first has its end');
  });

  it('an overridden policy is in force before an instance that starts later answers', async () => {
    const one = await instance('5m');
    await put(one, { ttl: '1m' });
    await one.close();
    const restarted = await instance('5m');
    expect(ttlIn(restarted)).toBe(60_000);
    await restarted.ask().get('/feeds/1').expect(200);
    const { body } = await restarted.ask().get('/cache/policies');
    expect(body[0]).toMatchObject({ declared: { ttl_ms: 300_000 }, override: { reached: 'fleet' } });
  });

  it('an overridden policy survives a deploy of another version that declares the same, and is ended by one that does not', async () => {
    const one = await instance('5m', { version: '1' });
    await put(one, { ttl: '1m' });
    const second = await instance('5m', { version: '2' });
    expect(ttlIn(second)).toBe(60_000);
    const third = await instance('10m', { version: '3' });
    expect(ttlIn(third)).toBe(600_000);
    await one.app.get(ObservedCache).tuning.refresh();
    expect(ttlIn(one)).toBe(300_000);
  });

  it('an overridden policy is not ended by a deploy that declares another field differently', async () => {
    const one = await instance('5m');
    await put(one, { staleWhileRevalidate: '30s' });
    const next = await instance('10m');
    expect(next.app.get(ObservedCache).tuning.report('feed:*').effective).toMatchObject({
      ttlMs: 600_000,
      staleWhileRevalidateMs: 30_000,
    });
  });

  it('an overridden policy ends if the bounds of a deploy do not allow it', async () => {
    const one = await instance('5m');
    await put(one, { ttl: '1h' });
    const next = await instance('5m', { tuning: { bounds: { 'feed:*': { maxTtl: '10m' } } } });
    expect(ttlIn(next)).toBe(300_000);
    await eventually(() => ttlIn(one) === 300_000, 'ended everywhere');
  });

  it('an overridden policy ends at its time in every process, and does not return after a restart', async () => {
    const [one, other] = [await process(), await process()];
    await one.tuning.override('feed:*', { ttl: '1m' }, { for: 3_000 });
    await eventually(() => other.tuning.policies().length === 1, 'the other has it');
    await eventually(() => one.tuning.policies().length + other.tuning.policies().length === 0, 'its end');
    expect((await process()).tuning.policies()).toEqual([]);
  });

  it('an overridden policy stays while Redis is unreachable; a write reports that only this process has it, and is shared later', async () => {
    const [one, other] = [await process(), await process()];
    await one.tuning.override('feed:*', { ttl: '1m' });
    await eventually(() => other.tuning.policies().length === 1, 'the other has it');
    redis.freeze();
    const report = await one.tuning.override('user:*', { ttl: '2m' });
    expect(report.override).toMatchObject({ reached: 'process', values: { ttlMs: 120_000 } });
    expect(one.tuning.report('feed:*').effective.ttlMs).toBe(60_000);
    redis.resume();
    await eventually(async () => {
      await one.tuning.refresh();
      return one.tuning.report('user:*').override?.reached === 'fleet';
    }, 'it is shared');
    await eventually(() => other.tuning.policies().length === 2, 'the other has both');
    expect(logged).toEqual(expect.arrayContaining(['POLICY_NOT_SHARED', 'POLICY_SHARED']));
  }, 20_000);

  it('an overridden policy is written again after Redis has lost its data', async () => {
    const one = await process();
    await one.tuning.override('feed:*', { ttl: '1m' });
    await (await redis.client()).flushAll();
    await one.tuning.refresh();
    expect((await process()).tuning.policies()).toMatchObject([{ pattern: 'feed:*', effective: { ttlMs: 60_000 } }]);
  });

  it('an overridden policy is the latest if two processes override the same pattern', async () => {
    const [one, other] = [await process(), await process()];
    await Promise.all([one.tuning.override('feed:*', { ttl: '1m' }), other.tuning.override('feed:*', { ttl: '2m' })]);
    await one.tuning.override('feed:*', { ttl: '3m' });
    await eventually(
      () => [one, other].every(({ tuning }) => tuning.report('feed:*').effective.ttlMs === 180_000),
      'both have the last',
      // A process that misses a message reads again after 15 seconds.
      20_000,
    );
  }, 40_000);

  it.each([
    ['text', 'not JSON'],
    ['another value', '[1]'],
    ['a long text', JSON.stringify({ pattern: 'x'.repeat(100_000) })],
    ['a record of another slot', 'RECORD'],
    ['a record of the future', 'FUTURE'],
    ['an invalid policy', 'BAD'],
  ])('an overridden policy ignores a foreign record: %s', async (_, written) => {
    const one = await process();
    await one.tuning.override('feed:*', { ttl: '1m' });
    const client = await redis.client();
    const key = (await client.keys('*sharedMap:policies:*'))[0]!;
    const record = JSON.parse((await client.get(key))!) as Record<string, unknown>;
    const forged: Record<string, [string, string]> = {
      RECORD: [`${key.slice(0, -3)}abc`, JSON.stringify(record)],
      FUTURE: [key, JSON.stringify({ ...record, setAt: 8e15, change: { ttl: 1 } })],
      BAD: [key, JSON.stringify({ ...record, setAt: (record['setAt'] as number) + 9, change: { ttl: -1, tags: 'x' } })],
    };
    const [at, text] = forged[written] ?? [key, written];
    await client.set(at, text);
    await client.sAdd(key.slice(0, key.lastIndexOf(':')), at.slice(at.lastIndexOf(':') + 1));
    await one.tuning.refresh();
    expect(one.tuning.policies()).toMatchObject([{ pattern: 'feed:*', effective: { ttlMs: 60_000 } }]);
    await one.getOrSet('feed:1', () => 1);
    expect(await one.get('feed:1')).toBe(1);
    if (_ !== 'a record of another slot') expect(logged).toContain('POLICY_REFUSED');
  });
});
