// What does a hit cost inside the process, compared with an awaited Map.get and with other caches? Nanoseconds, for an
// object of 1 KB.
import { createObservedCache, memoryLayer } from 'nestjs-cache-observability';
import { BentoCache, bentostore } from 'bentocache';
import { memoryDriver } from 'bentocache/drivers/memory';
import { Cacheable } from 'cacheable';
import { createCache as createDedupe } from 'async-cache-dedupe';
import { createCache } from 'cache-manager';
import { interleave, nanoseconds, ratio, round } from '../harness.mjs';

export const title = 'In process: a hit on a 1 KB object, counted and timed';
export const header = ['what', 'ns (median)', 'quartiles', '× awaited Map.get'];

const value = {
  id: 1,
  items: Array.from({ length: 9 }, (_, id) => ({
    id,
    name: `Product number ${id}`,
    price: id * 1.25,
    tags: ['new', `t${id}`],
  })),
};

// Metrics cost the difference between `getOrSet` and `getOrSet, no metrics` per hit, about 50 ns. That is 0.1 % of a hit
// over HTTP (40 to 100 µs of CPU, bench/questions/http.mjs), too little to show in requests per second, so it is measured
// here. `tracing without SDK` adds nothing: hits in memory have no span.
export async function measure({ short, progress }) {
  const load = () => value;
  const ours = createObservedCache({ layers: [memoryLayer({ maxEntries: 10_000 })], ttl: '1h' });
  const silent = createObservedCache({ layers: [memoryLayer({ maxEntries: 10_000 })], ttl: '1h', metrics: false });
  const traced = createObservedCache({ layers: [memoryLayer({ maxEntries: 10_000 })], ttl: '1h', tracing: true });
  const map = new Map([['product:1', value]]);
  const manager = createCache({ ttl: 3_600_000 });
  const bento = new BentoCache({
    default: 'memory',
    stores: { memory: bentostore().useL1Layer(memoryDriver({ maxItems: 10_000, serialize: false })) },
  });
  const cacheable = new Cacheable({ ttl: 3_600_000 });
  const dedupe = createDedupe({ ttl: 3600, storage: { type: 'memory' } });
  dedupe.define('product', async () => value);

  const keys = Array.from({ length: 100 }, (_, index) => `batch:${index}`);
  for (const cache of [ours, silent, traced]) {
    await cache.getOrSet('product:1', load);
    await cache.mset(keys.map((key) => ({ key, value })));
  }
  const each = (call) => async (count) => {
    for (let turn = 0; turn < count; turn++) await call();
  };
  const candidates = [
    ['awaited Map.get', each(async () => map.get('product:1'))],
    ['ours: getOrSet', each(() => ours.getOrSet('product:1', load))],
    ['ours: getOrSet, no metrics', each(() => silent.getOrSet('product:1', load))],
    ['ours: getOrSet, tracing without SDK', each(() => traced.getOrSet('product:1', load))],
    ['ours: get', each(() => ours.get('product:1'))],
    [
      'ours: peek (synchronous)',
      (count) => {
        for (let turn = 0; turn < count; turn++) ours.peek('product:1');
      },
    ],
    [
      'ours: mget of 100, per key',
      async (count) => {
        for (let turn = 0; turn < count; turn += 100) await ours.mget(keys);
      },
    ],
    ['async-cache-dedupe', each(() => dedupe.product('1'))],
    ['cache-manager: wrap', each(() => manager.wrap('product:1', load))],
    ['bentocache: getOrSet, no serialiser', each(() => bento.getOrSet({ key: 'product:1', ttl: '1h', factory: load }))],
    ['cacheable: getOrSet', each(() => cacheable.getOrSet('product:1', async () => value, { ttl: '1h' }))],
  ];
  const results = await interleave(
    candidates.map(([name, run]) => ({ name, run: () => nanoseconds(run, short ? 30 : 120) })),
    { rounds: short ? 4 : 9, progress },
  );
  const rows = candidates.map(([name]) => {
    const { median, low, high } = results.get(name);
    return [
      name,
      Math.round(median),
      `${Math.round(low)}–${Math.round(high)}`,
      round(ratio(results, name, 'awaited Map.get').median, 1),
    ];
  });
  const faster = (peer) => ratio(results, peer, 'ours: getOrSet').median;
  await Promise.all([
    ours.disconnect(),
    silent.disconnect(),
    traced.disconnect(),
    bento.disconnectAll(),
    cacheable.disconnect(),
    manager.disconnect(),
  ]);
  return {
    rows,
    gates: [
      { name: 'faster than bentocache', value: faster('bentocache: getOrSet, no serialiser'), atLeast: 5 },
      { name: 'faster than cacheable', value: faster('cacheable: getOrSet'), atLeast: 5 },
      { name: 'faster than async-cache-dedupe', value: faster('async-cache-dedupe'), atLeast: 1 },
    ],
    data: Object.fromEntries(results),
  };
}
