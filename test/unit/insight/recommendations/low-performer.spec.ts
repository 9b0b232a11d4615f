import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { MissReason, NotKept, Operation, Outcome, Result } from '../../../../lib/cache/base/observer.js';
import { type CachePolicy, createObservedCache, memoryLayer, type ObservedCache } from '../../../../lib/index.js';
import { createCacheMetrics } from '../../../../lib/insight/create-cache-metrics.js';
import { ManualClock } from '../../../support/manual-clock.js';

/** The counts of a pattern. */
interface Evidence {
  readonly misses: Partial<Record<keyof typeof MissReason, number>>;
  readonly notKept?: Partial<Record<keyof typeof NotKept | 'error' | 'size' | 'layer', number>>;
  readonly sets?: number;
  readonly ttlMs?: number | null;
}

function adviceOn(pattern: string, { misses, notKept = {}, sets = 0, ttlMs = null }: Evidence) {
  const { observer, metrics } = createCacheMetrics({ clock: new ManualClock() });
  const series = observer.series(pattern);
  const times = (count: number, report: () => void) => Array.from({ length: count }, report);
  for (const [name, count] of Object.entries(misses)) {
    const reason = MissReason[name as keyof typeof MissReason];
    times(count, () => observer.access(series, Outcome.miss, -1, 1, 1, reason));
  }
  for (const [name, count] of Object.entries(notKept)) {
    times(count, () => {
      if (name === 'error') observer.load(series, Operation.load, Result.error, 1);
      else if (name === 'size') observer.sizeRejected(series, 1e9);
      else if (name === 'layer') observer.operation(series, Operation.set, Result.error, 1, 10);
      else observer.notKept!(series, NotKept[name as keyof typeof NotKept]);
    });
  }
  times(sets, () => observer.operation(series, Operation.set, Result.ok, 1, 10));
  metrics.declare(pattern, { ttlMs });
  return metrics.getLowPerformers(1.1)[0]!;
}

const textOf = (pattern: string, evidence: Evidence) => adviceOn(pattern, evidence).recommendation;

