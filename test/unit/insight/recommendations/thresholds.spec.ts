import { describe, expect, it } from '@jest/globals';
import { play, type Played, randomOf, type Workload, zipf } from '../../../support/workloads.js';

/*
 * The edges at which WARM and SERVE_STALE are raised: on either side a workload, and what following the advice brings.
 */

const draw = (count: number, exponent: number, seed: number) => {
  const next = zipf(count, exponent, randomOf(seed));
  const ranks = Array.from({ length: 20_000 }, next);
  return (n: number) => ranks[n % ranks.length]!;
};
const hoursOf = ({ requests, everyMs }: Workload) => (requests * everyMs) / 3_600_000;

/** The time that following the advice saved, over the predicted time. */
const realisedOf = (code: string, workload: Workload, before: Played, after: Played) =>
  (before.waitedMs - after.waitedMs) / hoursOf(workload) / before.of(code)!.predicted.timeSavedMsPerHour;

describe('the thresholds of WARM', () => {
  const items = draw(30, 0.8, 2);
  const started: Workload = {
    requests: 2_000,
    everyMs: 200,
    options: { ttl: '1h' },
    loadMs: 100,
    keyOf: (n) => `home:${items(n)}`,
  };
  const warmed: Workload['before'] = async (cache, n) => {
    if (n > 0) return;
    for (let rank = 0; rank < 30; rank++) await cache.set(`home:${rank}`, { of: `home:${rank}` });
  };

  it.each([
    ['two hours ago', { ...started, requests: 7_200, everyMs: 1_000 }],
    ['whose entries expire before some keys are requested', { ...started, options: { ttl: '20s' } }],
  ])('WARM predicts what warming saves after a start %s', async (_when, workload) => {
    const [before, after] = [await play(workload), await play({ ...workload, before: warmed })];
    const realised = realisedOf('WARM', workload, before, after);
    expect(realised).toBeGreaterThan(0.8);
    expect(realised).toBeLessThan(1.2);
    expect(Math.abs(before.of('WARM')!.predicted.hitRate! - after.hitRate)).toBeLessThan(0.02);
  });

  it('WARM is not raised for keys that a crawler asks for once, nor long after a start', async () => {
    const crawled: Workload = { ...started, keyOf: (n) => (n % 5 === 0 ? `home:page-${n}` : `home:${items(n) % 5}`) };
    expect((await play(crawled)).of('WARM')).toBeUndefined();
    const longAgo: Workload = { ...started, requests: 5_000, everyMs: 3_000 };
    expect((await play(longAgo)).of('WARM')).toBeUndefined();
  });
});

describe('the thresholds of SERVE_STALE', () => {
  const [pages, many] = [draw(40, 1, 1), draw(80, 0.8, 11)];
  const expiring: Workload = {
    requests: 3_000,
    everyMs: 2_000,
    options: { ttl: '1m' },
    loadMs: 400,
    keyOf: (n) => `page:${pages(n) % 8}`,
  };
  const followed = (workload: Workload, { change }: NonNullable<ReturnType<Played['of']>>): Workload => ({
    ...workload,
    policy: { staleWhileRevalidate: String(change.to) },
  });

  it('SERVE_STALE is raised, and keeps its prediction, where half of the waiting callers come soon', async () => {
    const mixed: Workload = { ...expiring, loadMs: 50, requests: 9_000, everyMs: 500, keyOf: (n) => `page:${many(n)}` };
    const before = await play(mixed);
    const advice = before.of('SERVE_STALE')!;
    expect(advice.change).toMatchObject({ option: 'staleWhileRevalidate', to: '1m' });
    const after = await play(followed(mixed, advice));
    const realised = realisedOf('SERVE_STALE', mixed, before, after);
    expect(realised).toBeGreaterThan(0.75);
    expect(realised).toBeLessThan(1.3);
  });

  it('SERVE_STALE is not raised where it would return more outdated values than are allowed', async () => {
    const changing: Workload = { ...expiring, originOf: (key, now) => ({ key, at: Math.floor(now / 300_000) }) };
    expect((await play(changing)).of('SERVE_STALE')).toBeUndefined();
    const allowed = { ...changing, options: { ...changing.options, insight: { maxStaleShare: 0.2 } } };
    const before = await play(allowed);
    const advice = before.of('SERVE_STALE')!;
    expect(advice.predicted.staleShare).toBeGreaterThan(before.staleShare);
  });

  it.each([300_000, 1_200_000])(
    'SERVE_STALE predicts the share of outdated hits of values that change every %i ms within 3 points',
    async (changeMs) => {
      const changing: Workload = {
        ...expiring,
        options: { ...expiring.options, insight: { maxStaleShare: 0.2 } },
        originOf: (key, now) => ({ key, at: Math.floor(now / changeMs) }),
      };
      const before = await play(changing);
      const advice = before.of('SERVE_STALE')!;
      const after = await play(followed(changing, advice));
      expect(after.staleShare).toBeGreaterThan(before.staleShare);
      expect(Math.abs(after.staleShare - advice.predicted.staleShare!)).toBeLessThan(0.03);
      expect(Math.abs(after.staleShare - advice.predicted.staleShare!)).toBeLessThan(
        after.staleShare - before.staleShare,
      );
    },
  );

  it('SERVE_STALE is not raised if keys are rarely requested or the wait is short', async () => {
    const rare: Workload = { ...expiring, keyOf: (n) => `page:${n % 5 === 0 ? pages(n) % 2 : 100 + (n % 90)}` };
    expect((await play(rare)).of('SERVE_STALE')).toBeUndefined();
    const short: Workload = {
      ...expiring,
      requests: 1_000,
      everyMs: 10_000,
      loadMs: 10,
      keyOf: (n) => `page:${n % 3}`,
    };
    expect((await play(short)).of('SERVE_STALE')?.predicted.timeSavedMsPerHour ?? 1_000).toBeGreaterThanOrEqual(1_000);
  });
});
