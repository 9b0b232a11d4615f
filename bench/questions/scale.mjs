// Does it stay flat? The cost of a hit by entries and by patterns, memory of metrics and entries, rendering, pauses of the loop.
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { createObservedCache, memoryLayer, prometheusText } from 'nestjs-cache-observability';
import { nanoseconds, round, summary } from '../harness.mjs';

export const title = 'Scale: the cost of a hit, of memory and of a look';
export const header = ['what', 'figure'];

const filled = async (entries) => {
  const cache = createObservedCache({
    layers: [memoryLayer({ maxEntries: entries + 1, maxBytes: 2 ** 40 })],
    ttl: '1h',
  });
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

export async function measure({ short, progress }) {
  const rows = [];
  const hit = async (cache, keys) => {
    let turn = 0;
    const samples = [];
    for (let sample = 0; sample < (short ? 3 : 7); sample++) {
      samples.push(
        await nanoseconds(async (count) => {
          for (let call = 0; call < count; call++) await cache.get(keys[(turn = (turn + 1) % keys.length)]);
        }, 60),
      );
    }
    return summary(samples).median;
  };
  // The same hundred keys are asked whatever else is held, so that only the structures differ and not the processor's caches.
  const asked = Array.from({ length: 100 }, (_, index) => `item:${index}`);
  for (const entries of short ? [100, 100_000] : [100, 10_000, 1_000_000]) {
    progress(`${entries} entries`);
    const before = heap();
    const cache = await filled(entries);
    const after = heap();
    rows.push([`hit with ${entries.toLocaleString('en')} entries, ns`, Math.round(await hit(cache, asked))]);
    if (entries >= 10_000 && globalThis.gc)
      rows.push([
        `bytes an entry (key and number included), ${entries.toLocaleString('en')} entries`,
        Math.round((after - before) / entries),
      ]);
    await cache.disconnect();
  }
  for (const patterns of [1, 1000]) {
    progress(`${patterns} patterns`);
    const before = heap();
    const cache = createObservedCache({ layers: [memoryLayer()], ttl: '1h', metrics: { maxPatterns: 2000 } });
    const keys = Array.from({ length: Math.max(100, patterns) }, (_, index) =>
      `p${index % patterns}x:${index}`.replace(/\d+x/, (n) => `kind${alphabetic(n)}`),
    );
    await cache.mset(keys.map((key) => ({ key, value: 1 })));
    rows.push([`hit with ${patterns.toLocaleString('en')} patterns, ns`, Math.round(await hit(cache, keys))]);
    if (patterns === 1000) {
      if (globalThis.gc)
        rows.push(['memory of 1,000 patterns and their entries, MB', round((heap() - before) / 2 ** 20, 1)]);
      const delay = monitorEventLoopDelay({ resolution: 1 });
      delay.enable();
      const renders = [];
      for (let turn = 0; turn < 10; turn++) {
        await Promise.all(keys.map((key) => cache.get(key)));
        const started = performance.now();
        prometheusText(cache.metrics);
        renders.push(performance.now() - started);
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      delay.disable();
      rows.push(['scrape of 1,000 patterns, ms (median)', round(summary(renders).median)]);
      rows.push(['longest pause of the loop meanwhile, ms', round(delay.max / 1e6)]);
      const started = performance.now();
      cache.metrics.getAllPatternStats('24h');
      rows.push(['statistics of 1,000 patterns over 24 h, ms', round(performance.now() - started)]);
    }
    await cache.disconnect();
  }
  return { rows };
}

/** Letters only, so that the detection of patterns keeps every kind apart. */
function alphabetic(text) {
  return [...text].map((digit) => 'abcdefghij'[Number(digit)] ?? '').join('');
}