describe('a low performer', () => {
  it('a low performer gets a text about the reasons of its misses', () => {
    expect(textOf('feed:*', { misses: { evicted: 8, cold: 2 } })).toMatch(
      /80 % of misses.*evicted.*more memory helps is not known/,
    );
    expect(textOf('search:*', { misses: { invalidated: 5, cold: 5 } })).toMatch(
      /50 % of misses followed an invalidation/,
    );
    expect(textOf('product:*', { misses: { expired: 9, cold: 1 }, ttlMs: 60_000 })).toMatch(
      /90 % of misses.*expired.*the TTL is 1m. Whether another TTL helps is not known yet: insight is off/,
    );
    expect(textOf('feed:*', { misses: { error: 3 } })).toMatch(/a layer failed/);
  });

  it('a low performer gets the text of the cause that explains most', () => {
    expect(textOf('feed:*', { misses: { expired: 4, evicted: 5, cold: 1 } })).toMatch(/more memory/);
  });

  it('the text of a low performer proposes broader keys for searches that were never stored before', () => {
    expect(textOf('search:*', { misses: { cold: 1 }, sets: 1 })).toMatch(/use broader keys/);
  });

  it('a low performer has a text about the missing figures if no reason of its misses is known', () => {
    expect(adviceOn('user:*', { misses: { unknown: 4 }, sets: 4, ttlMs: 60_000 })).toMatchObject({
      code: 'WITHHELD',
      recommendation: expect.stringMatching(/^No advice: the reason of 4 of 4 misses is not known/),
    });
  });

  const counts = (names: readonly string[]) =>
    fc.record(Object.fromEntries(names.map((name) => [name, fc.oneof(fc.constant(0), fc.nat(40))])));
  const evidence = fc.record({
    misses: counts(['cold', 'expired', 'evicted', 'invalidated', 'error', 'unknown']),
    notKept: counts([...Object.keys(NotKept), 'error', 'size', 'layer']),
    sets: fc.nat(60),
    ttlMs: fc.constantFrom(null, 0, 30_000, 3_600_000),
    pattern: fc.constantFrom('feed:*', 'search:*', 'product:*', 'user:*', 'other:*'),
    quiet: fc.boolean(),
  });
  const claims: readonly (readonly [claim: RegExp, reason: keyof typeof MissReason])[] = [
    [/^(\d+) % of misses found an entry evicted/, 'evicted'],
    [/^(\d+) % of misses followed an invalidation/, 'invalidated'],
    [/^(\d+) % of misses found an entry expired/, 'expired'],
    [/^(\d+) % of misses happened while a layer failed/, 'error'],
    [/^(\d+) % of misses were requests for a key that had not been stored/, 'cold'],
  ];

  it('the text of a low performer claims only counted figures', () => {
    fc.assert(
      fc.property(evidence, ({ pattern, quiet, ...given }) => {
        const counted = { ...given, notKept: quiet ? {} : given.notKept };
        const total = Object.values(counted.misses).reduce((sum, count) => sum + count, 0);
        fc.pre(total > 0);
        const { code, recommendation: text, missReasons, notKept } = adviceOn(pattern, counted);
        expect(missReasons).toEqual(counted.misses);
        const left = Object.values(notKept).reduce((sum, count) => sum + count, 0);
        const made = claims.flatMap(([claim, reason]) => {
          const found = claim.exec(text);
          return found === null ? [] : [[Number(found[1]), Math.floor((100 * counted.misses[reason]!) / total)]];
        });
        for (const [claimed, really] of made) expect(claimed).toBe(really);
        const dropped = /^Not cached: (\d+) loads and writes stored nothing, (\d+) of them/.exec(text);
        if (dropped !== null) {
          expect(Number(dropped[1])).toBe(left);
          expect(Number(dropped[2])).toBe(Math.max(...Object.values(notKept)));
          expect(Number(dropped[2])).toBeGreaterThan(0);
        }
        const unknown = /^No advice: the reason of (\d+) of (\d+) misses/.exec(text);
        if (unknown !== null)
          expect([Number(unknown[1]), Number(unknown[2])]).toEqual([counted.misses['unknown'], total]);
        const read = /^It has (\d+) misses, but no load and no set/.exec(text);
        if (read !== null) expect([Number(read[1]), left + counted.sets]).toEqual([total, 0]);
        // Each text makes one claim, which this test checks by its form.
        expect(made.length + [dropped, unknown, read].filter((claim) => claim !== null).length).toBe(1);
        if (/TTL/.test(text.replace(/^Not cached.*/, ''))) {
          expect(code).toBe('WITHHELD');
          expect(counted.misses['expired']).toBeGreaterThan(0);
        }
      }),
      { numRuns: 500 },
    );
  });
});

/** Plays a workload, and returns the advice about it. */
interface Workload {
  readonly policy?: Omit<CachePolicy<unknown>, 'ttl'>;
  readonly maxEntries?: number;
  run(cache: ObservedCache, clock: ManualClock): Promise<unknown>;
}

async function adviceAfter({ policy = {}, maxEntries = 1000, run }: Workload) {
  const clock = new ManualClock();
  const cache = createObservedCache({ clock, layers: [memoryLayer({ maxEntries })], ttl: '1m', policy });
  try {
    await run(cache, clock);
    return cache.metrics.getLowPerformers(1.1)[0]!;
  } finally {
    await cache.disconnect();
  }
}

const asked = async (
  cache: ObservedCache,
  key: (n: number) => string,
  times = 30,
  load = (n: number): unknown => n,
) => {
  for (let n = 0; n < times; n++) await cache.getOrSet(key(n), () => load(n)).catch(() => undefined);
};
const ordinary: Workload = { run: (cache) => asked(cache, (n) => `item:${n}`) };

