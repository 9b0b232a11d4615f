import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { getHeapStatistics } from 'node:v8';
import { bytesIn } from '../../../lib/cache/base/bytes.js';
import type { CacheLog } from '../../../lib/cache/base/cache-log.js';
import { encodedAnswer } from '../../../lib/caching/http/encoded-answer.js';
import {
  createObservedCache,
  memoryLayer,
  type MemoryLayerOptions,
  type ObservedCache,
  prometheusText,
} from '../../../lib/index.js';
import { entryOf } from '../../support/entries.js';
import { layerContext } from '../../support/layer-context.js';
import { ManualClock } from '../../support/manual-clock.js';
import { ScriptedLayer, SharedServer } from '../../support/scripted-layer.js';

const KILOBYTE = 1_024;
const MEGABYTE = KILOBYTE ** 2;

let cache: ObservedCache | undefined;
afterEach(async () => {
  await cache?.disconnect();
  cache = undefined;
});

const bytes = (): number => cache!.layers[0]!.status().bytes!;
const evictedBy = (reason: string): number => {
  const sample = `cache_evictions_total{layer="memory",reason="${reason}"} `;
  const line = prometheusText(cache!.metrics)
    .split('\n')
    .find((one) => one.startsWith(sample));
  return Number(line?.slice(sample.length) ?? 0);
};

describe('the bound in bytes', () => {
  it('the bound in bytes is 64 MB by default, or a tenth of a small heap', async () => {
    cache = createObservedCache();
    const bound = Math.min(64 * MEGABYTE, getHeapStatistics().heap_size_limit / 10);
    const text = 'x'.repeat(62 * KILOBYTE);
    for (let n = 0; n < 1_500; n++) await cache.set(`page:${n}`, Buffer.from(text));
    expect(bytes()).toBeLessThanOrEqual(bound);
    expect(bytes()).toBeGreaterThan(0.9 * bound);
    expect(evictedBy('capacity')).toBe(1_500 - cache.layers[0]!.status().entries!);
  });

  it('the bound in bytes applies in addition to maxEntries', async () => {
    cache = createObservedCache({ layers: [memoryLayer({ maxEntries: 100_000 })] });
    for (let n = 0; n < 80; n++) await cache.set(`page:${n}`, Buffer.alloc(MEGABYTE));
    expect(bytes()).toBeLessThanOrEqual(64 * MEGABYTE);
  });

  it.each([
    ['1000b', 1_000],
    ['500kb', 500 * KILOBYTE],
    ['64mb', 64 * MEGABYTE],
    [' 1.5 GB ', 1.5 * 1_024 * MEGABYTE],
    [123, 123],
  ])('the bound in bytes may be written as %p', (written, meant) => {
    expect(bytesIn(written)).toBe(meant);
  });

  it('the bound in bytes includes the encoded responses', () => {
    const layer = memoryLayer({ maxBytes: 100 * KILOBYTE }).create(layerContext());
    const value = { text: 'y'.repeat(4 * KILOBYTE) };
    for (let n = 0; n < 20; n++) void layer.set(`page:${n}`, entryOf(value));
    const before = layer.status();
    expect(before.entries).toBe(20);
    const first = layer.get('page:0') as ReturnType<typeof entryOf>;
    encodedAnswer(first);
    expect(layer.status().bytes! - before.bytes!).toBeGreaterThan(4 * KILOBYTE);
    encodedAnswer(first);
    for (let n = 19; n > 0; n--) {
      const entry = layer.get(`page:${n}`) as ReturnType<typeof entryOf> | undefined;
      if (entry !== undefined) encodedAnswer(entry);
      expect(layer.status().bytes).toBeLessThanOrEqual(100 * KILOBYTE);
    }
    expect(layer.status().entries).toBeLessThan(20);
    for (let n = 0; n < 20; n++) void layer.delete(`page:${n}`);
    expect(layer.status()).toMatchObject({ entries: 0, bytes: 0 });
  });

  it('an encoded response larger than the bound is dropped, and the request still answered', () => {
    const layer = memoryLayer({ maxBytes: 10 * KILOBYTE }).create(layerContext());
    void layer.set('page', entryOf({ text: '"'.repeat(900) }));
    const entry = layer.get('page') as ReturnType<typeof entryOf>;
    const large = { ...entryOf({ text: '"'.repeat(9 * KILOBYTE) }) };
    expect(encodedAnswer(entry, large.value)!.text).toHaveLength(18 * KILOBYTE + 11);
    expect(entry.derived).toBeUndefined();
    expect(layer.status().entries).toBe(1);
  });
});

