import { type Duration, milliseconds } from '../base/duration.js';
import { DEFAULT_TTL } from './default-ttl.js';
import { type AutomaticTtlBounds, automaticTtl, isAutomatic } from './automatic-ttl.js';
import { listedClasses, type ListedClass } from '../entries/listed-classes.js';
import { checkTags } from '../base/keys.js';
import type { CachePolicy } from './policy.js';
import { checkTypes, policyError } from './policy-rules.js';

/** A policy with every field set, in milliseconds. It is created once per handler and read on every access. `Infinity` means "never". */
export interface ResolvedPolicy<V = unknown> {
  /** `Infinity` if entries do not expire. */
  readonly ttlMs: number;
  /** The bounds of an automatic TTL; undefined if the TTL is not automatic. */
  readonly automaticTtl: AutomaticTtlBounds | undefined;
  readonly ttlOf: ((value: V) => Duration) | undefined;
  readonly staleWhileRevalidateMs: number;
  readonly staleIfErrorMs: number;
  readonly softTimeoutMs: number;
  readonly hardTimeoutMs: number;
  /** True if a hit may have to start a refresh. The hit path reads only this field. */
  readonly refreshesAhead: boolean;
  /** The fraction of the TTL after which a hit refreshes the entry; `Infinity` for no refresh. */
  readonly refreshFraction: number;
  /** The weight of XFetch's early refresh; 0 for no such refresh. */
  readonly xfetchBeta: number;
  /** The milliseconds before expiry in which `wrap` refreshes; undefined for no refresh. */
  readonly refreshThreshold: number | ((value: V) => number) | undefined;
  readonly jitter: number;
  /** How long null is stored. Undefined: as long as any value. 0: not stored. */
  readonly nullTtlMs: number | undefined;
  /** How long undefined is stored. 0: not stored. */
  readonly undefinedTtlMs: number;
  readonly cacheIf: ((value: V) => boolean) | undefined;
  readonly lock: boolean;
  readonly waitTimeoutMs: number;
  readonly tags: readonly string[];
  readonly tagsOf: ((value: V) => readonly string[]) | undefined;
  readonly maxEntrySize: number;
  readonly clone: boolean;
  /** Classes of instances in the values, in addition to those of the whole cache. */
  readonly classes: readonly ListedClass[];
}

/** A policy before it is resolved, with the field that `wrap` adds. */
export type PolicySource<V> = CachePolicy<V> & { refreshThreshold?: number | ((value: V) => number) };

/**
 * Sets every field of a policy. Fields that the policy leaves open come from the defaults.
 * @throws CacheError `INVALID_OPTIONS` or `INVALID_DURATION`, which lists every fault.
 */
export function resolvePolicy<V>(policy: PolicySource<V>, defaults: CachePolicy): ResolvedPolicy<V> {
  try {
    checkTypes(policy);
    return decided(policy, defaults);
  } catch (cause) {
    throw policyError(policy) ?? cause;
  }
}

function decided<V>(policy: PolicySource<V>, defaults: CachePolicy): ResolvedPolicy<V> {
  const merged = { ...(defaults as PolicySource<V>), ...definedOf(policy) };
  const ahead = refreshAhead(merged.refreshAhead);
  const threshold = merged.refreshThreshold;
  const automatic = automaticTtl(merged.ttl);
  if (Array.isArray(merged.tags)) checkTags(merged.tags);
  return {
    ttlMs: automatic?.startMs ?? lifetime(fixedTtl(merged) ?? fixedTtl(defaults) ?? DEFAULT_TTL, 'ttl'),
    automaticTtl: automatic,
    ttlOf: typeof merged.ttl === 'function' ? merged.ttl : undefined,
    staleWhileRevalidateMs: milliseconds(merged.staleWhileRevalidate ?? 0, 'staleWhileRevalidate'),
    staleIfErrorMs: milliseconds(merged.staleIfError ?? 0, 'staleIfError'),
    softTimeoutMs: merged.softTimeout === undefined ? Infinity : milliseconds(merged.softTimeout, 'softTimeout'),
    hardTimeoutMs: lifetime(merged.hardTimeout ?? '30s', 'hardTimeout'),
    ...ahead,
    refreshesAhead: ahead.refreshFraction < Infinity || ahead.xfetchBeta > 0 || threshold !== undefined,
    refreshThreshold: threshold,
    jitter: merged.jitter ?? 0,
    ...negative(merged.negativeTtl),
    cacheIf: merged.cacheIf,
    lock: merged.lock ?? false,
    waitTimeoutMs: merged.waitTimeout === undefined ? Infinity : milliseconds(merged.waitTimeout, 'waitTimeout'),
    tags: Object.freeze(typeof merged.tags === 'function' ? [] : [...(merged.tags ?? [])]),
    tagsOf: typeof merged.tags === 'function' ? merged.tags : undefined,
    maxEntrySize: merged.maxEntrySize ?? Infinity,
    clone: merged.clone ?? false,
    classes: policy.classes === undefined ? NO_CLASSES : listedClasses(policy.classes),
  };
}

