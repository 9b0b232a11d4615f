import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { LayeredCache } from '../../lib/cache/layered-cache.js';
import { memoryLayer } from '../../lib/cache/layers/memory-layer.js';
import { ManualClock, settle } from '../support/manual-clock.js';
import { RecordingObserver } from '../support/recording-observer.js';

describe('read-through', () => {
  it('read-through returns nothing older than the last invalidation, and reports every access as one outcome', async () => {
    const keys = ['a', 'b'];
    const action = fc.tuple(
      fc.constantFrom('read', 'read', 'read', 'land', 'land', 'del', 'tag', 'glob', 'clear', 'age'),
      fc.constantFrom(...keys),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(action, { maxLength: 60 }), async (actions) => {
        const clock = new ManualClock();
        const observer = new RecordingObserver();
        const cache = new LayeredCache({ layers: [memoryLayer()], namespace: 'cache', ttl: 1_000, observer, clock });
        const origin = new Map(keys.map((key) => [key, 0]));
        const waiting: (() => void)[] = [];
        const reads: Promise<void>[] = [];
        for (const [what, key] of actions) {
          if (what === 'read') {
            const atLeast = origin.get(key)!;
            const load = () => {
              const value = origin.get(key)!;
              return new Promise<number>((resolve) => waiting.push(() => resolve(value)));
            };
            reads.push(
              cache.getOrSet(key, load, { tags: () => [`t${key}`], hardTimeout: 0 }).then((value) => {
                expect(value).toBeGreaterThanOrEqual(atLeast);
              }),
            );
          } else if (what === 'land') waiting.shift()?.();
          else if (what === 'age') await clock.advance(400);
          else {
            for (const one of what === 'clear' ? keys : [key]) origin.set(one, origin.get(one)! + 1);
            if (what === 'del') await cache.del(key);
            else if (what === 'tag') await cache.invalidateTags(`t${key}`);
            else if (what === 'glob') await cache.deleteByPattern(`${key}*`);
            else await cache.clear();
          }
          await settle();
        }
        while (waiting.length > 0) {
          waiting.shift()!();
          await settle();
        }
        await Promise.all(reads);
        const recorded = observer.take().filter((line) => /^[ab] (hit|stale|miss|coalesced|error)/.test(line));
        expect(recorded).toHaveLength(reads.length);
        expect(observer.running).toBe(0);
        await cache.disconnect();
      }),
      { numRuns: 200 },
    );
  }, 30_000);
});
