import { describe, expect, it } from '@jest/globals';
import type { KeyPartEvidence, PatternEvidence } from '../../../../lib/insight/evidence/evidence.js';
import { adviceOnLayer, adviceOnPattern } from '../../../../lib/insight/recommendations/rules.js';
import { layerEvidence, missReasons, notKept, patternEvidence, rung, statsWith } from '../../../support/evidence.js';

const codesOf = (parts: Partial<PatternEvidence>) =>
  adviceOnPattern(patternEvidence(parts)).map(({ code }) => code); // prettier-ignore
const adviceOf = (code: string, parts: Partial<PatternEvidence>) => {
  const found = adviceOnPattern(patternEvidence(parts)).find((each) => each.code === code);
  if (found === undefined) throw new Error(`${code} is not raised`);
  return found;
};

const ttl = (today: number, advised: number | undefined, ...ladder: ReturnType<typeof rung>[]) => ({
  ttlMs: today,
  accesses: 5_000,
  observedMs: 7_200_000,
  ladder,
  ...(advised !== undefined && { advised: { ttlMs: advised } }),
});
const expiring = statsWith({ cacheHits: 600, cacheMisses: 400, missReasons: missReasons({ expired: 300, cold: 100 }) });

describe('RAISE_TTL', () => {
  const ladder = ttl(60_000, 240_000, rung(60_000, 0.6), rung(240_000, 0.8));

  it('RAISE_TTL names the option, both values and the gain', () => {
    const advice = adviceOf('RAISE_TTL', { stats: expiring, ttl: ladder, declared: 'item:*' });
    expect(advice.change).toEqual({ option: 'ttl', from: '1m', to: '4m', code: "@Cached('item:*', { ttl: '4m' })" });
    expect(advice.predicted).toMatchObject({ hitRate: 0.8, staleShare: 0.001 });
    expect(advice.predicted.timeSavedMsPerHour).toBeCloseTo(20_000);
    expect(advice.why).toMatch(/75 % of misses found an entry expired.*80 % ± 1\.0 instead of 60 %/);
    expect(advice.confidence).toBe('high');
  });

  it('RAISE_TTL writes the call if no handler declares the pattern', () => {
    expect(adviceOf('RAISE_TTL', { stats: expiring, ttl: ladder }).change.code).toBe(
      "cache.getOrSet(key, load, { ttl: '4m' }) // keys item:*",
    );
  });

  it.each([
    [
      'misses are cold',
      { stats: statsWith({ cacheHits: 600, cacheMisses: 400, missReasons: missReasons({ cold: 400 }) }), ttl: ladder },
    ],
    [
      'the ladder advises nothing',
      { stats: expiring, ttl: ttl(60_000, undefined, rung(60_000, 0.6), rung(240_000, 0.6)) },
    ],
    ['the ladder is withheld', { stats: expiring, ttl: { ...ladder, withheld: 'fewer than 1,000 accesses' } }],
    ['there is no ladder', { stats: expiring }],
  ])('RAISE_TTL is not raised if %s', (_when, parts) => {
    expect(codesOf(parts)).not.toContain('RAISE_TTL');
  });
});

describe('LOWER_TTL', () => {
  const outdated = rung(600_000, 0.9, { staleShare: 0.3, staleShareError: 0.02 });

  it('LOWER_TTL is raised if values change faster than they expire', () => {
    const advice = adviceOf('LOWER_TTL', { stats: expiring, ttl: ttl(600_000, 150_000, outdated, rung(150_000, 0.8)) });
    expect(advice.change).toMatchObject({ from: '10m', to: '150s' });
    expect(advice.why).toMatch(/30 % of hits return an outdated value \(1 % is allowed\)/);
  });

  it('LOWER_TTL is not raised if the outdated share may be within the allowed share', () => {
    const unsure = rung(600_000, 0.9, { staleShare: 0.03, staleShareError: 0.02 });
    expect(codesOf({ stats: expiring, ttl: ttl(600_000, 150_000, unsure, rung(150_000, 0.8)) })).toEqual([]);
  });
});

