import type { MissReason } from '../../cache/base/observer.js';
import type { ReportedInvalidation, ReportedLoad } from '../../cache/entries/access-stream.js';

/** The kind of an event of a tracked key. */
export const AccessKind = {
  /** Fresh: from memory, or from another layer. */
  hit: 0,
  /** Served stale while it is reloaded, or because its origin failed. */
  stale: 1,
  /** There was no entry, and this caller loaded the value or got none. */
  miss: 2,
  /** It waited for the load of another caller. */
  coalesced: 3,
  /** A layer failed. */
  error: 4,
  /** A load or refresh returned a value. */
  load: 5,
  /** A load or refresh failed. */
  loadError: 6,
  /** A value was set or warmed. */
  set: 7,
  /** It was deleted, or another process wrote it. */
  invalidated: 8,
  /** Memory evicted it for lack of room. */
  evicted: 9,
  /** Memory removed it after its TTL. */
  expired: 10,
} as const;
export type AccessKind = (typeof AccessKind)[keyof typeof AccessKind];

/**
 * One event of a tracked key. The same object is reused for the next event: listeners must copy what they keep.
 *
 * The keys are a stratified sample of their pattern: the hottest ones, each only for itself (`weight` 1), and of the others those whose
 * salted hash is below a threshold, each for `weight` keys. A sum over accesses, each times `weight`, estimates the sum
 * over all accesses of the pattern.
 */
export interface TrackedAccess {
  readonly kind: AccessKind;
  readonly pattern: string;
  /** Undefined for removals by memory. Mask it before it is shown. */
  readonly key: string | undefined;
  /** Of the key, salted: the same in every instance of a namespace. 32 bits, never 0. */
  readonly hash: number;
  /** How many keys of its pattern this one represents. */
  readonly weight: number;
  /** Milliseconds since the epoch, the cache's clock. Hits of memory are reported late and together: `at` is when. */
  readonly at: number;
  /** The number of such accesses: above 1 only for hits of memory. */
  readonly count: number;
  /** Why there was no fresh entry; 0 for all kinds but misses. */
  readonly reason: MissReason;
  /** Index of the layer that answered, or -1. */
  readonly layer: number;
  /** Of a load, milliseconds; else 0. */
  readonly durationMs: number;
  /** Of a load or set: bytes of the entry, 0 if it was not stored. */
  readonly bytes: number;
  /** Of a load or set: the TTL of the entry, milliseconds; 0 if it was not stored, `Infinity` without one. */
  readonly ttlMs: number;
  /** Of a load: whether the value differs from the one before, if that is known. */
  readonly changed: boolean | undefined;
  /** Of a load: the key was invalidated since the value before. */
  readonly afterInvalidation: boolean;
  /** Of a load or set: the value is null or undefined. */
  readonly empty: boolean;
  /** Hits since the entry was loaded or set. */
  readonly reads: number;
}

/** Follows the sampled accesses. It must be fast, and bound its memory. Its errors are counted and logged once. */
export interface AccessListener {
  accessed(access: TrackedAccess): void;
  /** A load or refresh of any key, followed or not, that succeeded. @param hash of the key; @param digestOf computes that of a value. */
  loaded?(key: string, hash: number, pattern: string, load: ReportedLoad, digestOf: (value: unknown) => number): void;
  /** Keys by name, globs, tags or everything were invalidated. Deleted keys that are tracked are reported as accesses, too. */
  invalidated?(what: ReportedInvalidation, at: number): void;
}