/**
 * The resolved fields of each option that a call can inherit. `clone`, `refreshAhead` and `classes` are not inherited, because they concern
 * reads, not the stored entry.
 */
const DECIDED_BY: Partial<Record<keyof CachePolicy, readonly (keyof ResolvedPolicy)[]>> = {
  ttl: ['ttlMs', 'automaticTtl', 'ttlOf'],
  staleWhileRevalidate: ['staleWhileRevalidateMs'],
  staleIfError: ['staleIfErrorMs'],
  softTimeout: ['softTimeoutMs'],
  hardTimeout: ['hardTimeoutMs'],
  jitter: ['jitter'],
  negativeTtl: ['nullTtlMs', 'undefinedTtlMs'],
  cacheIf: ['cacheIf'],
  lock: ['lock'],
  waitTimeout: ['waitTimeoutMs'],
  tags: ['tags', 'tagsOf'],
  maxEntrySize: ['maxEntrySize'],
};
const INHERITED = Object.entries(DECIDED_BY) as [keyof CachePolicy, readonly (keyof ResolvedPolicy)[]][];

/** Returns the `resolved` policy, with the `inherited` value of every option that `named` leaves open. */
export function inheriting<V>(
  inherited: ResolvedPolicy<V>,
  named: PolicySource<V> | undefined,
  resolved: ResolvedPolicy<V>,
): ResolvedPolicy<V> {
  const policy: Record<string, unknown> = { ...resolved };
  for (const [option, fields] of INHERITED) {
    if (named?.[option] !== undefined) continue;
    for (const field of fields) policy[field] = inherited[field];
  }
  return policy as unknown as ResolvedPolicy<V>;
}

const NO_CLASSES: readonly ListedClass[] = Object.freeze([]);

/** Returns the milliseconds of a TTL, or `Infinity` for 0, which means "forever". */
export function lifetime(ttl: Duration, option = 'ttl'): number {
  return milliseconds(ttl, option) || Infinity;
}

function definedOf<P extends object>(policy: P): P {
  return Object.fromEntries(Object.entries(policy).filter(([, value]) => value !== undefined)) as P;
}

function fixedTtl({ ttl }: CachePolicy<never>): Duration | undefined {
  return typeof ttl === 'function' || isAutomatic(ttl) ? undefined : ttl;
}

function negative(ttl: Duration | false | undefined): Pick<ResolvedPolicy, 'nullTtlMs' | 'undefinedTtlMs'> {
  if (ttl === undefined) return { nullTtlMs: undefined, undefinedTtlMs: 0 };
  const kept = ttl === false ? 0 : milliseconds(ttl, 'negativeTtl');
  return { nullTtlMs: kept, undefinedTtlMs: kept };
}

function refreshAhead(option: CachePolicy['refreshAhead']): Pick<ResolvedPolicy, 'refreshFraction' | 'xfetchBeta'> {
  if (option === undefined) return { refreshFraction: Infinity, xfetchBeta: 0 };
  if (option === 'xfetch') return { refreshFraction: Infinity, xfetchBeta: 1 };
  if (typeof option === 'number') return { refreshFraction: fractionOf(option), xfetchBeta: 0 };
  const beta = option.beta ?? 1;
  return {
    refreshFraction: option.fraction === undefined ? Infinity : fractionOf(option.fraction),
    xfetchBeta: (option.xfetch ?? option.beta !== undefined) ? beta : 0,
  };
}

/** A fraction of 1 would refresh at expiry, so it means no refresh ahead, and hits need not check it. */
function fractionOf(value: number): number {
  return value === 1 ? Infinity : value;
}