describe('MORE_MEMORY', () => {
  const rungs = (half: number, today: number, twice: number, four: number) =>
    [0.5, 1, 2, 4].map((factor, index) => ({
      factor,
      hitRate: [half, today, twice, four][index]!,
      hitRateError: 0.005,
    }));

  it('MORE_MEMORY proposes the smallest size that brings nearly all of the gain', () => {
    const [advice] = adviceOnLayer(layerEvidence({ ladder: rungs(0.4, 0.6, 0.8, 0.81) }));
    expect(advice).toMatchObject({
      code: 'MORE_MEMORY',
      change: { option: 'maxEntries', from: 1_000, to: 2_000, code: 'memoryLayer({ maxEntries: 2000 })' },
      predicted: { hitRate: 0.8, bytes: 400_000 },
    });
    expect(advice!.predicted.timeSavedMsPerHour).toBeCloseTo(0.2 * 10_000 * 50);
  });

  it('MORE_MEMORY names the bytes if they are the bound', () => {
    const [advice] = adviceOnLayer(
      layerEvidence({ ladder: rungs(0.4, 0.6, 0.8, 0.81), maxEntries: null, stats: { totalSizeBytes: 990_000 } }),
    );
    expect(advice?.change).toMatchObject({ option: 'maxBytes', to: 2_000_000 });
  });

  it.each([
    ['nothing is evicted', layerEvidence({ ladder: rungs(0.4, 0.6, 0.8, 0.81), stats: { evictions: 0 } })],
    ['the gain is within its error', layerEvidence({ ladder: rungs(0.4, 0.6, 0.604, 0.604) })],
    ['the ladder is withheld', layerEvidence({ ladder: rungs(0.4, 0.6, 0.8, 0.9), withheld: 'few accesses' })],
  ])('MORE_MEMORY is not raised if %s', (_when, evidence) => {
    expect(adviceOnLayer(evidence).map(({ code }) => code)).not.toContain('MORE_MEMORY');
  });
});

describe('LESS_MEMORY', () => {
  const ladder = [0.25, 0.5, 1, 2].map((factor) => ({
    factor,
    hitRate: factor === 0.25 ? 0.5 : 0.6,
    hitRateError: 0.001,
  }));

  it('LESS_MEMORY proposes the smallest size with the same hit rate', () => {
    const [advice] = adviceOnLayer(layerEvidence({ ladder }));
    expect(advice).toMatchObject({ code: 'LESS_MEMORY', change: { to: 500 }, predicted: { bytes: -200_000 } });
  });

  it('LESS_MEMORY is not raised if the layer has free memory', () => {
    expect(adviceOnLayer(layerEvidence({ ladder, stats: { entryCount: 100, totalSizeBytes: 40_000 } }))).toEqual([]);
  });
});

describe('KEY_TOO_SPECIFIC', () => {
  const part = (name: string, repeats: number, sameValue: number | null): KeyPartEvidence => ({
    name,
    distinct: 400,
    repeats,
    repeatsError: 0.02,
    sameValue,
  });
  const stats = statsWith({ cacheHits: 10, cacheMisses: 990, avgLoadTimeMs: 40 });
  const keys = (...parts: KeyPartEvidence[]) => ({ loads: 990, distinctKeys: 900, askedOnce: 0.9, repeats: 0, parts });

  it('KEY_TOO_SPECIFIC names the input on which the value does not depend', () => {
    const evidence = {
      stats,
      keys: keys(part('query.page', 0.9, 0.02), part('query.ref', 0.95, 1)),
      declared: 'feed:*',
    };
    const advice = adviceOf('KEY_TOO_SPECIFIC', { ...evidence, pattern: 'feed:*' });
    expect(advice.change).toEqual({
      option: 'ignore',
      from: null,
      to: 'query.ref',
      code: "@Cached('feed:*', { ignore: ['query.ref'] })",
    });
    expect(advice.predicted.hitRate).toBeCloseTo((10 + 990 * 0.95) / 1_000);
    expect(advice.predicted.timeSavedMsPerHour).toBeCloseTo(990 * 0.95 * 40);
  });

  it('KEY_TOO_SPECIFIC takes the input out of a template', () => {
    const advice = adviceOf('KEY_TOO_SPECIFIC', {
      stats,
      keys: keys(part('query.ref', 0.95, 1)),
      declared: 'feed:{query.page}:{query.ref}',
    });
    expect(advice.change.code).toBe("@Cached('feed:{query.page}', { ignore: ['query.ref'] })");
  });

  it.each([
    ['the values differ with the input', keys(part('query.page', 0.9, 0.5))],
    ['no values were compared', keys(part('query.page', 0.9, null))],
    ['keys are requested again', { ...keys(part('query.ref', 0.95, 1)), askedOnce: 0.1 }],
    ['there are few loads', { ...keys(part('query.ref', 0.95, 1)), loads: 20 }],
  ])('KEY_TOO_SPECIFIC is not raised if %s', (_when, found) => {
    expect(codesOf({ stats, keys: found })).not.toContain('KEY_TOO_SPECIFIC');
  });
});

