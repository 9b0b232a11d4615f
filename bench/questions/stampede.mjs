// A thousand callers ask for one cold key at once: how often is the origin asked, and how long does the last one wait?
import { createObservedCache, memoryLayer } from 'nestjs-cache-observability';
import { createCache } from 'cache-manager';
import { round } from '../harness.mjs';

export const title = 'Stampede: 1,000 concurrent callers of a cold key, an origin of 50 ms';
export const header = ['what', 'origin calls', 'last caller, ms'];

const ORIGIN_MS = 50;

async function stampede(call) {
  let loads = 0;
  const load = async () => {
    loads++;
    await new Promise((resolve) => setTimeout(resolve, ORIGIN_MS));
    return { answer: 42 };
  };
  const started = performance.now();
  await Promise.all(Array.from({ length: 1000 }, () => call(load)));
  return { loads, last: performance.now() - started };
}

export async function measure() {
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
  await Promise.all([ours.disconnect(), manager.disconnect()]);
  return {
    rows: results.map(([name, { loads, last }]) => [name, loads, round(last, 0)]),
    gates: [{ name: 'one origin call', value: 1 / results[0][1].loads, atLeast: 1 }],
  };
}
