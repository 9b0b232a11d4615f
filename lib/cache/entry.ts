import type { Series } from './observer.js';

/**
 * What a layer keeps. An entry carries its own times, so that a layer's physical TTL is only housekeeping and a
 * back-fill keeps what is left. All times are of this process' clock; a shared layer translates them.
 */
export interface Entry {
  /** The value, isolated: frozen before it has a second reader, or marked {@link Entry.mutable} and cloned on the way out. */
  readonly value: unknown;
  /** When the load or set that produced it began. */
  readonly createdAt: number;
  /** Until when it is fresh: the logical TTL. `Infinity` without one. */
  readonly freshUntil: number;
  /** Until when it may be served while a refresh runs (stale-while-revalidate, RFC 5861 §3); at least `freshUntil`. */
  readonly staleUntil: number;
  /** Until when a layer keeps it, for stale-if-error (RFC 5861 §4) too; at least `staleUntil`. */
  readonly goneAt: number;
  readonly tags: readonly string[];
  /** Bytes of key and value, estimated. */
  readonly size: number;
  /** What the load cost, milliseconds; 0 where it was set. XFetch weighs refreshes by it. */
  readonly cost: number;
  /** True where the value holds something that cannot be frozen (Date, Map, Buffer …): readers get a clone. */
  readonly mutable: boolean;
  /** True where `JSON.parse(JSON.stringify(value))` gives the same value. */
  readonly json: boolean;
  /** Where in this process' order of invalidations its load began (see invalidations.ts). */
  readonly epoch: number;
  /** What belongs to the answer beside its value: status and headers a handler set itself. */
  readonly meta: EntryMeta | undefined;
  /** The encoded answer and whatever else a caller derives from the value once; never leaves the process. */
  derived: unknown;
  /** Where accesses of an undeclared key are counted, looked up once; set by the cache, never leaves the process. */
  series?: Series | undefined;
}

/** Status and headers that an HTTP handler set on the response itself. */
export interface EntryMeta {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
}
