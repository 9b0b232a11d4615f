import type { MissReason } from '../../cache/base/observer.js';
import type { ReportedInvalidation, ReportedLoad } from '../../cache/entries/access-stream.js';

/** What happened to a tracked key. */
export const AccessKind = {
  /** A fresh entry was found, in memory or in another layer. */
  hit: 0,
  /** A stale value was served, during a reload or because the origin failed. */
  stale: 1,
  /** No entry was found. This caller loaded the value, or got none. */
  miss: 2,
  /** This caller waited for the load of another. */
  coalesced: 3,
  /** A layer failed. */
  error: 4,
  /** A load or refresh returned a value. */
  load: 5,
  /** A load or refresh failed. */
  loadError: 6,
  /** A value was set or warmed. */
  set: 7,
  /** The entry was deleted, or another process wrote the key. */
  invalidated: 8,
  /** Memory evicted the entry because it was full. */
  evicted: 9,
  /** Memory removed the entry after its TTL. */
  expired: 10,
} as const;
export type AccessKind = (typeof AccessKind)[keyof typeof AccessKind];

/**
 * One event of a tracked key. The same object is reused for the next event: listeners must copy what they keep.
 *
 * The keys are a stratified sample of their pattern. The hottest keys represent only themselves (`weight` 1). Of the others, those whose
 * salted hash is below a threshold are in the sample, and each represents `weight` keys. A sum over accesses, each times `weight`,
 * estimates the sum over all accesses of the pattern.
 */
export interface TrackedAccess {
  readonly kind: AccessKind;
  readonly pattern: string;
  /** Undefined for removals by memory. Mask the key before you show it. */
  readonly key: string | undefined;
  /** The salted hash of the key, the same in every instance of a namespace; 32 bits, never 0. */
  readonly hash: number;
  /** The number of keys of the pattern that this one represents. */
  readonly weight: number;
  /** By the cache's clock, milliseconds since the epoch. Hits of memory are reported together: then the time of the report. */
  readonly at: number;
  /** The number of equal accesses: above 1 only for hits of memory. */
  readonly count: number;
  /** Why there was no fresh entry; 0 for all kinds other than misses. */
  readonly reason: MissReason;
  /** Index of the layer that answered, or -1. */
  readonly layer: number;
  /** The duration of a load, milliseconds; otherwise 0. */
  readonly durationMs: number;
  /** For a load or set: the bytes of the entry; 0 if it was not stored. */
  readonly bytes: number;
  /** For a load or set: the TTL of the entry, milliseconds; 0 if it was not stored, `Infinity` if it does not expire. */
  readonly ttlMs: number;
  /** For a load: whether the value differs from the one before; undefined if that is not known. */
  readonly changed: boolean | undefined;
  /** For a load: whether the key was invalidated after the value before. */
  readonly afterInvalidation: boolean;
  /** For a load or set: whether the value is null or undefined. */
  readonly empty: boolean;
  /** The number of hits since the entry was loaded or set. */
  readonly reads: number;
}

/** Follows the sampled accesses. It must be fast, and limit its memory. Its errors are counted, and the first is logged. */
export interface AccessListener {
  accessed(access: TrackedAccess): void;
  /** Called for a load or refresh of any key that succeeded. @param hash of the key. @param digestOf computes the digest of a value. */
  loaded?(key: string, hash: number, pattern: string, load: ReportedLoad, digestOf: (value: unknown) => number): void;
  /** Called when keys, globs, tags or everything were invalidated. Deleted keys that are tracked are also reported as accesses. */
  invalidated?(what: ReportedInvalidation, at: number): void;
}
