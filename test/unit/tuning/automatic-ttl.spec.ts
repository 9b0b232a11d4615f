import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { createObservedCache } from '../../../lib/index.js';
import type { TtlLadder, TtlRung } from '../../../lib/insight/ladder-report.js';
import { AutomaticTtls, type AutomaticTtlsOptions, stepOf } from '../../../lib/tuning/automatic-ttls.js';
import { TuningBounds } from '../../../lib/tuning/tuning-bounds.js';
import { HandClock } from '../../support/hand-clock.js';
import { ManualClock } from '../../support/manual-clock.js';
import { seededRandom } from '../../support/seeded-traffic.js';
import { playWithTtl, workedOut } from '../../support/ttl-traffic.js';

const HOURS = 16;
const MINUTE = 60_000;
const traffic = {
  keys: 1_000,
  zipf: 0.9,
  perSecond: 2,
  seconds: HOURS * 3_600,
  crawler: 0,
  drift: 0,
  changeSeconds: Infinity,
  changing: 0,
  announced: 0,
};
/** The fixed TTLs within the bounds. */
const FIXED = [0.5, 1, 2, 4, 8, 16, 32, 60].map((minutes) => minutes * MINUTE);
const auto = { min: '30s', max: '1h', maxStaleShare: 0.01 };

describe('an automatic TTL', () => {
  // Which hits are sampled is drawn at random.
  beforeEach(() => void jest.spyOn(Math, 'random').mockImplementation(seededRandom(7)));
  afterEach(() => void jest.restoreAllMocks());

  it.each([
    ['values never change', { seed: 901, perSecond: 1 }],
    ['values change every hour', { seed: 903, changeSeconds: 3_600, changing: 0.5, zipf: 1.1 }],
    ['the ranking drifts', { seed: 905, drift: 500, zipf: 0.7, changeSeconds: 86_400, changing: 0.7 }],
  ])(
    'an automatic TTL saves 90 %% of the loads that the best fixed TTL saves if %s',
    async (_, options) => {
      const played = { ...traffic, ...options };
      const its = await playWithTtl(played, { auto });
      const fixed = FIXED.map((ttlMs) => ({ ...workedOut(played, ttlMs), ttlMs }));
      const allowed = fixed.filter(({ staleShare }) => staleShare <= auto.maxStaleShare);
      const best = allowed.toSorted((one, other) => other.hits - one.hits)[0] ?? fixed[0]!;
      expect(its.hits / best.hits).toBeGreaterThan(0.9);
      expect(its.staleShare).toBeLessThan(auto.maxStaleShare + 0.01);
      const late = its.changes.filter(({ at }) => at > 2 * 3_600);
      late.slice(1).forEach(({ at }, before) => expect(at - late[before]!.at).toBeGreaterThanOrEqual(3_600));
    },
    120_000,
  );
});

/** A ladder around a TTL: by rung, the hit rate and the stale share, or undefined if the rung is withheld. */
function ladderOf(
  ttlMs: number,
  rungs: readonly (readonly [number, number] | undefined)[],
  observedMs = 3_600_000,
): TtlLadder {
  const ladder = [1 / 4, 1 / 2, 1, 2, 4, 8, 16, 64].map((times, at): TtlRung => {
    const known = rungs[at];
    const rates = { hitRate: known?.[0] ?? null, staleShare: known?.[1] ?? null };
    const errors = known === undefined ? null : 0.002;
    return {
      ttlMs: ttlMs * times,
      ...rates,
      hitRateError: errors,
      staleShareError: errors,
      loadsPerHour: 1,
      loadMsPerHour: 1,
    };
  });
  return { pattern: 'feed:*', ttlMs, accesses: 5_000, observedMs, ladder };
}

const limits = { minMs: 30_000, maxMs: 3_600_000, maxStaleShare: 0.01 };
const rising = [[0.3, 0], [0.4, 0.001], [0.5, 0.002], [0.6, 0.004], undefined, undefined] as const;

