import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { fleetExperiment } from '../../support/fleet-experiment.js';
import { HonestRungs } from '../../support/honest-rungs.js';
import { RedisServer } from '../../support/redis.js';
import type { TrafficOptions } from '../../support/seeded-traffic.js';

const STEADY: TrafficOptions = {
  seed: 813, keys: 250, zipf: 0.7, perSecond: 16, seconds: 170, crawler: 0, drift: 0, changeSeconds: 600, changing: 0.5,
  announced: 0,
}; // prettier-ignore

const CASES: readonly (readonly [name: string, traffic: TrafficOptions])[] = [
  ['that is nearly even, with silent changes', STEADY],
  ['whose hottest keys change, with half of the changes announced', { ...STEADY, seed: 814, keys: 400, zipf: 0.9, drift: 20, announced: 0.5 }],
  ['of people and a crawler, with some changes announced', { ...STEADY, seed: 812, keys: 300, zipf: 1, crawler: 0.05, changing: 0.3, announced: 0.3 }],
]; // prettier-ignore

/** Compares the rungs of all cases. */
const honest = new HonestRungs();

describe('the TTL ladder of a fleet', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await RedisServer.start();
  });
  afterAll(() => server.dispose());

  it.each(CASES)(
    'the TTL ladder of a fleet predicts the hit rate and stale share of traffic %s',
    async (_, traffic) => {
      const { ladder, realised } = await fleetExperiment(server, traffic, 40_000);
      expect(realised.length).toBeGreaterThan(2);
      for (const real of realised) {
        const rung = ladder.ladder.find(({ ttlMs }) => ttlMs === real.ttlMs)!;
        honest.expectClose(rung, real);
      }
    },
  );

  it('the TTL ladder of a fleet states correct error bounds', () => {
    // Which load comes first depends on the answers of Redis, so that a run differs from the next.
    honest.expectCorrectErrors(0.75);
  });

  it('the TTL ladder of a fleet withholds TTLs shorter than the exchange between instances', async () => {
    const { ladder } = await fleetExperiment(server, { ...STEADY, keys: 100, seconds: 70 }, 12_000);
    expect(ladder.ladder[0]).toMatchObject({
      ttlMs: 3_000,
      hitRate: null,
      withheld: expect.stringMatching(/^exchange: /),
    });
    expect(ladder.ladder[2]).toMatchObject({ ttlMs: 12_000, hitRate: expect.any(Number) });
  });
});