describe('low performers', () => {
  const raising: readonly (readonly [code: string, what: string, workload: Workload, text: RegExp])[] = [
    [
      'NOT_CACHED',
      'what cacheIf refuses',
      { policy: { cacheIf: () => false }, run: (cache) => asked(cache, () => 'item:1') },
      /30 of them because cacheIf returned false/,
    ],
    [
      'NOT_CACHED',
      'what is too large',
      {
        policy: { maxEntrySize: 100 },
        run: (cache) =>
          asked(
            cache,
            () => 'item:1',
            30,
            () => 'x'.repeat(500),
          ),
      },
      /30 of them because the value is larger than maxEntrySize/,
    ],
    [
      'NOT_CACHED',
      'what cannot be copied',
      {
        run: (cache) =>
          asked(
            cache,
            () => 'item:1',
            30,
            () => ({ now: () => 1 }),
          ),
      },
      /30 of them because the value cannot be copied/,
    ],
    [
      'NOT_CACHED',
      'loads that throw',
      {
        run: (cache) =>
          asked(
            cache,
            () => 'item:1',
            30,
            () => {
              throw new Error('down');
            },
          ),
      },
      /30 of them because the load failed/,
    ],
    [
      'CACHE_EMPTY_RESULTS',
      'what is undefined without negativeTtl',
      {
        run: (cache) =>
          asked(
            cache,
            () => 'item:1',
            30,
            () => undefined,
          ),
      },
      /30 loads returned null or undefined.*negativeTtl: '30s'/,
    ],
    [
      'NOT_CACHED',
      'loaders that skip',
      {
        run: async (cache) => {
          for (let n = 0; n < 30; n++) await cache.getOrSet('item:1', ({ skip }) => skip());
        },
      },
      /30 of them because the loader called skip/,
    ],
    [
      'NOT_CACHED',
      'loads that an invalidation overtakes',
      {
        run: (cache) =>
          asked(
            cache,
            () => 'item:1',
            30,
            async () => {
              await cache.del('item:1');
              return 1;
            },
          ),
      },
      /30 of them because the key was invalidated/,
    ],
    [
      'WITHHELD',
      'evicted entries, of which few were seen',
      { maxEntries: 5, run: (cache) => asked(cache, (n) => `item:${n % 10}`, 60) },
      /evicted.*more memory helps is not known yet/,
    ],
    [
      'WITHHELD',
      'invalidated entries, of which few were seen',
      {
        run: async (cache) => {
          for (let n = 0; n < 20; n++) {
            await cache.getOrSet('item:1', () => n);
            await cache.del('item:1');
          }
        },
      },
      /followed an invalidation.*fewer invalidations are enough is not known yet/,
    ],
    [
      'WITHHELD',
      'expired entries, of which few were seen',
      {
        run: async (cache, clock) => {
          for (let n = 0; n < 20; n++) {
            await cache.getOrSet('item:1', () => n);
            await clock.advance(61_000);
          }
        },
      },
      /expired.*another TTL helps is not known yet/,
    ],
    [
      'NOTHING_STORED',
      'keys that are only looked up',
      {
        run: async (cache) => {
          for (let n = 0; n < 30; n++) await cache.get('item:1');
        },
      },
      /30 misses, but no load and no set/,
    ],
    [
      'COLD_KEYS',
      'keys that are new each time',
      ordinary,
      /100 % of misses were requests for a key that had not been stored/,
    ],
  ];

  it.each(raising)('a low performer gets %s for %s', async (code, _what, workload, text) => {
    const advice = await adviceAfter(workload);
    expect(advice).toMatchObject({ code, recommendation: expect.stringMatching(text) });
    expect(advice.recommendation).not.toMatch(/longer TTL|only once/);
  });

  it.each([
    ['NOT_CACHED', 'every value is kept', ordinary],
    ['NOTHING_STORED', 'misses are loaded', ordinary],
    ['COLD_KEYS', 'one key is never kept', raising[0]![2]],
  ])('a low performer gets no %s if %s', async (code, _when, workload) => {
    expect((await adviceAfter(workload)).code).not.toBe(code);
  });

  it('statistics count the values of a pattern that were not stored, by reason', async () => {
    const clock = new ManualClock();
    const cache = createObservedCache({
      clock,
      policy: { cacheIf: (value) => value !== 'refused', maxEntrySize: 500 },
    });
    await cache.set('item:1', 'x'.repeat(1000));
    await cache.getOrSet('item:2', () => 'refused');
    await cache.getOrSetMany(['item:3', 'item:4', 'item:5'], () => ['refused', 'refused', 'kept']);
    expect(cache.metrics.getPatternStats('item:*')).toMatchObject({
      sets: 1,
      notKept: { cacheIf: 3, size: 1, error: 0, cookie: 0 },
    });
    await cache.disconnect();
  });
});
