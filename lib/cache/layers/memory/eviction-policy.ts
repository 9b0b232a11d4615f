import type { KeptEntry } from '../../entries/kept-entry.js';

/** The names of the policies. */
export type Eviction = 'worth' | 'lru';

/** How much a memory layer keeps. `Infinity` is no bound. */
export interface MemoryBounds {
  readonly maxEntries: number;
  readonly maxBytes: number;
}

/**
 * Decides which entry of a memory layer is evicted next. It keeps the order of the entries in fields of their own (`older`,
 * `newer`, `tally` …), so that it allocates nothing for an entry; the layer finds entries, counts bytes and reports.
 */
export interface EvictionPolicy {
  readonly name: Eviction;
  /** An entry was asked for. On the path of every hit: it allocates nothing. */
  use(entry: KeptEntry): void;
  /** An entry is about to be kept, in place of another of its key or of none; it is not in the order yet. */
  recall(entry: KeptEntry, replaced: KeptEntry | undefined): void;
  /** Takes an entry into the order. */
  add(entry: KeptEntry): void;
  /** Takes an entry out of the order. */
  remove(entry: KeptEntry): void;
  /** The same, of an entry that has expired or whose tag was invalidated: when it comes back it is still known. */
  expire(entry: KeptEntry): void;
  /** Takes the entry out that is to go for want of room; only called while there is one. @param now milliseconds */
  evict(now: number): KeptEntry;
  clear(): void;
  /** The keys that were asked for most, these first, in steps. @param entries all that are kept */
  hottest(entries: Iterable<KeptEntry>, limit: number): Generator<void, string[]>;
  /**
   * Milliseconds of load time that evicted entries saved per megabyte and minute, the mean of the last ones. Undefined before the
   * first, and where the policy does not know it.
   */
  readonly evictedWorth?: number | undefined;
}
