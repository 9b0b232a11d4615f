// What does the library cost over Redis? Reads, batches, warming and invalidation compared with bare node-redis 5 and
// cache-manager.
import { createObservedCache, memoryLayer, redisLayer } from 'nestjs-cache-observability';
import { createClient } from '@redis/client';
import { createKeyv } from '@keyv/redis';
import { createCache } from 'cache-manager';
import { interleave, ratio, round, summary } from '../harness.mjs';
import { startRedis } from '../redis-server.mjs';

export const title = 'Redis: milliseconds per job, compared with bare node-redis 5';
export const header = ['job', 'what', 'ms (median)', 'quartiles', '× bare'];

const value = { text: 'x'.repeat(700), items: Array.from({ length: 10 }, (_, id) => ({ id, price: id * 1.25 })) };
const text = JSON.stringify(value);
const KEYS = Array.from({ length: 1000 }, (_, index) => `k:${index}`);

/** Rounds that do not count, in which the code is compiled. */
const WARM_UP = 3;

const timed = (job) => async () => {
  const started = performance.now();
  await job();
  return performance.now() - started;
};

export async function measure({ short, progress }) {
  const redis = await startRedis();
  const bare = await createClient({ url: redis.url }).connect();
  const ours = createObservedCache({ layers: [redisLayer({ url: redis.url })], ttl: '1h' });
  const both = createObservedCache({
    layers: [memoryLayer(), redisLayer({ url: redis.url })],
    ttl: '1h',
    namespace: 'both',
  });
  await Promise.all([ours.connect(), both.connect()]);
  const manager = createCache({ stores: [createKeyv(redis.url)], ttl: 3_600_000 });
  const rows = [];
  const gates = [];
  const job = async (name, candidates, limits = {}) => {
    for (let turn = 0; turn < WARM_UP; turn++) for (const run of Object.values(candidates)) await run();
    const results = await interleave(
      Object.entries(candidates).map(([what, run]) => ({ name: what, run: timed(run) })),
      { rounds: short ? 7 : 21, progress: (step) => progress(`${name}, ${step}`) },
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
    for (const [against, atLeast] of Object.entries(limits)) {
      gates.push({ name: `${name}: ${against} / ours`, value: ratio(results, against, 'ours').median, atLeast });
    }
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
      { bare: 0.12 },
    );
    await job(
      'one batch of 1,000',
      {
        bare: async () => (await bare.mGet(KEYS.map((key) => `bare:${key}`))).map((found) => JSON.parse(found)),
        ours: () => ours.mget(KEYS),
        'cache-manager, @keyv/redis': () => manager.mget(KEYS.map((key) => `m:${key}`)),
      },
      { bare: 0.35 },
    );
    const entries = KEYS.map((key) => ({ key, value }));
    await job(
      'write 1,000 × 1 KB',
      {
        bare: async () => {
          const pipeline = bare.multi();
          for (const key of KEYS) pipeline.set(`bare:${key}`, JSON.stringify(value), { PX: 3_600_000 });
          await pipeline.execAsPipeline();
        },
        ours: () => ours.mset(entries),
        // The work of CacheWarmer.warmBatch().
        'ours, setMany': () => ours.setMany(entries),
        'ours, setMany, memory in front': () => both.setMany(entries),
        'ours, one by one': async () => {
          for (const key of KEYS) await ours.set(key, value);
        },
        'cache-manager, mset': () => manager.mset(KEYS.map((key) => ({ key: `m:${key}`, value }))),
        'cache-manager, one by one': async () => {
          for (const key of KEYS) await manager.set(`m:${key}`, value);
        },
      },
      { bare: 0.35, 'ours, one by one': 4 },
    );
    if (!short) {
      await globs(bare, ours, rows, gates);
      await tags(ours, rows, gates);
    }
  } finally {
    await Promise.allSettled([ours.disconnect(), both.disconnect(), manager.disconnect(), bare.close()]);
    redis.stop();
  }
  return { rows, gates };
}

/** How long a glob takes that removes a tenth of the keys, and the longest time that one step of it blocks the server. */
async function globs(bare, ours, rows, gates) {
  await bare.configSet({ 'slowlog-log-slower-than': '0', 'slowlog-max-len': '10000' });
  const took = [];
  const longest = [];
  for (let turn = 0; turn < 5; turn++) {
    for (let from = 0; from < 100_000; from += 2_000) {
      await ours.mset(
        Array.from({ length: 2_000 }, (_, index) => {
          const id = from + index;
          return { key: id % 10 === 0 ? `gone:${id}` : `kept:${id}`, value: { id } };
        }),
      );
    }
    await bare.sendCommand(['SLOWLOG', 'RESET']);
    const started = performance.now();
    const removed = await ours.deleteByPattern('gone:*');
    took.push(performance.now() - started);
    if (removed !== 10_000) throw new Error(`removed ${removed} of 10,000`);
    const steps = await bare.sendCommand(['SLOWLOG', 'GET', '-1']);
    longest.push(Math.max(...steps.map(([, , micros]) => micros)) / 1_000);
  }
  await bare.configSet({ 'slowlog-log-slower-than': '10000' });
  rows.push(plainRow('glob, 10,000 among 100,000', 'ours', took));
  rows.push(plainRow('glob, 10,000 among 100,000', 'longest step of the server', longest));
  gates.push({
    name: 'glob: 5 ms / longest step of the server',
    value: 5 / summary(longest).median,
    atLeast: 1,
  });
}

/** How long it takes to invalidate a tag of few and of many entries. */
async function tags(ours, rows, gates) {
  const took = new Map([10, 10_000].map((members) => [members, []]));
  for (let turn = 0; turn < 40; turn++) {
    for (const [members, samples] of took) {
      if (turn % 20 === 0) {
        const entries = Array.from({ length: members }, (_, id) => ({ key: `tagged:${members}:${id}`, value: id }));
        await ours.setMany(entries.map((entry) => ({ ...entry, tags: [`of ${members}`] })));
      }
      const started = performance.now();
      await ours.invalidateTags(`of ${members}`);
      samples.push(performance.now() - started);
    }
  }
  for (const [members, samples] of took) rows.push(plainRow(`tag of ${members.toLocaleString('en')}`, 'ours', samples));
  const [few, many] = [...took.values()].map((samples) => summary(samples).median);
  gates.push({ name: 'tag: few entries / many', value: few / many, atLeast: 0.5 });
}

function plainRow(job, what, samples) {
  const { median, low, high } = summary(samples);
  return [job, what, round(median), `${round(low)}–${round(high)}`, '–'];
}
