import type { DeclaringMethod } from '../../metrics/judgement.js';
import type { LayerStats, PatternStats } from '../../metrics/snapshot.js';

/*
 * The evidence for recommendations. Every rule is a pure function of one of these; they are filled in one place, from the statistics
 * of the last hour and from the sampled accesses. A part without observations is undefined: its rules give no advice then.
 */

/** The fields of the policy in force that rules use. */
export interface PolicyInForce {
  /** Milliseconds; `Infinity` without an end, null if it follows from the value. */
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
  /** Share of the accesses that a fresh value answers, 0–1. */
  readonly hitRate: number | null;
  /** Half of the 95 % interval of `hitRate`. */
  readonly hitRateError: number | null;
  /** Share of the hits whose value is outdated, 0–1. */
  readonly staleShare: number | null;
  /** Half of the 95 % interval of `staleShare`. */
  readonly staleShareError: number | null;
  readonly loadsPerHour: number | null;
  /** Milliseconds of the origin's time per hour. */
  readonly loadMsPerHour: number | null;
  /** The reason, with the required and the present amount: `observation: 5m of the 10m that it needs`. */
  readonly withheld?: string;
}

/** The rungs of one pattern. */
export interface TtlEvidence {
  readonly ttlMs: number;
  readonly accesses: number;
  readonly observedMs: number;
  readonly ladder: readonly TtlRung[];
  /** The TTL that saves most within the allowed stale share; undefined if none is better than today's. */
  readonly advised?: { readonly ttlMs: number } | undefined;
  readonly withheld?: string | undefined;
}

/** One input of a key, and the effect of leaving it out. */
export interface KeyPartEvidence {
  /** As the handler names it: `query.utm_source`; `part 2` for a key that code wrote. */
  readonly name: string;
  /** Distinct values seen, estimated. */
  readonly distinct: number;
  /** Hits over loads, if keys did not contain it and values were stored for their TTL. */
  readonly repeats: number;
  readonly repeatsError: number;
  /** Of the loads whose keys differ only in this input, the share that returned the same value; null if none was compared. */
  readonly sameValue: number | null;
}

/** How the keys of a pattern repeat. */
export interface KeyEvidence {
  readonly loads: number;
  /** Distinct keys that were loaded, estimated. */
  readonly distinctKeys: number;
  /** Share of the distinct keys that were loaded once and never found again, 0–1. */
  readonly askedOnce: number;
  /** Hits over loads, if every value had been stored for its TTL. */
  readonly repeats: number;
  readonly parts: readonly KeyPartEvidence[];
}

/** A sample of entries that have ended. */
export interface LifetimeEvidence {
  readonly ended: number;
  readonly unread: number;
  /** Mean bytes of an entry that was never read. */
  readonly unreadBytes: number;
}

/** The entries above {@link aboveBytes}, compared with all. */
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
  /** Those that returned the value that the invalidation removed. */
  readonly unchanged: number;
}

/** Reloads of entries that had expired: how often the value had changed. */
export interface ChangeEvidence {
  readonly compared: number;
  readonly changed: number;
}

/** Loads that returned null or undefined, which was not stored. */
export interface EmptyEvidence {
  readonly loads: number;
  /** Those whose key had returned null or undefined just before, within {@link withinMs}. */
  readonly repeated: number;
  readonly withinMs: number;
}

/** Misses of expired entries. */
export interface ExpiryEvidence {
  readonly expired: number;
  /** The time after the end of an entry within which nine in ten of them came, milliseconds. */
  readonly withinMs: number;
  /** Share of those that came within one more TTL, 0–1. */
  readonly soon: number;
}

/** Loads of one key in several instances at the same time. */
export interface SharedLoadEvidence {
  readonly loads: number;
  readonly overlapping: number;
  /** How many of the loads a lock would spare. */
  readonly spared: number;
  readonly instances: number;
}

/** Cold misses of the first minutes after a start. */
export interface StartEvidence {
  readonly starts: number;
  readonly coldMisses: number;
  readonly distinctKeys: number;
  /** Milliseconds of the start in which they were counted: no longer than entries live. */
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
  /** As `@Cached` writes it, such as `product:{params.id}`; undefined if no handler or method declares it. */
  readonly declared?: string | undefined;
  /** The handlers and methods that declare it. */
  readonly declaredBy?: readonly DeclaringMethod[] | undefined;
  /** Of the last hour, or its observed part. */
  readonly stats: PatternStats;
  /** Hours that {@link stats} cover, more than 0. */
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
  /** Times today's bounds. */
  readonly factor: number;
  /** Null if it is withheld. */
  readonly hitRate: number | null;
  readonly hitRateError: number | null;
}

/** The evidence of one memory layer. */
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
