import { describe, expect, it } from '@jest/globals';
import { HonestRungs } from '../../support/honest-rungs.js';
import type { TrafficOptions } from '../../support/seeded-traffic.js';
import { ladderExperiment } from '../../support/ttl-experiment.js';

const STEADY: TrafficOptions = {
  seed: 101, keys: 400, zipf: 0.9, perSecond: 20, seconds: 1_200, crawler: 0, drift: 0, changeSeconds: 900, changing: 0.5,
  announced: 0,
}; // prettier-ignore

const CASES: readonly (readonly [name: string, traffic: TrafficOptions])[] = [
  ['of few keys whose values change silently', STEADY],
  ['of many keys with a crawler', { ...STEADY, seed: 102, keys: 4_000, zipf: 1.1, crawler: 0.1, changeSeconds: Infinity }],
  ['whose hottest keys change, with half of the changes announced', { ...STEADY, seed: 103, keys: 1_000, zipf: 1, drift: 30, announced: 0.5 }],
  ['that is nearly even, with announced changes', { ...STEADY, seed: 104, keys: 300, zipf: 0.7, announced: 1 }],
]; // prettier-ignore

/** Compares the rungs of all cases. */
const honest = new HonestRungs();

describe('the TTL ladder', () => {
  it.each(CASES)('the TTL ladder predicts the hit rate and stale share of traffic %s', async (_, traffic) => {
    const { ladder, realised } = await ladderExperiment(traffic, 60_000);
    const shown = ladder.ladder.filter(({ hitRate }) => hitRate !== null);
    expect(shown.length).toBeGreaterThan(3);
    for (const rung of shown) {
      const real = realised.find(({ ttlMs }) => ttlMs === rung.ttlMs)!;
      honest.expectClose(rung, real);
    }
  });

  it('the TTL ladder states correct error bounds', () => {
    honest.expectCorrectErrors();
  });
});
