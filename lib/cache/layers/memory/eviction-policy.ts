import type { KeptEntry } from '../../entries/kept-entry.js';

/** The names of the policies. */
export type Eviction = 'worth' | 'lru';

/** The bounds of a memory layer. `Infinity`: unbounded. */
export interface MemoryBounds {
  readonly maxEntries: number;
  readonly maxBytes: number;
}

/**
 * Decides which entry of a memory layer is evicted next. It keeps the order in fields of the entries (`older`,
 * `newer`, `tally` …), so that it allocates nothing per entry; the layer finds entries, counts bytes and reports.
 */
export interface EvictionPolicy {
  readonly name: Eviction;
  /** Called for each requested entry. It runs on every hit: it allocates nothing. */
  use(entry: KeptEntry): void;
  /** Counts several requests of one entry at once. */
  useOften(entry: KeptEntry, times: number): void;
  /** Called before an entry is added, with the entry that it replaces, if any; the new entry is not in the order yet. */
  recall(entry: KeptEntry, replaced: KeptEntry | undefined): void;
  /** Adds an entry to the order. */
  add(entry: KeptEntry): void;
  /** Removes an entry from the order. */
  remove(entry: KeptEntry): void;
  /** Removes an entry that has expired or whose tag was invalidated: its key stays known for when it comes back. */
  expire(entry: KeptEntry): void;
  /** Removes and returns the entry to evict; only called while there is one. @param now milliseconds */
  evict(now: number): KeptEntry;
  clear(): void;
  /** The keys with the most requests, most first, in steps. @param entries all stored entries */
  hottest(entries: Iterable<KeptEntry>, limit: number): Generator<void, string[]>;
  /**
   * Milliseconds of load time that evicted entries saved per megabyte and minute, the mean of the last ones. Undefined before the
   * first eviction, and if the policy does not measure it.
   */
  readonly evictedWorth?: number | undefined;
}
