import type { KeptEntry } from '../../entries/kept-entry.js';

/** The names of the policies. */
export type Eviction = 'worth' | 'lru';

/** The bounds of a memory layer. `Infinity`: unbounded. */
export interface MemoryBounds {
  readonly maxEntries: number;
  readonly maxBytes: number;
}

/** The fields of an entry that a policy reads, and those in which it keeps its order. */
export interface Evictable<E> {
  readonly key: string | undefined;
  readonly bytes: number;
  /** Milliseconds of its load; 0 for an entry that was set. */
  cost: number;
  readonly createdAt: number;
  /** A count that the policy keeps for this entry. */
  tally: number;
  /** Its neighbours in a list of the policy. */
  older: E | undefined;
  newer: E | undefined;
  /** When the policy queued it, in the policy's own unit of time. */
  queuedAt: number;
  /** Fingerprint of its key; 0 while unknown. */
  fingerprint: number;
}

/**
 * Decides which entry of a memory layer is evicted next. It keeps the order in fields of the entries (`older`,
 * `newer`, `tally` …), so that it allocates nothing per entry; the layer finds entries, counts bytes and reports.
 */
export interface EvictionPolicy<E extends Evictable<E> = KeptEntry> {
  readonly name: Eviction;
  /** Called for each requested entry. It runs on every hit: it allocates nothing. */
  use(entry: E): void;
  /** Counts several requests of one entry at once. */
  useOften(entry: E, times: number): void;
  /** Called before an entry is added, with the entry that it replaces, if any; the new entry is not in the order yet. */
  recall(entry: E, replaced: E | undefined): void;
  /** Adds an entry to the order. */
  add(entry: E): void;
  /** Removes an entry from the order. */
  remove(entry: E): void;
  /** Removes an entry that has expired or whose tag was invalidated: its key stays known for when it comes back. */
  expire(entry: E): void;
  /** Removes and returns the entry to evict; only called while there is one. @param now milliseconds */
  evict(now: number): E;
  clear(): void;
  /** All entries. Adding copies to another policy in this order gives the same order, unless an entry was evicted before. */
  inOrder(): Iterable<E>;
  /** The keys with the most requests, most first, in steps. @param entries all stored entries */
  hottest(entries: Iterable<E>, limit: number): Generator<void, string[]>;
  /**
   * Milliseconds of load time that evicted entries saved per megabyte and minute, the mean of the last ones. Undefined before the
   * first eviction, and if the policy does not measure it.
   */
  readonly evictedWorth?: number | undefined;
}
