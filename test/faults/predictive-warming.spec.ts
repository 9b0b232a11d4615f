import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import {
  Cached,
  CacheObservabilityModule,
  CacheWarmer,
  memoryLayer,
  ObservedCache,
  redisLayer,
} from '../../lib/index.js';
import { AskedKeys } from '../../lib/warming/predictive/asked-keys.js';
import { boot, closeApps, type Platform, platforms } from '../support/apps.js';
import { RedisServer } from '../support/redis.js';

const IDS = Array.from({ length: 20 }, (_, id) => id);
const KEYS = IDS.map((id) => `seller:Sellers.find(${id})`);

let loads: number[] = [];

@Injectable()
class Sellers {
  @Cached('seller:*', { ttl: '1h' })
  async find(id: number): Promise<object> {
    loads.push(id);
    return { id };
  }
}

/** The state after two days of requests at every time of the day. */
function learned(): Uint8Array {
  const asked = new AskedKeys();
  for (let quarter = 0; quarter < 2 * 96; quarter++) {
    for (const key of KEYS) asked.asked(key);
    asked.end(quarter, true);
  }
  return asked.bytes();
}

describe.each(platforms)('warming by the clock in a fleet (%s)', (platform: Platform) => {
  let redis: RedisServer;
  beforeEach(async () => {
    redis = await RedisServer.start();
    loads = [];
  }, 20_000);
  afterEach(async () => {
    redis.resume();
    await closeApps();
    await redis.dispose();
  });

  const instance = async () => {
    const { app } = await boot(platform, {
      imports: [
        CacheObservabilityModule.forRoot({
          namespace: 'shop',
          layers: [memoryLayer(), redisLayer({ url: redis.url, deadline: 200 })],
          prometheus: false,
          warming: { predictive: true, warmStart: false },
        }),
      ],
      providers: [Sellers],
    });
    return { cache: app.get(ObservedCache), warmer: app.get(CacheWarmer) };
  };
  const learnedFleet = async () => {
    const first = await instance();
    await first.cache.layers[1]!.sharedMap!('asked-keys', true).publish('latest', learned(), 60_000);
    return [await instance(), await instance()] as const;
  };

  it('one instance loads the keys that will be requested, and the others find them in Redis', async () => {
    const [one, other] = await learnedFleet();
    await Promise.all([one.warmer.warm('predictive'), other.warmer.warm('predictive')]);
    await other.warmer.warm('predictive');
    expect(loads.toSorted((a, b) => a - b)).toEqual(IDS);
    expect((await other.cache.freshKeys(KEYS)).size).toBe(KEYS.length);
  }, 30_000);

  it.each(['killed', 'frozen'] as const)(
    'each instance warms its own memory while Redis is %s',
    async (how) => {
      const [one, other] = await learnedFleet();
      if (how === 'killed') await redis.kill();
      else redis.freeze();
      for (const { warmer } of [one, other]) await warmer.warm('predictive');
      expect(loads).toHaveLength(2 * IDS.length);
      const app = one.cache;
      expect((await Promise.all(KEYS.map((key) => app.get(key)))).every((value) => value !== undefined)).toBe(true);
    },
    40_000,
  );
});
