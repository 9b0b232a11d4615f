import { type GlobMatcher, globMatcher } from '../cache/base/glob.js';

/** The default acceptable share of outdated hits, 0–1. */
const MAX_STALE_SHARE = 0.01;

/** Finds the acceptable share of outdated hits of a pattern. */
export class StaleShares {
  readonly #shares: readonly { readonly glob: string; readonly fits: GlobMatcher; readonly share: number }[];

  /** @param shares one for all patterns, or by pattern or glob over patterns: the longest matching one decides. */
  constructor(shares: number | Readonly<Record<string, number>> = {}) {
    this.#shares = Object.entries(typeof shares === 'number' ? { '*': shares } : shares)
      .map(([glob, share]) => ({ glob, fits: globMatcher(glob), share }))
      .toSorted((one, other) => other.glob.length - one.glob.length);
  }

  of(pattern: string): number {
    const own = this.#shares.find(({ glob }) => glob === pattern);
    return (own ?? this.#shares.find(({ fits }) => fits(pattern)))?.share ?? MAX_STALE_SHARE;
  }
}
