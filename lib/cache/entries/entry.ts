import type { Series } from '../base/observer.js';

/**
 * An entry of a layer. It carries its own times. So a layer's physical TTL only frees memory, and a copy in another layer keeps the
 * remaining time. All times are times of this process's clock; a shared layer converts them.
 */
export interface Entry {
  /**
   * The isolated value. It is frozen before it has a second reader, or marked {@link Entry.mutable}. Readers get a copy of a mutable value,
   * and the parsed value of a `JsonText`.
   */
  readonly value: unknown;
  /** When the load or set that produced the entry began. */
  readonly createdAt: number;
  /** Until when the entry is fresh: the logical TTL. `Infinity` without a TTL. */
  readonly freshUntil: number;
  /** Until when the entry may be served while a refresh runs (stale-while-revalidate, RFC 5861 §3); at least `freshUntil`. */
  readonly staleUntil: number;
  /** Until when a layer keeps the entry, including the time of stale-if-error (RFC 5861 §4); at least `staleUntil`. */
  readonly removeAt: number;
  readonly tags: readonly string[];
  /** Estimated bytes of the entry in memory with everything that it holds, without {@link Entry.derived}. */
  readonly size: number;
  /** The time of the load, milliseconds; 0 if the value was set. XFetch refreshes entries with a higher cost earlier. */
  readonly cost: number;
  /** True if the value is a `JsonText`, or holds instances of classes or objects that cannot be frozen (Date, Map, Buffer …). */
  readonly mutable: boolean;
  /** True if `JSON.parse(JSON.stringify(value))` gives the same value. */
  readonly json: boolean;
  /** Gives the names of the value's classes in a shared layer; undefined if the value holds no instances. */
  readonly classes: ClassNames | undefined;
  /** The epoch of this process's invalidations when the entry's load began (see invalidations.ts). */
  readonly epoch: number;
  /** The part of an HTTP answer besides the value: the status and headers that a handler set. */
  readonly meta: EntryMeta | undefined;
  /** Data that a caller computed once from the value, such as the encoded answer. It never leaves the process. */
  derived: Derived | undefined;
  /** The series of an undeclared key, looked up once. The cache sets it; it never leaves the process. */
  series?: Series | undefined;
  /** The hit counts of a followed key, see {@link Track}; 0 or undefined if the key is not followed. It never leaves the process. */
  track?: number;
}

/** Data that callers derive from a value and store with its entry. */
export interface Derived {
  /** Estimated bytes of the data. */
  readonly size: number;
}

/** Gives classes their names in a shared layer. */
export interface ClassNames {
  nameOf(prototype: object): ClassName;
}

/** The name of a class in a shared layer. */
export interface ClassName {
  /** The name under which the application listed it. */
  readonly alias: string | undefined;
  /** The name in its source. */
  readonly name: string;
  /** A hash of the sources of the class and its base classes. */
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

/** Returns true for metadata that may be sent in a response. Metadata written by other processes is untrusted. */
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
