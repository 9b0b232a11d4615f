// Does the cost stay flat? The cost of a hit by entries and by patterns, memory of metrics and entries.
// bench/questions/reading.mjs measures reading.
import { createObservedCache, memoryLayer } from 'nestjs-cache-observability';
import { interleave, nanoseconds, round } from '../harness.mjs';

export const title = 'Scale: the cost of a hit and of memory';
export const header = ['what', 'figure'];

const emptyCache = () =>
  createObservedCache({ layers: [memoryLayer({ maxEntries: 1_000_001, maxBytes: 2 ** 40 })], ttl: '1h' });

const filled = async (entries, cache = emptyCache()) => {
  for (let from = 0; from < entries; from += 10_000) {
    const batch = [];
    for (let index = from; index < Math.min(entries, from + 10_000); index++)
      batch.push({ key: `item:${index}`, value: index });
    await cache.mset(batch);
  }
  return cache;
};

const heap = () => {
  globalThis.gc?.();
  globalThis.gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
};

/** The bytes of a key, without its place in the list. */
const bytesOfKey = (entries) => {
  const before = heap();
  const keys = Array.from({ length: entries }, (_, index) => `item:${index}`);
  return (heap() - before) / keys.length - 8;
};

export async function measure({ short, progress }) {
  const rows = [];
  const asking = (cache, keys) => {
    let turn = 0;
    return () =>
      nanoseconds(async (count) => {
        for (let call = 0; call < count; call++) await cache.get(keys[(turn = (turn + 1) % keys.length)]);
      }, 60);
  };
  const rounds = short ? 3 : 9;
  // A thousand keys in both cases, so that the look-up of the key costs the same and the difference is the cost of
  // patterns.
  const ofPatterns = [];
  let beforePatterns = 0;
  for (const patterns of [1, 1000]) {
    progress(`${patterns} patterns`);
    beforePatterns = heap();
    const cache = createObservedCache({ layers: [memoryLayer()], ttl: '1h', metrics: { maxPatterns: 2000 } });
    const keys = Array.from({ length: 1000 }, (_, index) => `kind${alphabetic(String(index % patterns))}:${index}`);
    await cache.mset(keys.map((key) => ({ key, value: 1 })));
    ofPatterns.push({ patterns, cache, keys });
  }
  const byPatterns = await interleave(
    ofPatterns.map(({ patterns, cache, keys }) => ({
      name: `hit with ${patterns.toLocaleString('en')} patterns, 1,000 keys, ns`,
      run: asking(cache, keys),
    })),
    { rounds, progress },
  );
  for (const [name, { median }] of byPatterns) rows.push([name, Math.round(median)]);
  for (const { patterns, cache } of ofPatterns) {
    if (patterns === 1000 && globalThis.gc) {
      rows.push(['memory of 1,000 patterns and their entries, MB', round((heap() - beforePatterns) / 2 ** 20, 1)]);
    }
    await cache.disconnect();
  }
  // Last, because the garbage of a million entries is collected during the next measurement. All caches are filled
  // before the first read, and read in turns, because the compiler favours the first one. The same hundred keys are
  // read for every size. The cost of an awaited Map of that size is shown too, because the table exceeds the
  // processor's caches.
  const asked = Array.from({ length: 100 }, (_, index) => `item:${index}`);
  const held = [];
  for (const entries of short ? [100, 100_000] : [100, 10_000, 1_000_000]) {
    progress(`${entries} entries`);
    const cache = await filled(1);
    const before = heap();
    await filled(entries, cache);
    const perEntry = (heap() - before) / entries;
    held.push({
      entries,
      cache,
      map: new Map(Array.from({ length: entries }, (_, index) => [`item:${index}`, { index }])),
    });
    if (entries >= 10_000 && globalThis.gc) {
      rows.push([
        `bytes an entry above its key and a number, ${entries.toLocaleString('en')} entries`,
        Math.round(perEntry - bytesOfKey(entries)),
      ]);
    }
  }
  const byEntries = await interleave(
    held.flatMap(({ entries, cache, map }) => [
      { name: `hit with ${entries.toLocaleString('en')} entries, ns`, run: asking(cache, asked) },
      {
        name: `an awaited Map.get of ${entries.toLocaleString('en')}, ns`,
        run: asking({ get: async (key) => map.get(key) }, asked),
      },
    ]),
    { rounds, progress },
  );
  for (const [name, { median }] of byEntries) rows.push([name, Math.round(median)]);
  for (const { cache } of held) await cache.disconnect();
  return { rows };
}

/** Letters only, so that the detection of patterns separates the kinds. */
function alphabetic(text) {
  return [...text].map((digit) => 'abcdefghij'[Number(digit)] ?? '').join('');
}
