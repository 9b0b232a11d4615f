import { describe, expect, it } from '@jest/globals';
import { MissReason, Operation, Outcome, type Series } from '../../../lib/cache/base/observer.js';
import { memoryLayer } from '../../../lib/cache/layers/memory-layer.js';
import { MOST_PATTERNS } from '../../../lib/insight/pattern-sample.js';
import { createObservedCache } from '../../../lib/wiring/create-observed-cache.js';
import type { ObservedCache } from '../../../lib/wiring/observed-cache.js';
import { HandClock } from '../../support/hand-clock.js';
import { memoryInUse } from '../../support/heap.js';

const PATTERNS = 10_000;
const MEGABYTE = 1_048_576;

function observed(clock: HandClock): ObservedCache {
  return createObservedCache({
    clock,
    namespace: 'shop',
    ttl: '1m',
    alerts: false,
    layers: [memoryLayer({ maxEntries: 100 })],
    metrics: { patternOf: (key) => `${key.slice(0, key.indexOf(':'))}:*` },
  });
}

/** Each key is asked for once, and loaded. */
function flood({ insight }: ObservedCache, clock: HandClock, from: number, to: number): void {
  const stream = insight.stream!;
  for (let id = from; id < to; id++) {
    const key = `pattern${id % PATTERNS}:${id}`;
    const series = { pattern: `pattern${id % PATTERNS}:*` } as Series;
    const at = clock.now() + id / 100;
    stream.loaded(key, series, {
      operation: Operation.load,
      value: id,
      entry: undefined,
      ttlMs: 60_000,
      durationMs: 5,
      at,
    });
    stream.access(key, series, Outcome.miss, MissReason.cold, -1, at);
  }
}

describe('insight under attack', () => {
  it('keeps about as much of many keys of 10,000 patterns as of a tenth of them', async () => {
    const clock = new HandClock();
    const cache = observed(clock);
    const before = memoryInUse();
    flood(cache, clock, 0, 20_000);
    const few = memoryInUse() - before;
    flood(cache, clock, 20_000, 200_000);
    const many = memoryInUse() - before;
    expect(many / MEGABYTE).toBeLessThan(8);
    expect((many - few) / MEGABYTE).toBeLessThan(4);
    expect(cache.insight.hotKeys(1_000).length).toBeLessThanOrEqual(1_000);
    expect(atOnce(cache.insight.ladderFigures()).size).toBeLessThanOrEqual(MOST_PATTERNS);
    await cache.close();
  });

  it('answers for keys that are long, look like globs or like what objects inherit', async () => {
    const clock = new HandClock();
    const cache = observed(clock);
    const keys = [
      '__proto__:1',
      'constructor:toString',
      '*:*',
      `a:${'x'.repeat(8_000)}`,
      'b:\u0000',
      'c:\ud83d\ude00',
      '::',
      'user:*[a-z]\\',
    ];
    for (let round = 0; round < 300; round++) {
      for (const key of keys) await cache.getOrSet(key, () => round);
      if (round % 50 === 0) {
        for (const glob of ['*', 'user:\\*\\[*', '[[]*']) await cache.deleteByPattern(glob);
        await cache.invalidateTags('__proto__');
      }
      clock.turnTo(clock.now() + 1_000);
    }
    for (const pattern of ['__proto__:*', 'constructor:*', '*:*', 'a:*', ':*', 'nobody:*', 'toString']) {
      expect(cache.insight.ttlLadder(pattern)).toMatchObject({ pattern, ladder: expect.any(Array) });
      expect(cache.insight.recommendations({ pattern })).toEqual(expect.any(Array));
    }
    expect(cache.insight.hotKeys(100).every(({ key }) => !key.includes('xxx'))).toBe(true);
    await cache.close();
  });
});

function atOnce<T>(steps: Generator<void, T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}
