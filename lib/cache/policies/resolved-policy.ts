import { type Duration, milliseconds } from '../duration.js';
import { CacheError } from '../errors.js';
import type { CachePolicy } from '../policy.js';

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

/** A policy as it is written, with what `wrap` adds to it. */
export type PolicySource<V> = CachePolicy<V> & { refreshThreshold?: number | ((value: V) => number) };

/**
 * Decides every field of a policy, taking what it leaves open from the defaults.
 * @throws CacheError `INVALID_OPTIONS` or `INVALID_DURATION`, naming the field.
 */
export function resolvePolicy<V>(policy: PolicySource<V>, defaults: CachePolicy): ResolvedPolicy<V> {
  const merged = { ...(defaults as PolicySource<V>), ...definedOf(policy) };
  const ahead = refreshAhead(merged.refreshAhead);
  const threshold = merged.refreshThreshold;
  return {
    ttlMs: lifetime(typeof merged.ttl === 'function' ? (fixedTtl(defaults) ?? '5m') : (merged.ttl ?? '5m'), 'ttl'),
    ttlOf: typeof merged.ttl === 'function' ? merged.ttl : undefined,
    staleWhileRevalidateMs: milliseconds(merged.staleWhileRevalidate ?? 0, 'staleWhileRevalidate'),
    staleIfErrorMs: milliseconds(merged.staleIfError ?? 0, 'staleIfError'),
    softTimeoutMs: merged.softTimeout === undefined ? Infinity : milliseconds(merged.softTimeout, 'softTimeout'),
    hardTimeoutMs: lifetime(merged.hardTimeout ?? '30s', 'hardTimeout'),
    ...ahead,
    refreshesAhead: ahead.refreshFraction < Infinity || ahead.xfetchBeta > 0 || threshold !== undefined,
    refreshThresholdOf: typeof threshold === 'number' ? () => threshold : threshold,
    jitter: share(merged.jitter ?? 0, 'jitter'),
    ...negative(merged.negativeTtl),
    cacheIf: merged.cacheIf,
    lock: merged.lock ?? false,
    waitTimeoutMs: merged.waitTimeout === undefined ? Infinity : milliseconds(merged.waitTimeout, 'waitTimeout'),
    tags: Object.freeze(typeof merged.tags === 'function' ? [] : [...(merged.tags ?? [])]),
    tagsOf: typeof merged.tags === 'function' ? merged.tags : undefined,
    maxEntrySize: merged.maxEntrySize ?? Infinity,
    clone: merged.clone ?? false,
  };
}

/** Milliseconds of a TTL; 0 is for ever: `Infinity`. */
export function lifetime(ttl: Duration, option = 'ttl'): number {
  return milliseconds(ttl, option) || Infinity;
}

function definedOf<P extends object>(policy: P): P {
  return Object.fromEntries(Object.entries(policy).filter(([, value]) => value !== undefined)) as P;
}

function fixedTtl({ ttl }: CachePolicy): Duration | undefined {
  return typeof ttl === 'function' ? undefined : ttl;
}

function negative(ttl: Duration | false | undefined): Pick<ResolvedPolicy, 'nullTtlMs' | 'undefinedTtlMs'> {
  if (ttl === undefined) return { nullTtlMs: undefined, undefinedTtlMs: 0 };
  const kept = ttl === false ? 0 : milliseconds(ttl, 'negativeTtl');
  return { nullTtlMs: kept, undefinedTtlMs: kept };
}

function refreshAhead(option: CachePolicy['refreshAhead']): Pick<ResolvedPolicy, 'refreshFraction' | 'xfetchBeta'> {
  if (option === undefined) return { refreshFraction: Infinity, xfetchBeta: 0 };
  if (option === 'xfetch') return { refreshFraction: Infinity, xfetchBeta: 1 };
  if (typeof option === 'number') return { refreshFraction: fractionOf(option, 'refreshAhead'), xfetchBeta: 0 };
  const beta = option.beta ?? 1;
  if (!(beta > 0) || beta === Infinity) throw invalid('refreshAhead.beta', beta, 'a number above 0');
  return {
    refreshFraction: option.fraction === undefined ? Infinity : fractionOf(option.fraction, 'refreshAhead.fraction'),
    xfetchBeta: (option.xfetch ?? option.beta !== undefined) ? beta : 0,
  };
}

/** From the end of its life on is when it has expired: no refresh ahead, and nothing that hits would have to look at. */
function fractionOf(value: number, option: string): number {
  return share(value, option) === 1 ? Infinity : value;
}

function share(value: number, option: string): number {
  if (typeof value !== 'number' || !(value >= 0 && value <= 1)) throw invalid(option, value, 'a number from 0 to 1');
  return value;
}

function invalid(option: string, value: unknown, allowed: string): CacheError {
  return new CacheError('INVALID_OPTIONS', `${option}: ${String(value)} is not ${allowed}.`);
}
