import type { MissReason } from '../../cache/base/observer.js';
import type { ReportedInvalidation, ReportedLoad } from '../../cache/entries/access-stream.js';

/** What happened to a tracked key. */
export const AccessKind = {
  /** Fresh: from memory, or from another layer. */
  hit: 0,
  /** Served stale while it is reloaded, or because its origin failed. */
  stale: 1,
  /** Nothing was there and this caller loaded it, or got nothing. */
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
  /** Memory let it go for want of room. */
  evicted: 9,
  /** Memory let it go after its TTL. */
  expired: 10,
} as const;
export type AccessKind = (typeof AccessKind)[keyof typeof AccessKind];

/**
 * One access to a tracked key. The same object carries the next access: listeners copy what they keep.
 *
 * The keys are a stratified sample of their pattern: the hottest ones, each for itself (`weight` 1), and of the others those whose
 * salted hash is below a threshold, each for `weight` keys. A sum over accesses of what interests, times `weight`, estimates the sum
 * over all accesses of the pattern.
 */
export interface TrackedAccess {
  readonly kind: AccessKind;
  readonly pattern: string;
  /** Undefined for what memory lets go. Mask it before it is shown. */
  readonly key: string | undefined;
  /** Of the key, salted: the same in every instance of a namespace. 32 bits, never 0. */
  readonly hash: number;
  /** How many keys of its pattern this one stands for. */
  readonly weight: number;
  /** Milliseconds since the epoch, the cache's clock. Hits of memory are reported late and together: `at` is when. */
  readonly at: number;
  /** How many such accesses: above 1 for hits of memory alone. */
  readonly count: number;
  /** Why nothing fresh was there; 0 for all but misses. */
  readonly reason: MissReason;
  /** Index of the layer that answered, or -1. */
  readonly layer: number;
  /** Of a load, milliseconds; else 0. */
  readonly durationMs: number;
  /** Of a load or set: bytes of the entry, 0 where it was not kept. */
  readonly bytes: number;
  /** Of a load or set: the TTL of the entry, milliseconds; 0 where it was not kept, `Infinity` without one. */
  readonly ttlMs: number;
  /** Of a load: whether the value differs from the one before, where that is known. */
  readonly changed: boolean | undefined;
  /** Of a load: the key was invalidated since the value before. */
  readonly afterInvalidation: boolean;
  /** Of a load or set: the value is null or undefined. */
  readonly empty: boolean;
  /** Hits since the entry was loaded or set. */
  readonly reads: number;
}

/** Follows the sampled accesses. It must be quick, and bounded in what it keeps. What it throws is counted and logged once. */
export interface AccessListener {
  accessed(access: TrackedAccess): void;
  /** A load or refresh of any key, followed or not, that succeeded. @param hash of the key; @param digestOf computes that of a value. */
  loaded?(key: string, hash: number, pattern: string, load: ReportedLoad, digestOf: (value: unknown) => number): void;
  /** Keys by name, globs, tags or everything were invalidated. Deleted keys that are tracked are reported as accesses, too. */
  invalidated?(what: ReportedInvalidation, at: number): void;
}
