import { describe, expect, it } from '@jest/globals';
import { Anomalies } from '../../../../lib/insight/alerts/anomalies.js';
import { type Baselines, baselinesBytes, readBaselines } from '../../../../lib/insight/alerts/baselines.js';
import type { Minute } from '../../../../lib/insight/alerts/minute.js';
import { seededRandom } from '../../../support/seeded-traffic.js';

const MINUTE = 60_000;
const START = Date.UTC(2026, 0, 5);

const minute = (at: number, hitRate: number): Minute => {
  const requests = 300;
  const hits = Math.round(requests * hitRate);
  return { at, minutes: 1, requests, hits, loads: requests - hits, loadP95Ms: 20, failures: 0, attempts: 600, invalidations: 2 };
}; // prettier-ignore

/** Half an hour with a hit rate of about 90 %, then ten minutes with 75 %. @returns whether the fall is found. */
function findsDrop(anomalies: Anomalies, from: number, steadyMinutes: number): boolean {
  const random = seededRandom(3);
  for (let n = 0; n < steadyMinutes + 10; n++) {
    const hitRate = n < steadyMinutes ? 0.9 + 0.01 * (random() - 0.5) : 0.75;
    const one = minute(from + n * MINUTE, hitRate);
    anomalies.observe(one, [['feed:*', one]], false);
  }
  return anomalies.conditions().some(({ code }) => code === 'HIT_RATE_DROP');
}

function saved(anomalies: Anomalies, at: number): Baselines {
  const steps = anomalies.save(at);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return readBaselines(baselinesBytes(step.value))!;
  }
}

function learned(minutes: number): Baselines {
  const anomalies = new Anomalies();
  const random = seededRandom(4);
  for (let n = 0; n < minutes; n++) {
    const one = minute(START + n * MINUTE, 0.9 + 0.01 * (random() - 0.5));
    anomalies.observe(one, [['feed:*', one]], false);
  }
  return saved(anomalies, START + minutes * MINUTE);
}

describe('saved baselines', () => {
  it('a saved baseline finds a drop that begins with a restart', () => {
    const from = START + 70 * MINUTE;
    const restarted = new Anomalies();
    restarted.load(learned(60), from);
    expect(findsDrop(restarted, from, 0)).toBe(true);
    expect(findsDrop(new Anomalies(), from, 0)).toBe(false);
  });

  it('an old baseline gives no current level, but its hours are used', () => {
    const days = 3 * 24 * 60;
    const from = START + (days + 60) * MINUTE;
    const restarted = new Anomalies();
    restarted.load(learned(days), from);
    expect(findsDrop(restarted, from, 0)).toBe(false);
    expect(findsDrop(restarted, from + 10 * MINUTE, 60)).toBe(true);
  });

  it('a damaged baseline is ignored', () => {
    const bytes = baselinesBytes(learned(60));
    const random = seededRandom(5);
    for (let round = 0; round < 500; round++) {
      const copy = bytes.slice(0, random() < 0.5 ? bytes.length : Math.floor(random() * bytes.length));
      if (copy.length > 0) copy[Math.floor(random() * copy.length)] = Math.floor(random() * 256);
      const read = readBaselines(copy);
      if (read !== undefined) expect(() => new Anomalies().load(read, START)).not.toThrow();
    }
    expect(readBaselines(bytes.slice(0, -1))).toBeUndefined();
    const shorter = new Map([['', new Float32Array(3)]]);
    const anomalies = new Anomalies();
    anomalies.load({ at: START, series: shorter }, START);
    expect(findsDrop(anomalies, START, 60)).toBe(true);
  });
});
