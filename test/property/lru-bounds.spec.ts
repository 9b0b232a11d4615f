import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { LayeredCache } from '../../lib/cache/layered-cache.js';
import { memoryLayer } from '../../lib/cache/layers/memory-layer.js';
import { ManualClock } from '../support/manual-clock.js';
import { RecordingObserver } from '../support/recording-observer.js';

describe('the memory layer', () => {
  it('the memory layer stays within its limits of entries and bytes, and reports its bytes exactly', async () => {
    const step = fc.record({
      key: fc.integer({ min: 0, max: 40 }),
      length: fc.integer({ min: 0, max: 700 }),
      action: fc.constantFrom('set', 'set', 'set', 'del', 'get'),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 120 }), async (steps) => {
        const cache = new LayeredCache({
          layers: [memoryLayer({ maxEntries: 10, maxBytes: 9_000 })],
          namespace: 'cache',
          ttl: 0,
          observer: new RecordingObserver(),
          clock: new ManualClock(),
        });
        for (const { key, length, action } of steps) {
          if (action === 'set') await cache.set(`k${key}`, 'x'.repeat(length));
          else if (action === 'del') await cache.del(`k${key}`);
          else await cache.get(`k${key}`);
          const { entries, bytes } = cache.layers[0]!.status();
          expect(entries).toBeLessThanOrEqual(10);
          expect(bytes).toBeLessThanOrEqual(9_000);
          if (entries === 0) expect(bytes).toBe(0);
        }
        await cache.disconnect();
      }),
      { numRuns: 50 },
    );
  });
});