describe('NEVER_READ', () => {
  const stats = statsWith({ cacheHits: 2, cacheMisses: 998, avgResponseTimeMs: 1 });

  it('NEVER_READ is raised for entries that end without a read', () => {
    const advice = adviceOf('NEVER_READ', { stats, lifetimes: { ended: 500, unread: 495, unreadBytes: 1_000 } });
    expect(advice.change).toMatchObject({ option: 'cached', from: true, to: false });
    expect(advice.predicted.bytes).toBe(-495_000);
  });

  it('NEVER_READ is raised for entries that a strategy warmed and nobody read', () => {
    const advice = adviceOf('NEVER_READ', { stats, warmed: [{ strategy: 'all-reports', warmed: 200, read: 3 }] });
    expect(advice.why).toMatch(/197 of 200 entries that the strategy all-reports wrote/);
  });

  it('of a strategy leaves the advice on entries that callers load, of the whole pattern replaces it', () => {
    const longer = { stats: expiring, ttl: ttl(60_000, 240_000, rung(60_000, 0.6), rung(240_000, 0.8)) };
    const warmed = [{ strategy: 'all-reports', warmed: 200, read: 3 }];
    expect(codesOf({ ...longer, warmed })).toEqual(['RAISE_TTL', 'NEVER_READ']);
    const rarelyHit = statsWith({ ...expiring, cacheHits: 2, hitRate: 0.01 });
    const lifetimes = { ended: 500, unread: 495, unreadBytes: 1_000 };
    expect(codesOf({ ...longer, stats: rarelyHit, lifetimes })).toEqual(['NEVER_READ']);
  });

  it.each([
    ['entries are read', { stats, lifetimes: { ended: 500, unread: 250, unreadBytes: 1 } }],
    ['few have ended', { stats, lifetimes: { ended: 20, unread: 20, unreadBytes: 1 } }],
    ['warmed entries are read', { stats, warmed: [{ strategy: 'top', warmed: 200, read: 90 }] }],
  ])('NEVER_READ is not raised if %s', (_when, parts) => {
    expect(codesOf(parts)).toEqual([]);
  });
});

describe('CHEAPER_THAN_CACHE', () => {
  const timed = (load: number, response: number) =>
    statsWith({
      cacheHits: 3_000,
      cacheMisses: 1_000,
      recalculations: 1_000,
      avgLoadTimeMs: load,
      p50LoadTimeMs: load,
      avgResponseTimeMs: response,
      p50ResponseTimeMs: response,
    });

  it('CHEAPER_THAN_CACHE is raised if the cache costs more than it saves', () => {
    const advice = adviceOf('CHEAPER_THAN_CACHE', { stats: timed(0.5, 2) });
    expect(advice.predicted.timeSavedMsPerHour).toBeCloseTo(4_000 * (2 - 0.75 * 0.5));
  });

  it.each([
    ['a load takes longer', timed(20, 2)],
    ['the difference is noise', timed(0.001, 0.002)],
  ])('CHEAPER_THAN_CACHE is not raised if %s', (_when, stats) => {
    expect(codesOf({ stats })).toEqual([]);
  });
});

