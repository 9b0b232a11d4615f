import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { memoryLayer } from '../../lib/cache/layers/memory-layer.js';
import { redisLayer } from '../../lib/cache/layers/redis/redis-layer.js';
import { createObservedCache } from '../../lib/wiring/create-observed-cache.js';
import type { ObservedCache } from '../../lib/wiring/observed-cache.js';
import { heapInUse } from '../support/heap.js';
import { ManualClock } from '../support/manual-clock.js';
import { RedisServer } from '../support/redis.js';

const MINUTE = 60_000;
const MEBIBYTE = 1_024 * 1_024;
const MAX_QUEUE = 500;
const IN_MEMORY = 1_000;

describe('ten minutes without Redis, on a manual clock', () => {
  let clock: ManualClock;
  let server: RedisServer;
  let cache: ObservedCache;
  let visit = 0;
  beforeEach(async () => {
    clock = new ManualClock(Date.now());
    server = await RedisServer.start();
    cache = createObservedCache({
      clock,
      layers: [
        memoryLayer({ maxEntries: IN_MEMORY }),
        redisLayer({ url: server.url, writes: { maxQueue: MAX_QUEUE, drainWithin: 100 } }),
      ],
    });
    await cache.connect();
  });
  afterEach(async () => {
    server.resume();
    const closing = cache.disconnect();
    for (let turn = 0; turn < 20; turn++) await clock.advance(500);
    await closing;
    await server.dispose();
  });

  /** Every key is new and read once: the worst case for code that remembers keys. */
  async function traffic(forMs: number): Promise<number> {
    let wrong = 0;
    for (const until = clock.now() + forMs; clock.now() < until;) {
      const asked: Promise<unknown>[] = [];
      for (let turn = 0; turn < 40; turn++) {
        const key = `page:${visit++}`;
        asked.push(cache.getOrSet(key, () => `the page ${key}`).then((page) => page === `the page ${key}` || wrong++));
      }
      for (let turn = 0; turn < 10; turn++) asked.push(cache.del(`product:${visit++}`));
      asked.push(cache.set(`note:${visit++}`, visit), cache.invalidateTags(`tag:${visit++}`));
      if (visit % 4 === 0) asked.push(cache.deleteByPattern(`glob:${visit++}:*`));
      await clock.advance(750);
      // The last callers wait for the deadline of Redis.
      const all = Promise.all(asked);
      await Promise.race([all, clock.advance(1_500).then(() => all)]);
    }
    return wrong;
  }

  it.each([
    ['dead', () => server.kill()],
    ['frozen', () => server.freeze()],
  ])(
    '%s: memory stays flat, the queue is bounded, and dropped writes are counted',
    async (_, breaking) => {
      await breaking();
      expect(await traffic(2 * MINUTE)).toBe(0);
      // A leak grows in every period of traffic; a single period may include other work of this process.
      const grown: number[] = [];
      for (let stretch = 0; stretch < 4; stretch++) {
        const before = heapInUse();
        expect(await traffic(2 * MINUTE)).toBe(0);
        grown.push(heapInUse() - before);
      }
      // Each period has thousands of new keys: remembering each key would take more. The writes that wait
      // for a frozen server take a quarter of a mebibyte.
      expect(Math.min(...grown)).toBeLessThan(0.75 * MEBIBYTE);
      const [memory, redis] = cache.metrics.getLayerStats();
      expect(memory!.entryCount).toBeLessThanOrEqual(IN_MEMORY);
      expect(redis!.circuitState).not.toBe('closed');
      expect(redis!.queueDepth).toBeLessThanOrEqual(MAX_QUEUE);
      // Loaded pages and notes: each one waits, has expired or was refused.
      expect(redis!.writesDropped).toBeGreaterThan(MAX_QUEUE);
      const stats = cache.metrics.getStats();
      expect(stats.totalRequests).toBe(stats.cacheHits + stats.cacheMisses);
      expect(stats.operationsInFlight).toBe(0);
    },
    120_000,
  );
});
