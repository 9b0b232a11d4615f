// Which entries should stay if memory is too small for all? Compares hits, and the load time that hits save, by eviction
// policy and with other caches in memory. Workloads are generated from a seed; TRACES names a folder of real traces:
// TRACES=… npm run bench -- eviction
import { createObservedCache, memoryLayer } from 'nestjs-cache-observability';
import { CacheableMemory } from '@cacheable/memory';
import { SieveCache } from '@neophi/sieve-cache';
import { LRUCache } from 'lru-cache';
import QuickLRU from 'quick-lru';
import transitory from 'transitory';
import { generated, lognormal, randomOf, traces } from '../workloads.mjs';

export const title = 'Eviction: hits / load time saved, by policy, in percent';

/** The bytes of an entry without its value, added to the size for caches that get sizes from the application. */
const BESIDE_VALUE = 350;
/** Values of all sizes are parts of this text. */
const TEXT = 'x'.repeat(1_000_000);

const ours = (eviction) => ({
  name: `ours, ${eviction}`,
  make: ({ entries, bytes }) => {
    let now = 0;
    const cache = createObservedCache({
      ttl: 0,
      metrics: false,
      clock: { now: () => now, after: () => () => {} },
      layers: [
        memoryLayer({
          eviction,
          ...(entries && { maxEntries: entries, maxBytes: 2 ** 40 }),
          ...(bytes && { maxBytes: bytes }),
        }),
      ],
    });
    return async (key, size, ms) => {
      let loaded = false;
      await cache.getOrSet(key, () => {
        loaded = true;
        now += ms;
        return TEXT.slice(0, size);
      });
      return !loaded;
    };
  },
});

/** @param make creates a cache with `get` and `set` for the bounds; returns undefined if the cache has no such bound. */
const peer = (name, make) => ({
  name,
  make: (bounds) => {
    const cache = make(bounds);
    if (cache === undefined) return undefined;
    return (key, size) => {
      if (cache.get(key) !== undefined) return true;
      cache.set(key, { size: size + BESIDE_VALUE });
      return false;
    };
  },
});

const CANDIDATES = [
  ours('worth'),
  ours('lru'),
  peer('lru-cache', ({ entries, bytes }) =>
    entries ? new LRUCache({ max: entries }) : new LRUCache({ maxSize: bytes, sizeCalculation: ({ size }) => size }),
  ),
  peer('transitory', ({ entries, bytes }) => {
    const builder = transitory.newCache();
    const cache = (
      entries ? builder.maxSize(entries) : builder.maxSize(bytes).withWeigher((_, { size }) => size)
    ).build();
    return { get: (key) => cache.getIfPresent(key) ?? undefined, set: (key, value) => cache.set(key, value) };
  }),
  peer('quick-lru', ({ entries }) => entries && new QuickLRU({ maxSize: entries })),
  peer('sieve-cache', ({ entries }) => entries && new SieveCache(entries)),
  peer('@cacheable/memory', ({ entries }) => entries && new CacheableMemory({ lruSize: entries, useClone: false })),
];

export const header = ['workload', 'room', ...CANDIDATES.map(({ name }) => name)];

export async function measure({ short, progress }) {
  const { TRACES } = process.env;
  const workloads = [...generated(short ? 150_000 : 300_000), ...(TRACES ? traces(TRACES) : [])];
  const rows = [];
  const data = [];
  for (const workload of workloads) {
    for (const bounds of boundsOf(workload)) {
      const room = bounds.entries ? `${bounds.entries} entries` : `${(bounds.bytes / 2 ** 20).toFixed(1)} MB`;
      const results = [];
      for (const { name, make } of CANDIDATES) {
        progress(`${workload.name}, ${room}: ${name}`);
        const ask = make(bounds);
        results.push(ask === undefined ? undefined : await replay(workload, ask));
      }
      rows.push([workload.name, room, ...results.map((one) => (one === undefined ? '–' : shown(one)))]);
      data.push({
        workload: workload.name,
        ...bounds,
        results: CANDIDATES.map(({ name }, at) => ({ name, ...results[at] })),
      });
    }
  }
  const overLru = (of, figure) => data.filter(of).map(({ results: [worth, lru] }) => worth[figure] - lru[figure]);
  const byEntries = overLru(({ entries }) => entries, 'saved');
  const byBytes = overLru(({ bytes }) => bytes, 'saved');
  rows.push(['points over LRU, mean (worst)', 'entries: time saved', meanAndWorst(byEntries), ...empty(6)]);
  rows.push(['', 'bytes: time saved', meanAndWorst(byBytes), ...empty(6)]);
  const gates = [
    { name: 'worth over LRU, bounded by entries, points of time saved, mean', value: mean(byEntries), atLeast: 4 },
    { name: 'worth over LRU, bounded by bytes, points of time saved, mean', value: mean(byBytes), atLeast: 8 },
    {
      name: 'worth over LRU, bounded by bytes, points of time saved, worst',
      value: Math.min(...byBytes),
      atLeast: -2.5,
    },
  ];
  return { rows, gates, data };
}

/** The memory sizes to compare: a tenth of the keys, and a twentieth and a tenth of their bytes if that is 4 MB or more. */
function boundsOf({ keys, bytes }) {
  const asked = new Set(keys);
  let footprint = 0;
  for (const key of asked) footprint += bytes[key] + BESIDE_VALUE;
  const some = [Math.round(footprint / 20), Math.round(footprint / 10)];
  return [
    { entries: Math.round(asked.size / 10) },
    ...some.filter((one) => one >= 4_000_000).map((one) => ({ bytes: one })),
  ];
}

/** Returns the share of requests that were hits, and the share of load time that these hits saved, in percent. */
async function replay({ keys, bytes, ms }, ask) {
  // Loads of one key differ in duration.
  const random = randomOf(99);
  let hits = 0;
  let saved = 0;
  let all = 0;
  for (const key of keys) {
    all += ms[key];
    const answer = ask(`item:${key}`, bytes[key], lognormal(random, ms[key], 0.3));
    if (typeof answer === 'boolean' ? answer : await answer) {
      hits++;
      saved += ms[key];
    }
  }
  return { hits: (100 * hits) / keys.length, saved: (100 * saved) / all };
}

const shown = ({ hits, saved }) => `${hits.toFixed(1)} / ${saved.toFixed(1)}`;
const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
const meanAndWorst = (values) => `${signed(mean(values))} (${signed(Math.min(...values))})`;
const signed = (value) => `${value < 0 ? '' : '+'}${value.toFixed(1)}`;
const empty = (count) => Array.from({ length: count }, () => '');