describe('VALUE_TOO_LARGE', () => {
  const sizes = {
    entries: 1_000,
    aboveBytes: 65_536,
    largeEntries: 20,
    bytesShare: 0.8,
    hitsShare: 0.01,
    largestBytes: 900_000,
  };
  const stats = statsWith({ cacheHits: 900, cacheMisses: 100, avgLoadTimeMs: 10 });

  it('VALUE_TOO_LARGE proposes a limit of size', () => {
    const advice = adviceOf('VALUE_TOO_LARGE', { stats, sizes });
    expect(advice.change).toMatchObject({ option: 'maxEntrySize', to: 65_536 });
    expect(advice.predicted.hitRate).toBeCloseTo(0.891);
  });

  it.each([
    ['they bring hits', { ...sizes, hitsShare: 0.4 }],
    ['they are many', { ...sizes, largeEntries: 500 }],
    ['they hold few of the bytes', { ...sizes, bytesShare: 0.2 }],
  ])('VALUE_TOO_LARGE is not raised if %s', (_when, found) => {
    expect(codesOf({ stats, sizes: found })).toEqual([]);
  });
});

describe('INVALIDATED_TOO_WIDELY', () => {
  const stats = statsWith({
    cacheHits: 500,
    cacheMisses: 500,
    missReasons: missReasons({ invalidated: 450, cold: 50 }),
    avgLoadTimeMs: 20,
  });

  it('INVALIDATED_TOO_WIDELY is raised if reloads return the same value', () => {
    const advice = adviceOf('INVALIDATED_TOO_WIDELY', { stats, invalidations: { reloads: 100, unchanged: 90 } });
    expect(advice.predicted.hitRate).toBeCloseTo(0.905);
    const codeOf = (declared: string) =>
      adviceOf('INVALIDATED_TOO_WIDELY', { stats, declared, invalidations: { reloads: 100, unchanged: 90 } }).change
        .code;
    expect(codeOf('item:{params.shelf}')).toBe("@CacheInvalidate({ keys: ['item:{params.shelf}'] })");
    expect(codeOf('item:*')).toMatch(/^@Cached\('item:\*', \{ tags: \['item:\{params\.id\}'\] \}\)/);
    expect(advice.predicted.timeSavedMsPerHour).toBeCloseTo(450 * 0.9 * 20);
  });

  it.each([
    ['values had changed', { stats, invalidations: { reloads: 100, unchanged: 10 } }],
    ['misses have other causes', { stats: expiring, invalidations: { reloads: 100, unchanged: 90 } }],
    ['reloads were not compared', { stats }],
  ])('INVALIDATED_TOO_WIDELY is not raised if %s', (_when, parts) => {
    expect(codesOf(parts)).toEqual([]);
  });
});

describe('CACHE_EMPTY_RESULTS', () => {
  const stats = statsWith({ cacheMisses: 200, notKept: notKept({ empty: 200 }), avgLoadTimeMs: 5 });
  const empty = { loads: 200, repeated: 180, withinMs: 30_000 };

  it('CACHE_EMPTY_RESULTS proposes negativeTtl, and replaces NOT_CACHED', () => {
    expect(codesOf({ stats, empty })).toEqual(['CACHE_EMPTY_RESULTS']);
    const advice = adviceOf('CACHE_EMPTY_RESULTS', { stats, empty });
    expect(advice.change).toMatchObject({ option: 'negativeTtl', to: '30s' });
    expect(advice.predicted.hitRate).toBeCloseTo(0.9);
  });

  it('CACHE_EMPTY_RESULTS is not raised if no key repeats', () => {
    expect(codesOf({ stats, empty: { ...empty, repeated: 2 } })).toEqual(['NOT_CACHED']);
  });
});

