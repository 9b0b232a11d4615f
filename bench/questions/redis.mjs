// What does the library add to Redis? Reads, batches, warming and invalidation beside bare node-redis 5 and cache-manager.
import { createObservedCache, redisLayer } from 'nestjs-cache-observability';
import { createClient } from '@redis/client';
import { createKeyv } from '@keyv/redis';
import { createCache } from 'cache-manager';
import { interleave, ratio, round } from '../harness.mjs';
import { startRedis } from '../redis-server.mjs';

export const title = 'Redis: milliseconds a job, beside bare node-redis 5';
export const header = ['job', 'what', 'ms (median)', 'quartiles', '× bare'];

const value = { text: 'x'.repeat(700), items: Array.from({ length: 10 }, (_, id) => ({ id, price: id * 1.25 })) };
const text = JSON.stringify(value);
const KEYS = Array.from({ length: 1000 }, (_, index) => `k:${index}`);

const timed = (job) => async () => {
  const started = performance.now();
  await job();
  return performance.now() - started;
};

export async function measure({ short, progress }) {
  const redis = await startRedis();
  const bare = await createClient({ url: redis.url }).connect();
  const ours = createObservedCache({ layers: [redisLayer({ url: redis.url })], ttl: '1h' });
  await ours.connect();
  const manager = createCache({ stores: [createKeyv(redis.url)], ttl: 3_600_000 });
  const rows = [];
  const gates = [];
  const job = async (name, candidates, limit) => {
    const results = await interleave(
      Object.entries(candidates).map(([what, run]) => ({ name: what, run: timed(run) })),
      { rounds: short ? 5 : 15, progress: (step) => progress(`${name}, ${step}`) },
    );
    for (const what of Object.keys(candidates)) {
      const { median, low, high } = results.get(what);
      rows.push([
        name,
        what,
        round(median),
        `${round(low)}–${round(high)}`,
        round(ratio(results, what, 'bare').median),
      ]);
    }
    if (limit)
      gates.push({ name: `${name}: bare / ours`, value: 1 / ratio(results, 'ours', 'bare').median, atLeast: limit });
  };
  try {
    await Promise.all(KEYS.map((key) => bare.set(`bare:${key}`, text, { PX: 3_600_000 })));
    await ours.mset(KEYS.map((key) => ({ key, value })));
    await manager.mset(KEYS.map((key) => ({ key: `m:${key}`, value })));

    await job(
      '1,000 concurrent reads',
      {
        bare: () => Promise.all(KEYS.map(async (key) => JSON.parse(await bare.get(`bare:${key}`)))),
        ours: () => Promise.all(KEYS.map((key) => ours.get(key))),
        'cache-manager, @keyv/redis': () => Promise.all(KEYS.map((key) => manager.get(`m:${key}`))),
      },
      0.12,
    );
    await job('one batch of 1,000', {
      bare: async () => (await bare.mGet(KEYS.map((key) => `bare:${key}`))).map((found) => JSON.parse(found)),
      ours: () => ours.mget(KEYS),
      'cache-manager, @keyv/redis': () => manager.mget(KEYS.map((key) => `m:${key}`)),
    });
    await job('write 1,000 × 1 KB', {
      bare: async () => {
        const pipeline = bare.multi();
        for (const key of KEYS) pipeline.set(`bare:${key}`, JSON.stringify(value), { PX: 3_600_000 });
        await pipeline.execAsPipeline();
      },
      ours: () => ours.mset(KEYS.map((key) => ({ key, value }))),
      'ours, one by one': async () => {
        for (const key of KEYS) await ours.set(key, value);
      },
      'cache-manager, mset': () => manager.mset(KEYS.map((key) => ({ key: `m:${key}`, value }))),
      'cache-manager, one by one': async () => {
        for (const key of KEYS) await manager.set(`m:${key}`, value);
      },
    });
  } finally {
    await Promise.allSettled([ours.disconnect(), manager.disconnect(), bare.close()]);
    redis.stop();
  }
  return { rows, gates };
}
