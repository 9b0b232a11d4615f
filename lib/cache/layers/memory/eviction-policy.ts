import type { KeptEntry } from '../../entries/kept-entry.js';

/** The names of the policies. */
export type Eviction = 'worth' | 'lru';

/** The limits of a memory layer. `Infinity`: no limit. */
export interface MemoryBounds {
  readonly maxEntries: number;
  readonly maxBytes: number;
}

/** The fields of an entry that a policy reads, and those that hold its order. */
export interface Evictable<E> {
  readonly key: string | undefined;
  readonly bytes: number;
  /** The load time of the entry, milliseconds; 0 if it was set. */
  cost: number;
  readonly createdAt: number;
  /** A count that the policy stores with this entry. */
  tally: number;
  /** The neighbours of the entry in a list of the policy. */
  older: E | undefined;
  newer: E | undefined;
  /** When the policy queued the entry, in the policy's own unit of time. */
  queuedAt: number;
  /** Fingerprint of the key; 0 while unknown. */
  fingerprint: number;
}

/**
 * Decides which entry of a memory layer is evicted next. It stores the order in fields of the entries (`older`, `newer`, `tally` …), so
 * that it allocates nothing per entry. The layer finds entries, counts bytes and reports.
 */
export interface EvictionPolicy<E extends Evictable<E> = KeptEntry> {
  readonly name: Eviction;
  /** Records a request of an entry. Runs on every hit and allocates nothing. */
  use(entry: E): void;
  /** Records several requests of one entry at once. */
  useOften(entry: E, times: number): void;
  /** Prepares a new entry before it is added to the order. Receives the entry that it replaces, if any. */
  recall(entry: E, replaced: E | undefined): void;
  /** Adds an entry to the order. */
  add(entry: E): void;
  /** Removes an entry from the order. */
  remove(entry: E): void;
  /** Removes an entry that has expired or whose tag was invalidated. The policy remembers the key, for the case that it comes back. */
  expire(entry: E): void;
  /** Removes and returns the entry to evict. Call it only while there is an entry. @param now milliseconds */
  evict(now: number): E;
  clear(): void;
  /**
   * Returns all entries. If copies are added to another policy in this order, it has the same order, unless an entry was evicted before.
   */
  inOrder(): Iterable<E>;
  /** Returns the keys with the most requests, most first, in steps. @param entries all stored entries */
  hottest(entries: Iterable<E>, limit: number): Generator<void, string[]>;
  /**
   * The milliseconds of load time that evicted entries saved per megabyte and minute, as the mean of the last evictions. Undefined before
   * the first eviction, or if the policy does not measure it.
   */
  readonly evictedWorth?: number | undefined;
}