describe('an automatic TTL of values that change faster than they expire', () => {
  it('an automatic TTL falls although the stale share is not known well enough to be shown', async () => {
    const clock = new HandClock();
    const cache = createObservedCache({ clock, ttl: { auto }, namespace: 'shop' });
    const steps: (number | null | undefined)[] = [];
    cache.tuning.watch(({ values }) => steps.push(values.ttlMs));
    // Ten keys, each asked for every ten seconds; every value changes every twenty.
    for (let second = 0; second < 2 * 3_600; second++) {
      clock.turnTo(clock.now() + 1_000);
      await cache.getOrSet(`feed:${second % 10}`, () => Math.floor(second / 20));
      // Ladders are read in slices: between two of them the event loop is free.
      if (second % 30 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    expect(steps.slice(0, 2)).toEqual([150_000, 75_000]);
    await cache.disconnect();
  });
});

describe('a step of an automatic TTL', () => {
  it('a step is one rung down if outdated hits are too many for certain and no figure is known', () => {
    const unknown = ladderOf(300_000, []);
    expect(stepOf(unknown, 300_000, limits)).toBeUndefined();
    expect(stepOf({ ...unknown, outdated: true }, 300_000, limits)).toMatchObject({ ttlMs: 150_000 });
    expect(stepOf({ ...unknown, outdated: true }, 300_000, { ...limits, minMs: 200_000 })).toMatchObject({
      ttlMs: 200_000,
    });
    expect(stepOf({ ...unknown, outdated: true }, 300_000, { ...limits, minMs: 300_000 })).toBeUndefined();
  });

  it('a step is one rung up if the longer TTL brings hits and stays below the stale share', () => {
    expect(stepOf(ladderOf(300_000, rising), 300_000, limits)).toMatchObject({
      ttlMs: 600_000,
      next: { hitRate: 0.6, staleShare: 0.004 },
    });
  });

  it('a step is half a rung if a whole rung would be too stale', () => {
    const rungs = [
      [0.3, 0],
      [0.4, 0.003],
      [0.5, 0.005],
      [0.6, 0.011],
    ] as const;
    expect(stepOf(ladderOf(300_000, rungs), 300_000, limits)).toMatchObject({ ttlMs: 424_264 });
  });

  it('a step goes down if the stale share exceeds its limit by more than the error', () => {
    const rungs = [
      [0.3, 0.004],
      [0.4, 0.009],
      [0.5, 0.018],
      [0.6, 0.03],
    ] as const;
    expect(stepOf(ladderOf(300_000, rungs), 300_000, limits)).toMatchObject({ ttlMs: 150_000 });
  });

  it.each([
    ['the next rung is withheld', ladderOf(300_000, [[0.3, 0], [0.4, 0], [0.5, 0], undefined]), {}],
    [
      'nothing is gained',
      ladderOf(300_000, [
        [0.5, 0],
        [0.5, 0],
        [0.5, 0],
        [0.501, 0],
      ]),
      {},
    ],
    ['the pattern was observed for too short a time', ladderOf(300_000, rising, 600_000), {}],
    ['the ladder belongs to another TTL', ladderOf(150_000, rising), {}],
    ['the bound is reached', ladderOf(300_000, rising), { maxMs: 300_000 }],
    ['everything is withheld', ladderOf(300_000, []), {}],
    [
      'the lower bound is reached',
      ladderOf(300_000, [
        [0.3, 0.1],
        [0.4, 0.2],
        [0.5, 0.3],
      ]),
      { minMs: 300_000 },
    ],
  ])('a step is absent if %s', (_, ladder, bounds) => {
    expect(stepOf(ladder, 300_000, { ...limits, ...bounds })).toBeUndefined();
  });

  it('a step ends at the bound', () => {
    expect(stepOf(ladderOf(300_000, rising), 300_000, { ...limits, maxMs: 400_000 })).toMatchObject({ ttlMs: 400_000 });
  });
});

describe('automatic TTLs', () => {
  /** Patterns whose ladder always leads to the step of `rungs`. */
  function following(rungs: (ttlMs: number) => TtlLadder, options: Partial<AutomaticTtlsOptions> = {}) {
    const clock = new ManualClock();
    const changes: { at: number; ttlMs: number }[] = [];
    const startedAt = clock.now();
    const state = { ttlMs: 60_000, changedAt: undefined as number | undefined };
    const ttls = new AutomaticTtls({
      patterns: () => new Map([['feed:*', { ...limits, startMs: 60_000 }]]),
      ladder: () => rungs(state.ttlMs),
      state: () => state,
      change: (_, { ttlMs }) => {
        Object.assign(state, { ttlMs, changedAt: clock.now() });
        changes.push({ at: (clock.now() - startedAt) / 60_000, ttlMs });
      },
      bounds: new TuningBounds({}),
      clock,
      ...options,
    });
    ttls.start();
    return { clock, changes, ttls };
  }

  it('automatic TTLs change at most every hour after the first two hours', async () => {
    const { clock, changes } = following((ttlMs) => ladderOf(ttlMs, rising));
    await clock.advance(8 * 3_600_000);
    const late = changes.filter(({ at }) => at > 121);
    expect(changes.at(-1)!.ttlMs).toBe(3_600_000);
    late.slice(1).forEach(({ at }, before) => expect(at - late[before]!.at).toBeGreaterThanOrEqual(60));
  });

  it('automatic TTLs wait longer each time before they retry a TTL that was too long', async () => {
    const stale = [
      [0.4, 0.004],
      [0.5, 0.008],
      [0.6, 0.02],
      [0.7, 0.04],
    ] as const;
    const { clock, changes } = following((ttlMs) => ladderOf(ttlMs, ttlMs < 240_000 ? rising : stale));
    await clock.advance(40 * 3_600_000);
    const tried = changes
      .filter(({ ttlMs }, at) => ttlMs >= 240_000 && ttlMs > changes[at - 1]!.ttlMs)
      .map(({ at }) => at / 60);
    expect(tried[1]! - tried[0]!).toBeGreaterThanOrEqual(4);
    expect(tried.length).toBeGreaterThanOrEqual(3);
    expect(tried.length).toBeLessThanOrEqual(8);
  });

  it('automatic TTLs stay within tuning.bounds, which may be narrower', async () => {
    const bounds = new TuningBounds({ bounds: { 'feed:*': { maxTtl: '3m' } } });
    const { clock, changes } = following((ttlMs) => ladderOf(ttlMs, rising), { bounds });
    await clock.advance(8 * 3_600_000);
    expect(changes.at(-1)!.ttlMs).toBe(180_000);
  });

  it('automatic TTLs do not change while the TTL is overridden, or after close()', async () => {
    const { clock, changes } = following((ttlMs) => ladderOf(ttlMs, rising), { state: () => undefined });
    await clock.advance(3_600_000);
    expect(changes).toEqual([]);
    const closed = following((ttlMs) => ladderOf(ttlMs, rising));
    closed.ttls.close();
    await closed.clock.advance(3_600_000);
    expect(closed.changes).toEqual([]);
  });

  it('automatic TTLs start at `start` or at 5 minutes within their bounds, and are listed', async () => {
    const clock = new ManualClock();
    const cache = createObservedCache({ clock, ttl: { auto: { min: '10m', max: '1h' } } });
    await cache.getOrSet('feed:1', () => 1);
    await cache.getOrSet('user:1', () => 1, { ttl: { auto: { min: '1s', max: '1h', start: '7s' } } });
    await cache.getOrSet('page:1', () => 1, { ttl: '2s' });
    expect(['feed:1', 'user:1', 'page:1'].map((key) => cache.peek(key))).toEqual([1, 1, 1]);
    const left = async (key: string) => (await cache.ttl(key))! - clock.now();
    expect([await left('feed:1'), await left('user:1'), await left('page:1')]).toEqual([600_000, 7_000, 2_000]);
    expect(cache.tuning.policies()).toMatchObject([
      { pattern: 'feed:*', effective: { ttlMs: 600_000, automaticTtl: { maxMs: 3_600_000, maxStaleShare: 0.01 } } },
      { pattern: 'user:*', override: null, automatic: null },
    ]);
    await cache.tuning.override('feed:*', { ttl: '1m' });
    expect(cache.tuning.report('feed:*').effective).toMatchObject({ ttlMs: 60_000, automaticTtl: null });
  });

  it.each([
    [{ auto: { min: '1h', max: '1m' } }, 'ttl.auto.min: must not be longer than ttl.auto.max'],
    [{ auto: { min: '1m' } }, 'ttl.auto.max: is missing'],
    [{ auto: { min: '1m', max: 0 } }, 'ttl.auto.max: must be longer than 0'],
    [{ auto: { min: '1m', max: '1h', maxStaleShar: 1 } }, 'did you mean maxStaleShare?'],
    [{ automatic: {} }, 'ttl: an object is not a duration'],
  ])('invalid automatic TTLs stop the start: %j', (ttl, message) => {
    expect(() => createObservedCache({ ttl: ttl as never })).toThrow(message);
  });
});
