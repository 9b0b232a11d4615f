import { describe, expect, it } from '@jest/globals';
import { fleetExperiment } from '../../support/fleet-experiment.js';
import { HonestRungs } from '../../support/honest-rungs.js';
import type { TrafficOptions } from '../../support/seeded-traffic.js';

const STEADY: TrafficOptions = {
  seed: 611, keys: 250, zipf: 0.9, perSecond: 30, seconds: 330, crawler: 0, drift: 0, changeSeconds: 600, changing: 0.5,
  announced: 0,
}; // prettier-ignore

const CASES: readonly (readonly [name: string, traffic: TrafficOptions])[] = [
  ['of few keys whose values change silently', STEADY],
  ['of many keys with a crawler', { ...STEADY, seed: 612, keys: 2_500, zipf: 1.1, crawler: 0.1, changeSeconds: Infinity }],
  ['whose hottest keys change, with half of the changes announced', { ...STEADY, seed: 613, keys: 600, zipf: 1, drift: 20, announced: 0.5 }],
]; // prettier-ignore

/** Compares the rungs of all cases. */
const honest = new HonestRungs();

describe('the TTL ladder of a fleet', () => {
  it.each(CASES)(
    'the TTL ladder of a fleet predicts the hit rate and stale share of traffic %s',
    async (_, traffic) => {
      const { ladder, realised } = await fleetExperiment(traffic, 20_000);
      expect(realised.length).toBeGreaterThan(3);
      for (const real of realised) {
        const rung = ladder.ladder.find(({ ttlMs }) => ttlMs === real.ttlMs)!;
        honest.expectClose(rung, real);
      }
    },
  );

  it('the TTL ladder of a fleet states correct error bounds', () => {
    honest.expectCorrectErrors();
  });

  it('the TTL ladder of a fleet withholds TTLs shorter than the exchange between instances', async () => {
    const { ladder } = await fleetExperiment({ ...STEADY, seed: 614, seconds: 120 }, 12_000);
    expect(ladder.ladder[0]).toMatchObject({
      ttlMs: 3_000,
      hitRate: null,
      withheld: expect.stringMatching(/^exchange: /),
    });
    expect(ladder.ladder[2]).toMatchObject({ ttlMs: 12_000, hitRate: expect.any(Number) });
  });
});
