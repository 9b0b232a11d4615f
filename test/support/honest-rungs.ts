import { expect } from '@jest/globals';
import type { TtlRung } from '../../lib/insight/ladder-report.js';

/** The most that a prediction may differ from what happened. */
const MOST_OFF = 0.03;

/** Compares rungs of a TTL ladder with what happened, and counts how often the difference lies within the stated error. */
export class HonestRungs {
  #rungs = 0;
  #hitRates = 0;
  #staleShares = 0;

  /** Expects both shares of a shown rung to be within three points. */
  expectClose(rung: TtlRung, real: { readonly hitRate: number; readonly staleShare: number }): void {
    const hitsOff = Math.abs(rung.hitRate! - real.hitRate);
    const staleOff = Math.abs(rung.staleShare! - real.staleShare);
    expect({ ttlMs: rung.ttlMs, hitsOff, within: hitsOff <= MOST_OFF }).toMatchObject({ within: true });
    expect({ ttlMs: rung.ttlMs, staleOff, within: staleOff <= MOST_OFF }).toMatchObject({ within: true });
    this.#rungs++;
    if (hitsOff <= rung.hitRateError!) this.#hitRates++;
    if (staleOff <= rung.staleShareError!) this.#staleShares++;
  }

  /** Expects this share of the rungs to lie within their stated errors: of few rungs, two may lie outside by chance. */
  expectCorrectErrors(share = 0.9): void {
    expect(this.#hitRates / this.#rungs).toBeGreaterThanOrEqual(share);
    expect(this.#staleShares / this.#rungs).toBeGreaterThanOrEqual(share);
  }
}
