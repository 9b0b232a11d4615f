// A thousand callers request one cold key at once: how often is the origin called, and how long does the last caller
// wait?
import { createObservedCache, memoryLayer } from 'nestjs-cache-observability';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createCache } from 'cache-manager';
import { round, summary } from '../harness.mjs';
import { startRedis } from '../redis-server.mjs';

export const title = 'Stampede: 1,000 concurrent callers of a cold key, an origin of 50 ms';
export const header = ['what', 'origin calls', 'last caller, ms', 'after the load, ms'];

const ORIGIN_MS = 50;

async function stampede(call) {
  let loads = 0;
  let loaded;
  const load = async () => {
    loads++;
    await new Promise((resolve) => setTimeout(resolve, ORIGIN_MS));
    loaded = performance.now();
    return { answer: 42 };
  };
  const started = performance.now();
  await Promise.all(Array.from({ length: 1000 }, () => call(load)));
  const last = performance.now();
  return { loads, last: last - started, after: last - loaded };
}

/** Four processes with 250 callers each, and a lock in Redis: the calls of the origin, and the wait of the last caller. */
async function overProcesses(rounds) {
  const redis = await startRedis();
  const script = new URL('../stampede-process.mjs', import.meta.url).pathname;
  const children = Array.from({ length: 4 }, () => fork(script, [redis.url]));
  try {
    await Promise.all(children.map((child) => once(child, 'message')));
    const turns = [];
    for (let turn = 0; turn < rounds; turn++) {
      const answers = children.map((child) => once(child, 'message'));
      for (const child of children) child.send({ key: `cold:${turn}`, callers: 250 });
      const results = (await Promise.all(answers)).map(([result]) => result);
      const last = Math.max(...results.map((result) => result.last));
      turns.push({
        loads: results.reduce((sum, result) => sum + result.loads, 0),
        last: last - Math.min(...results.map(({ started }) => started)),
        after: last - Math.max(...results.map(({ loaded = 0 }) => loaded)),
      });
    }
    const median = (field) => summary(turns.map((turn) => turn[field])).median;
    return { loads: Math.max(...turns.map(({ loads }) => loads)), last: median('last'), after: median('after') };
  } finally {
    for (const child of children) child.disconnect();
    redis.stop();
  }
}

export async function measure({ short }) {
  const ours = createObservedCache({ layers: [memoryLayer()], ttl: '1h' });
  const manager = createCache({ ttl: 3_600_000 });
  const results = [
    ['ours: getOrSet', await stampede((load) => ours.getOrSet('cold', load))],
    ['cache-manager: wrap', await stampede((load) => manager.wrap('cold', load))],
    [
      'cache-manager: get, then set (as its interceptor does)',
      await stampede(async (load) => {
        const found = await manager.get('other');
        if (found !== undefined) return found;
        const value = await load();
        await manager.set('other', value);
        return value;
      }),
    ],
  ];
  results.splice(1, 0, ['ours: getOrSet with `lock`, four processes of 250', await overProcesses(short ? 3 : 15)]);
  await Promise.all([ours.disconnect(), manager.disconnect()]);
  return {
    rows: results.map(([name, { loads, last, after }]) => [name, loads, round(last, 0), round(after, 1)]),
    gates: [
      { name: 'one origin call', value: 1 / results[0][1].loads, atLeast: 1 },
      { name: 'one origin call over four processes', value: 1 / results[1][1].loads, atLeast: 1 },
    ],
  };
}
