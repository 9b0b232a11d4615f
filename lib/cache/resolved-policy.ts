import type { Duration } from './duration.js';
import type { CachePolicy } from './policy.js';

/** A policy with every field decided, in milliseconds: made once a handler, read on every access. `Infinity` is "never". */
export interface ResolvedPolicy<V = unknown> {
  /** `Infinity` for an entry that does not expire. */
  readonly ttlMs: number;
  readonly ttlOf: ((value: V) => Duration) | undefined;
  readonly staleWhileRevalidateMs: number;
  readonly staleIfErrorMs: number;
  readonly softTimeoutMs: number;
  readonly hardTimeoutMs: number;
  /** True where a fresh entry may have to be refreshed: the only thing the hit path asks. */
  readonly refreshesAhead: boolean;
  /** Fraction of the TTL from which a fresh entry is refreshed; `Infinity` without. */
  readonly refreshFraction: number;
  /** Weight of XFetch's early refresh; 0 without. */
  readonly xfetchBeta: number;
  /** Milliseconds before expiry from which `wrap` refreshes; 0 without. */
  readonly refreshThresholdOf: ((value: V) => number) | undefined;
  readonly jitter: number;
  /** How long null is kept; undefined: as any value; 0: not. */
  readonly nullTtlMs: number | undefined;
  /** How long undefined is kept; 0: not. */
  readonly undefinedTtlMs: number;
  readonly cacheIf: ((value: V) => boolean) | undefined;
  readonly lock: boolean;
  readonly waitTimeoutMs: number;
  readonly tags: readonly string[];
  readonly tagsOf: ((value: V) => readonly string[]) | undefined;
  readonly maxEntrySize: number;
  readonly clone: boolean;
}

export type PolicySource<V> = CachePolicy<V> & { refreshThreshold?: number | ((value: V) => number) };
