import type { DeclaringMethod } from '../../metrics/judgement.js';
import type { LayerStats, PatternStats } from '../../metrics/snapshot.js';

/*
 * The evidence for recommendations. Every rule is a pure function of the evidence of one pattern or layer. `CacheEvidence` fills it from
 * the statistics of the last hour and the sampled accesses. A part without observations is undefined: its rules then give no advice.
 */

/** The fields of the policy in force that rules use. */
export interface PolicyInForce {
  /** Milliseconds; `Infinity` if values do not expire, null if a function computes it from the value. */
  readonly ttlMs: number | null;
  readonly staleWhileRevalidateMs: number;
  readonly refreshesAhead: boolean;
  /** True if null and undefined are stored. */
  readonly keepsEmpty: boolean;
  readonly lock: boolean;
}

/** One TTL of a ladder. Withheld figures are null. */
export interface TtlRung {
  /** Milliseconds. */
  readonly ttlMs: number;
  /** The share of accesses that are hits, 0–1. */
  readonly hitRate: number | null;
  /** Half of the 95 % interval of `hitRate`. */
  readonly hitRateError: number | null;
  /** The share of hits with an outdated value, 0–1. */
  readonly staleShare: number | null;
  /** Half of the 95 % interval of `staleShare`. */
  readonly staleShareError: number | null;
  readonly loadsPerHour: number | null;
  /** The load time per hour, milliseconds. */
  readonly loadMsPerHour: number | null;
  /** The reason, with the required and the current amount: `observation: 5m of the 10m that it needs`. */
  readonly withheld?: string;
}

/** The rungs of one pattern. */
export interface TtlEvidence {
  readonly ttlMs: number;
  readonly accesses: number;
  readonly observedMs: number;
  readonly ladder: readonly TtlRung[];
  /** The TTL that saves most time within the allowed stale share; undefined if none is better than today's. */
  readonly advised?: { readonly ttlMs: number } | undefined;
  readonly withheld?: string | undefined;
}

/** One input of a key, and the effect of removing it. */
export interface KeyPartEvidence {
  /** The name of the input in the handler: `query.utm_source`; `part 2` for a key that code made. */
  readonly name: string;
  /** The estimated number of distinct values. */
  readonly distinct: number;
  /** Hits over loads if keys did not contain this input and every value was stored for its TTL. */
  readonly repeats: number;
  readonly repeatsError: number;
  /** The share of equal values among loads whose keys differ only in this input; null if none was compared. */
  readonly sameValue: number | null;
}

/** How the keys of a pattern repeat. */
export interface KeyEvidence {
  readonly loads: number;
  /** The estimated number of distinct keys that were loaded. */
  readonly distinctKeys: number;
  /** The share of distinct keys that were loaded once and not again, 0–1. */
  readonly askedOnce: number;
  /** Hits over loads if every value was stored for its TTL. */
  readonly repeats: number;
  readonly parts: readonly KeyPartEvidence[];
}

/** A sample of entries that have ended. */
export interface LifetimeEvidence {
  readonly ended: number;
  readonly unread: number;
  /** The mean size of an entry that was never read, bytes. */
  readonly unreadBytes: number;
}

/** The entries above {@link aboveBytes}, compared with all entries. */
export interface SizeEvidence {
  readonly entries: number;
  readonly aboveBytes: number;
  readonly largeEntries: number;
  /** The share of all bytes and of all hits that the large entries have, 0–1. */
  readonly bytesShare: number;
  readonly hitsShare: number;
  readonly largestBytes: number;
}

/** Loads after an invalidation, of tracked keys. */
export interface InvalidationEvidence {
  readonly reloads: number;
  /** The number of reloads that returned the value that had been invalidated. */
  readonly unchanged: number;
}

/** Reloads of expired entries: how often the value had changed. */
export interface ChangeEvidence {
  readonly compared: number;
  readonly changed: number;
}

/** Loads that returned null or undefined, which was not stored. */
export interface EmptyEvidence {
  readonly loads: number;
  /** The number of loads whose key had returned null or undefined within {@link withinMs} before. */
  readonly repeated: number;
  readonly withinMs: number;
}

/** Misses of expired entries. */
export interface ExpiryEvidence {
  readonly expired: number;
  /** The time after the end of an entry within which nine in ten of these misses happened, milliseconds. */
  readonly withinMs: number;
  /** The share of these misses within one TTL after the end, 0–1. */
  readonly soon: number;
}

/** Loads of one key in several instances at the same time. */
export interface SharedLoadEvidence {
  readonly loads: number;
  readonly overlapping: number;
  /** The number of loads that a lock would avoid. */
  readonly spared: number;
  readonly instances: number;
}

/** Cold misses of the first minutes after a start. */
export interface StartEvidence {
  readonly starts: number;
  readonly coldMisses: number;
  readonly distinctKeys: number;
  /** The time after the start in which they were counted, milliseconds; at most the TTL. */
  readonly withinMs: number;
  /** How long ago the start was, milliseconds. */
  readonly agoMs: number;
}

/** Entries that a warming strategy wrote. */
export interface WarmedEvidence {
  readonly strategy: string;
  readonly warmed: number;
  readonly read: number;
}

/** The evidence of one pattern. */
export interface PatternEvidence {
  readonly pattern: string;
  /** The pattern as `@Cached` writes it, such as `product:{params.id}`; undefined if no handler or method declares it. */
  readonly declared?: string | undefined;
  /** The handlers and methods that declare it. */
  readonly declaredBy?: readonly DeclaringMethod[] | undefined;
  /** Statistics of the last hour, or of the part that was observed. */
  readonly stats: PatternStats;
  /** The number of hours that {@link stats} cover, more than 0. */
  readonly hours: number;
  readonly policy?: PolicyInForce | undefined;
  /** The acceptable share of outdated hits, 0–1. */
  readonly maxStaleShare: number;
  readonly ttl?: TtlEvidence | undefined;
  readonly keys?: KeyEvidence | undefined;
  readonly lifetimes?: LifetimeEvidence | undefined;
  readonly sizes?: SizeEvidence | undefined;
  readonly invalidations?: InvalidationEvidence | undefined;
  readonly changes?: ChangeEvidence | undefined;
  readonly empty?: EmptyEvidence | undefined;
  readonly expiry?: ExpiryEvidence | undefined;
  readonly sharedLoads?: SharedLoadEvidence | undefined;
  readonly starts?: StartEvidence | undefined;
  readonly warmed?: readonly WarmedEvidence[] | undefined;
}

/** The effect of another size of a memory layer: a rung of its ladder. */
export interface MemoryRung {
  /** The size, as a multiple of today's bounds. */
  readonly factor: number;
  /** Null if the figures are withheld. */
  readonly hitRate: number | null;
  readonly hitRateError: number | null;
}

/** The evidence of one memory layer. */
export interface LayerEvidence {
  readonly layer: string;
  readonly stats: LayerStats;
  readonly hours: number;
  /** The bounds in force; null if unlimited. */
  readonly maxEntries: number | null;
  readonly maxBytes: number | null;
  /** Mean time of a load, milliseconds. */
  readonly loadMs: number;
  readonly ladder: readonly MemoryRung[];
  readonly accesses: number;
  readonly withheld?: string | undefined;
}
