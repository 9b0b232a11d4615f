import type { DeclaringMethod } from '../../metrics/judgement.js';
import type { LayerStats, PatternStats } from '../../metrics/snapshot.js';

/*
 * What recommendations are drawn from. Every rule is a pure function of one of these; they are filled in one place, from the statistics
 * of the last hour and from what the sampled accesses showed. A part that nobody observed is undefined: its rules say nothing then.
 */

/** The policy in force, as far as rules ask for it. */
export interface PolicyInForce {
  /** Milliseconds; `Infinity` without an end, null if it follows from the value. */
  readonly ttlMs: number | null;
  readonly staleWhileRevalidateMs: number;
  readonly refreshesAhead: boolean;
  /** True if null and undefined are kept. */
  readonly keepsEmpty: boolean;
  readonly lock: boolean;
}

/** What a TTL would bring: a rung of the ladder. */
export interface TtlRung {
  readonly ttlMs: number;
  /** Null if it is withheld, and so are the others. */
  readonly hitRate: number | null;
  readonly hitRateError: number | null;
  readonly staleShare: number | null;
  readonly staleShareError: number | null;
  readonly loadsPerHour: number | null;
  readonly loadMsPerHour: number | null;
  /** Why there are no figures; undefined if there are. */
  readonly withheld?: string | undefined;
}

/** The rungs of one pattern. */
export interface TtlEvidence {
  readonly ttlMs: number;
  readonly accesses: number;
  readonly observedMs: number;
  readonly ladder: readonly TtlRung[];
  /** The TTL that saves most within the stale share that is allowed; undefined if none is better than today's. */
  readonly advised?: { readonly ttlMs: number } | undefined;
  readonly withheld?: string | undefined;
}

/** One input of a key, and what the cache would do without it. */
export interface KeyPartEvidence {
  /** As the handler names it: `query.utm_source`; `part 2` of a key that code wrote. */
  readonly name: string;
  /** Distinct values seen, estimated. */
  readonly distinct: number;
  /** Hits over loads, where keys did not hold it and values were kept for their TTL. */
  readonly repeats: number;
  readonly repeatsError: number;
  /** Of the loads whose keys differ in this input alone, the share that returned the same value; null if none was compared. */
  readonly sameValue: number | null;
}

/** How the keys of a pattern repeat. */
export interface KeyEvidence {
  readonly loads: number;
  /** Distinct keys that were loaded, estimated. */
  readonly distinctKeys: number;
  /** Share of the distinct keys that were loaded once and never found again, 0–1. */
  readonly askedOnce: number;
  /** Hits over loads, where every value had been kept for its TTL. */
  readonly repeats: number;
  readonly parts: readonly KeyPartEvidence[];
}

/** What became of entries that have ended, of a sample. */
export interface LifetimeEvidence {
  readonly ended: number;
  readonly unread: number;
  /** Mean bytes of one that was never read. */
  readonly unreadBytes: number;
}

/** The largest entries against all: those above {@link aboveBytes}. */
export interface SizeEvidence {
  readonly entries: number;
  readonly aboveBytes: number;
  readonly largeEntries: number;
  /** Shares of the bytes and of the hits that the large ones have, 0–1. */
  readonly bytesShare: number;
  readonly hitsShare: number;
  readonly largestBytes: number;
}

/** Loads after an invalidation, of tracked keys. */
export interface InvalidationEvidence {
  readonly reloads: number;
  /** Those that returned the value which the invalidation removed. */
  readonly unchanged: number;
}

/** Reloads of entries that had expired: how often the value had changed. */
export interface ChangeEvidence {
  readonly compared: number;
  readonly changed: number;
}

/** Loads that returned null or undefined and were not kept. */
export interface EmptyEvidence {
  readonly loads: number;
  /** Those whose key had returned nothing just before, within {@link withinMs}. */
  readonly repeated: number;
  readonly withinMs: number;
}

/** Misses of expired entries. */
export interface ExpiryEvidence {
  readonly expired: number;
  /** How long after the end of an entry nine in ten of them came, milliseconds. */
  readonly withinMs: number;
}

/** Loads of one key in several instances at the same time. */
export interface SharedLoadEvidence {
  readonly loads: number;
  readonly overlapping: number;
  readonly instances: number;
}

/** Cold misses of the first minutes after a start. */
export interface StartEvidence {
  readonly starts: number;
  readonly coldMisses: number;
  readonly distinctKeys: number;
  readonly withinMs: number;
}

/** Entries that a warming strategy wrote. */
export interface WarmedEvidence {
  readonly strategy: string;
  readonly warmed: number;
  readonly read: number;
}

/** Everything known of one pattern. */
export interface PatternEvidence {
  readonly pattern: string;
  /** As `@Cached` writes it, such as `product:{params.id}`; undefined if no handler or method declares it. */
  readonly declared?: string | undefined;
  /** The handlers and methods that declare it. */
  readonly declaredBy?: readonly DeclaringMethod[] | undefined;
  /** Of the last hour, or of what of it was observed. */
  readonly stats: PatternStats;
  /** Hours that {@link stats} cover, more than 0. */
  readonly hours: number;
  readonly policy?: PolicyInForce | undefined;
  /** The share of outdated hits that is acceptable, 0–1. */
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

/** What another size of a memory layer would bring: a rung of its ladder. */
export interface MemoryRung {
  /** Times today's bounds. */
  readonly factor: number;
  /** Null if it is withheld. */
  readonly hitRate: number | null;
  readonly hitRateError: number | null;
}

/** Everything known of one memory layer. */
export interface LayerEvidence {
  readonly layer: string;
  readonly stats: LayerStats;
  readonly hours: number;
  /** Bounds in force; null for none. */
  readonly maxEntries: number | null;
  readonly maxBytes: number | null;
  /** Mean time of a load, milliseconds. */
  readonly loadMs: number;
  readonly ladder: readonly MemoryRung[];
  readonly accesses: number;
  readonly withheld?: string | undefined;
}
