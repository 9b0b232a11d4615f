import type { Series } from '../base/observer.js';

/**
 * An entry of a layer. It carries its own times. So a layer's physical TTL only frees memory, and copying
 * the entry to another layer keeps the remaining time. All times are of this process's clock; a shared layer converts them.
 */
export interface Entry {
  /**
   * The value, isolated: frozen before it has a second reader, or marked {@link Entry.mutable} and copied for each reader. Readers
   * of a `JsonText` get the parsed value.
   */
  readonly value: unknown;
  /** When the load or set that produced it began. */
  readonly createdAt: number;
  /** Until when it is fresh: the logical TTL. `Infinity` without one. */
  readonly freshUntil: number;
  /** Until when it may be served while a refresh runs (stale-while-revalidate, RFC 5861 §3); at least `freshUntil`. */
  readonly staleUntil: number;
  /** Until when a layer keeps it, including stale-if-error (RFC 5861 §4); at least `staleUntil`. */
  readonly removeAt: number;
  readonly tags: readonly string[];
  /** Estimated bytes that the entry takes in memory with everything it holds, without {@link Entry.derived}. */
  readonly size: number;
  /** The time of its load, milliseconds; 0 if it was set. XFetch weighs refreshes by it. */
  readonly cost: number;
  /** True if the value holds objects that cannot be frozen (Date, Map, Buffer …) or instances of classes, or is a `JsonText`: readers get a copy or the parsed value. */
  readonly mutable: boolean;
  /** True if `JSON.parse(JSON.stringify(value))` gives the same value. */
  readonly json: boolean;
  /** The names of the classes of its instances in a shared layer; undefined without instances. */
  readonly classes: ClassNames | undefined;
  /** The epoch of this process's invalidations when its load began (see invalidations.ts). */
  readonly epoch: number;
  /** The part of the answer besides its value: status and headers that a handler set. */
  readonly meta: EntryMeta | undefined;
  /** Data that a caller derived from the value once, such as the encoded answer; never leaves the process. */
  derived: Derived | undefined;
  /** Where accesses of an undeclared key are counted, looked up once; set by the cache, never leaves the process. */
  series?: Series | undefined;
  /** The access counts of a followed key, see {@link Track}; 0 or undefined if its key is not followed. Never leaves the process. */
  track?: number;
}

/** Data that callers derive from a value and store with its entry. */
export interface Derived {
  /** Estimated bytes that it adds to the entry. */
  readonly size: number;
}

/** Names of classes in a shared layer. */
export interface ClassNames {
  nameOf(prototype: object): ClassName;
}

/** The name of a class in a shared layer. */
export interface ClassName {
  /** The name under which the application listed it. */
  readonly alias: string | undefined;
  /** The name in its source. */
  readonly name: string;
  /** A hash of its source and the sources of its base classes. */
  readonly fingerprint: string;
}

/** Status and headers that an HTTP handler set on the response. */
export interface EntryMeta {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
}

const MAX_HEADERS = 200;
/** A token of RFC 9110 §5.6.2. */
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}$/;
/** Characters that Node accepts in the value of a header. */
const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** True for metadata that may be sent in a response: metadata of other processes is untrusted. */
export function isEntryMeta(meta: unknown): meta is EntryMeta {
  if (typeof meta !== 'object' || meta === null) return false;
  const { status, headers } = meta as { status?: unknown; headers?: unknown };
  if (status !== undefined && !(Number.isInteger(status) && Number(status) >= 100 && Number(status) <= 999))
    return false;
  if (headers === undefined) return true;
  if (typeof headers !== 'object' || headers === null || Array.isArray(headers)) return false;
  const all = Object.entries(headers as Record<string, unknown>);
  return all.length <= MAX_HEADERS && all.every(([name, value]) => HEADER_NAME.test(name) && isHeaderValue(value));
}

function isHeaderValue(value: unknown): boolean {
  if (typeof value === 'string') return HEADER_VALUE.test(value);
  return Array.isArray(value) && value.every((one) => typeof one === 'string' && HEADER_VALUE.test(one));
}