describe('SERVE_STALE', () => {
  const policy = {
    ttlMs: 60_000,
    staleWhileRevalidateMs: 0,
    refreshesAhead: false,
    keepsEmpty: false,
    lock: false,
  };
  const slow = { ...expiring, avgLoadTimeMs: 200 };
  const expiry = { expired: 300, withinMs: 8_000, soon: 0.95 };

  it('SERVE_STALE proposes a window that reaches nine in ten of the waiting callers', () => {
    const advice = adviceOf('SERVE_STALE', { stats: slow, policy, expiry });
    expect(advice.change).toMatchObject({ option: 'staleWhileRevalidate', from: null, to: '10s' });
    expect(advice.predicted.timeSavedMsPerHour).toBeCloseTo(0.9 * 300 * 200);
  });

  it.each([
    ['stale values are served already', { stats: slow, policy: { ...policy, staleWhileRevalidateMs: 5_000 }, expiry }],
    ['entries are refreshed ahead', { stats: slow, policy: { ...policy, refreshesAhead: true }, expiry }],
    ['loads are fast', { stats: { ...slow, avgLoadTimeMs: 1 }, policy, expiry }],
    [
      'keys are requested long after they expire',
      { stats: slow, policy, expiry: { expired: 300, withinMs: 3_600_000, soon: 0.4 } },
    ],
  ])('SERVE_STALE is not raised if %s', (_when, parts) => {
    expect(codesOf(parts)).toEqual([]);
  });
});

describe('SHARE_LOADS', () => {
  const stats = statsWith({ cacheMisses: 400, recalculations: 400, avgLoadTimeMs: 100 });
  const sharedLoads = { loads: 400, overlapping: 200, spared: 150, instances: 4 };

  it('SHARE_LOADS proposes the lock', () => {
    const advice = adviceOf('SHARE_LOADS', { stats, sharedLoads });
    expect(advice.change).toMatchObject({ option: 'lock', from: false, to: true });
    expect(advice.predicted.loadsPerHour).toBeLessThan(400);
  });

  it('SHARE_LOADS is not raised if loads do not overlap, or the lock is set', () => {
    expect(codesOf({ stats, sharedLoads: { ...sharedLoads, overlapping: 10 } })).toEqual([]);
    const policy = { ttlMs: 1, staleWhileRevalidateMs: 0, refreshesAhead: false, keepsEmpty: false, lock: true };
    expect(codesOf({ stats, sharedLoads, policy })).toEqual([]);
  });
});

describe('WARM', () => {
  const stats = statsWith({ cacheHits: 5_000, cacheMisses: 100, avgLoadTimeMs: 80 });
  const starts = { starts: 1, coldMisses: 90, distinctKeys: 30, withinMs: 300_000, agoMs: 3_600_000 };

  it('WARM names how many keys to warm', () => {
    expect(adviceOf('WARM', { stats, starts }).title).toBe('Warm 30 keys of item:* at start');
  });

  it.each([
    ['the keys are many', { ...starts, distinctKeys: 50_000 }],
    ['the keys are not requested again', { ...starts, distinctKeys: 900 }],
    ['few callers waited', { ...starts, coldMisses: 3 }],
    ['the last start was long ago', { ...starts, agoMs: 10 * 3_600_000 }],
  ])('WARM is not raised if %s', (_when, found) => {
    expect(codesOf({ stats, starts: found })).not.toContain('WARM');
  });
});

describe('NOT_CACHED', () => {
  it('NOT_CACHED names the reason that explains most', () => {
    const stats = statsWith({ cacheMisses: 60, notKept: notKept({ cookie: 50, error: 10 }) });
    expect(adviceOf('NOT_CACHED', { stats }).why).toMatch(/60 loads.*50 of them because the handler sets a cookie/);
  });

  it('NOT_CACHED is not raised if most values are stored', () => {
    expect(codesOf({ stats: statsWith({ sets: 100, notKept: notKept({ error: 30 }) }) })).toEqual([]);
  });
});
