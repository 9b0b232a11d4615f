// What do a miss and a set cost: in memory, and over memory and Redis with 64 callers? An awaited set is compared with a
// bare SET. Also counts the commands that the server runs for each, including those in scripts.
import { createObservedCache, memoryLayer, redisLayer } from 'nestjs-cache-observability';
import { createClient } from '@redis/client';
import { createKeyv } from '@keyv/redis';
import { BentoCache, bentostore } from 'bentocache';
import { memoryDriver } from 'bentocache/drivers/memory';
import { redisDriver } from 'bentocache/drivers/redis';
import { Cacheable } from 'cacheable';
import { createCache as createDedupe } from 'async-cache-dedupe';
import { Redis } from 'ioredis';
import { interleave, nanoseconds, ratio, round } from '../harness.mjs';
import { startRedis } from '../redis-server.mjs';

export const title = 'Misses and sets: microseconds each, and commands of the server';
export const header = ['what', 'who', 'µs (median)', 'quartiles', '× ours'];

const CALLERS = 64;
const ENTRIES = 10_000;
const small = { id: 1, name: 'x'.repeat(140), price: 12.5, tags: ['new', 't1'] };
const large = { text: 'x'.repeat(1_000) };

export async function measure({ short, progress }) {
  const redis = await startRedis();
  const bare = await createClient({ url: redis.url }).connect();
  const io = new Redis(redis.url);
  const memory = () => memoryLayer({ maxEntries: ENTRIES });
  const local = createObservedCache({ layers: [memory()], ttl: '1h' });
  const both = createObservedCache({
    layers: [memory(), redisLayer({ url: redis.url })],
    ttl: '1h',
    namespace: 'both',
  });
  const remote = createObservedCache({ layers: [redisLayer({ url: redis.url })], ttl: '1h', namespace: 'remote' });
  await Promise.all([both.connect(), remote.connect()]);
  const localBento = new BentoCache({
    default: 'cache',
    stores: { cache: bentostore().useL1Layer(memoryDriver({ maxItems: ENTRIES })) },
  });
  const bothBento = new BentoCache({
    default: 'cache',
    stores: {
      cache: bentostore()
        .useL1Layer(memoryDriver({ maxItems: ENTRIES }))
        .useL2Layer(redisDriver({ connection: io })),
    },
  });
  const localCacheable = new Cacheable({ ttl: 3_600_000 });
  const bothCacheable = new Cacheable({ secondary: createKeyv(redis.url), ttl: 3_600_000 });
  const dedupe = createDedupe({ ttl: 3_600, storage: { type: 'memory', options: { size: ENTRIES } } });
  dedupe.define('product', async () => small);

  let key = 0;
  const one = (call) => async (count) => {
    for (let turn = 0; turn < count; turn++) await call(`k:${key++}`);
  };
  const many = (call) => async (count) => {
    let left = count;
    const caller = async () => {
      while (left-- > 0) await call(`k:${key++}`);
    };
    await Promise.all(Array.from({ length: CALLERS }, caller));
  };
  const rows = [];
  const gates = [];
  const question = async (what, candidates, limits) => {
    const results = await interleave(
      Object.entries(candidates).map(([name, run]) => ({ name, run: () => nanoseconds(run, short ? 60 : 200) })),
      { rounds: short ? 6 : 15, progress: (step) => progress(`${what}, ${step}`) },
    );
    for (const name of Object.keys(candidates)) {
      const { median, low, high } = results.get(name);
      const times = round(ratio(results, name, 'ours').median);
      rows.push([what, name, round(median / 1e3), `${round(low / 1e3)}–${round(high / 1e3)}`, times]);
    }
    for (const [peer, atLeast] of Object.entries(limits)) {
      gates.push({ name: `${what}: ${peer} / ours`, value: ratio(results, peer, 'ours').median, atLeast });
    }
  };
  try {
    await question(
      'miss in memory',
      {
        ours: one((name) => local.getOrSet(name, () => small)),
        'async-cache-dedupe': one((name) => dedupe.product(name)),
        bentocache: one((name) => localBento.getOrSet({ key: name, ttl: '1h', factory: () => small })),
        cacheable: one((name) => localCacheable.getOrSet(name, async () => small, { ttl: '1h' })),
      },
      {},
    );
    await question(
      'set in memory',
      {
        ours: one((name) => local.set(name, small)),
        bentocache: one((name) => localBento.set({ key: name, value: small, ttl: '1h' })),
        cacheable: one((name) => localCacheable.set(name, small, '1h')),
      },
      {},
    );
    await question(
      `miss over memory and Redis, ${CALLERS} callers, 1 KB`,
      {
        ours: many((name) => both.getOrSet(name, () => large)),
        bentocache: many((name) => bothBento.getOrSet({ key: name, ttl: '1h', factory: () => large })),
        cacheable: many((name) => bothCacheable.getOrSet(name, async () => large, { ttl: '1h' })),
      },
      // These gates detect a regression, with a margin for a busy machine. The targets are 1.5 and 1.
      { bentocache: 0.8, cacheable: 0.45 },
    );
    const text = JSON.stringify(large);
    await question(
      'awaited set in Redis, 1 KB',
      {
        ours: one((name) => remote.set(name, large)),
        'bare SET': one((name) => bare.set(`bare:${name}`, text, { PX: 3_600_000 })),
      },
      // This gate detects a regression, too. The target is at most 1.6 times a bare SET, a ratio of 0.625.
      { 'bare SET': 0.15 },
    );
    for (const [what, limit, work] of [
      ['miss, one caller', undefined, one((name) => both.getOrSet(name, () => large))],
      [`miss, ${CALLERS} callers`, 3, many((name) => both.getOrSet(name, () => large))],
      ['set, one caller', 3, one((name) => remote.set(name, large))],
    ]) {
      const commands = round(await commandsOf(bare, work));
      rows.push([`commands of the server, ${what}`, 'ours', commands, '–', '–']);
      if (limit !== undefined)
        gates.push({ name: `commands: ${limit} / ${what}`, value: limit / commands, atLeast: 1 });
    }
  } finally {
    await Promise.allSettled([
      local.disconnect(),
      both.disconnect(),
      remote.disconnect(),
      localBento.disconnectAll(),
      bothBento.disconnectAll(),
      localCacheable.disconnect(),
      bothCacheable.disconnect(),
      bare.close(),
    ]);
    io.disconnect();
    redis.stop();
  }
  return { rows, gates };
}

/** How many commands the server runs per operation, including those in scripts, without the INFO of this measurement. */
async function commandsOf(bare, work) {
  const OPERATIONS = 2_000;
  await work(1);
  const before = await calls(bare);
  await work(OPERATIONS);
  // Unawaited writes.
  await new Promise((resolve) => setTimeout(resolve, 100));
  return ((await calls(bare)) - before) / OPERATIONS;
}

async function calls(bare) {
  let sum = 0;
  for (const [, name, count] of (await bare.info('commandstats')).matchAll(/cmdstat_(\S+?):calls=(\d+)/g)) {
    if (name !== 'info' && name !== 'ping') sum += Number(count);
  }
  return sum;
}