describe('a value larger than a tenth of the bound', () => {
  const large = 'x'.repeat(20 * KILOBYTE);
  const make = (policy = {}, layers = [memoryLayer({ maxBytes: 100 * KILOBYTE } as MemoryLayerOptions)]) => {
    const log = jest.fn<CacheLog>();
    cache = createObservedCache({ layers, policy, log, namespace: 'test' });
    return log;
  };

  it('a large value is not stored, and is counted and logged once', async () => {
    const log = make();
    expect(await cache!.getOrSet('large', () => large)).toBe(large);
    await cache!.set('large', large);
    expect(cache!.peek('large')).toBeUndefined();
    expect(evictedBy('size')).toBe(2);
    expect(log).toHaveBeenCalledTimes(1);
    expect(log.mock.calls[0]!.slice(0, 2)).toEqual(['warn', 'ENTRY_TOO_LARGE']);
    expect(log.mock.calls[0]![2]).toMatch(/0\.02 MB .*maxBytes \(0\.098 MB\).*maxEntrySize/);
  });

  it('a large value evicts nothing, and removes the entry that it was to replace', async () => {
    make();
    await cache!.set('small', 1);
    await cache!.set('key', 'small');
    await cache!.set('key', large);
    expect(cache!.peek('key')).toBeUndefined();
    expect(cache!.peek('small')).toBe(1);
  });

  it('a large value is stored if maxEntrySize of the cache or of a call allows it', async () => {
    make({ maxEntrySize: 50 * KILOBYTE });
    await cache!.set('large', large);
    expect(cache!.peek('large')).toBe(large);
    await cache!.disconnect();
    make();
    await cache!.getOrSet('large', () => large, { maxEntrySize: 50 * KILOBYTE });
    expect(cache!.peek('large')).toBe(large);
  });

  it('a value above the bound is never stored', async () => {
    make({ maxEntrySize: MEGABYTE });
    await cache!.set('large', 'x'.repeat(200 * KILOBYTE));
    expect(cache!.peek('large')).toBeUndefined();
    expect(evictedBy('size')).toBe(1);
  });

  it('a large value is stored in a remote layer, and copied to memory only if maxEntrySize allows it', async () => {
    const server = new SharedServer();
    const layers = () => [memoryLayer({ maxBytes: 100 * KILOBYTE }), new ScriptedLayer('remote', server).factory()];
    make({}, layers());
    await cache!.set('large', large);
    expect(await cache!.get('large')).toBe(large);
    expect(cache!.peek('large')).toBeUndefined();
    expect(await cache!.getOrSet('large', () => 'loaded', { maxEntrySize: 50 * KILOBYTE })).toBe(large);
    expect(cache!.peek('large')).toBe(large);
    await cache!.disconnect();
    make({ maxEntrySize: 50 * KILOBYTE }, layers());
    expect(await cache!.get('large')).toBe(large);
    expect(cache!.peek('large')).toBe(large);
  });
});

describe('the worth of evicted entries', () => {
  const worth = (): number | undefined => {
    const line = prometheusText(cache!.metrics)
      .split('\n')
      .find((one) => one.startsWith('cache_evicted_worth{layer="memory"} '));
    return line === undefined ? undefined : Number(line.split(' ')[1]);
  };

  it('the worth of evicted entries is load time per megabyte and minute, and unknown before the first eviction', async () => {
    const clock = new ManualClock();
    cache = createObservedCache({ clock, ttl: 0, layers: [memoryLayer({ maxEntries: 4 })] });
    const load = async (key: string) => {
      const loading = cache!.getOrSet(key, async () => {
        await new Promise<void>((resolve) => clock.after(80, resolve));
        return 'x'.repeat(KILOBYTE);
      });
      await clock.advance(80);
      await loading;
    };
    for (const key of ['a', 'b', 'c', 'd']) await load(key);
    expect(worth()).toBeUndefined();
    await clock.advance(60_000);
    const size = bytes() / 4;
    await load('e');
    // A new entry counts as a quarter of a request at first; `a` was stored for a minute and the later loads.
    const minutes = (60_000 + 5 * 80) / 60_000;
    expect(worth()).toBeCloseTo(80 / 4 / (size / MEGABYTE) / minutes, 3);
  });

  it('the worth of evicted entries is unknown with least recently used', async () => {
    cache = createObservedCache({ layers: [memoryLayer({ maxEntries: 1, eviction: 'lru' })] });
    await cache.set('a', 1);
    await cache.set('b', 2);
    expect(evictedBy('capacity')).toBe(1);
    expect(worth()).toBeUndefined();
  });
});
