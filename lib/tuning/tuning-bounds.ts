import type { Duration } from '../cache/base/duration.js';
import { milliseconds } from '../cache/base/duration.js';
import { CacheError } from '../cache/base/errors.js';
import { type GlobMatcher, globMatcher } from '../cache/base/glob.js';

/** The bounds of a pattern's overridden TTL. */
export interface TtlBounds {
  /** @default none */
  minTtl?: Duration;
  /** @default none: an override may store entries without an end */
  maxTtl?: Duration;
}

/** Limits of changes while the application runs. */
export interface TuningOptions {
  /**
   * Bounds of overridden TTLs, by pattern as in statistics (`'feed:*'`) or by a glob over patterns (`'*'`); the longest matching name
   * decides. They also bound automatic TTLs. @default none
   */
  bounds?: Readonly<Record<string, TtlBounds>>;
}

interface Bound {
  readonly glob: string;
  readonly fits: GlobMatcher;
  readonly minMs: number;
  readonly maxMs: number;
}

/** Finds the bounds of a pattern. */
export class TuningBounds {
  readonly #bounds: readonly Bound[];

  constructor({ bounds = {} }: TuningOptions = {}) {
    this.#bounds = Object.entries(bounds)
      .map(([glob, { minTtl = 0, maxTtl }]) => ({
        glob,
        fits: globMatcher(glob),
        minMs: milliseconds(minTtl, 'minTtl'),
        maxMs: maxTtl === undefined ? Infinity : milliseconds(maxTtl, 'maxTtl') || Infinity,
      }))
      .toSorted((one, other) => other.glob.length - one.glob.length);
  }

  of(pattern: string): { readonly minMs: number; readonly maxMs: number } {
    const own = this.#bounds.find(({ glob }) => glob === pattern);
    return own ?? this.#bounds.find(({ fits }) => fits(pattern)) ?? { minMs: 0, maxMs: Infinity };
  }

  /** @throws CacheError `POLICY_OUT_OF_BOUNDS` */
  check(pattern: string, ttlMs: number): void {
    const { minMs, maxMs } = this.of(pattern);
    if (ttlMs >= minMs && ttlMs <= maxMs) return;
    const limit = maxMs === Infinity ? `at least ${minMs} ms` : `from ${minMs} to ${maxMs} ms`;
    throw new CacheError(
      'POLICY_OUT_OF_BOUNDS',
      `ttl: ${ttlMs === Infinity ? 'no expiry' : `${ttlMs} ms`} is outside tuning.bounds of ${pattern}. Give a TTL of ${limit}.`,
    );
  }
}
