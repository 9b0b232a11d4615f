import type { Series } from '../base/observer.js';

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
  /** Bytes that the entry takes in memory with all it holds, estimated, without {@link Entry.derived}. */
  readonly size: number;
  /** What the load cost, milliseconds; 0 where it was set. XFetch weighs refreshes by it. */
  readonly cost: number;
  /** True if the value holds what cannot be frozen (Date, Map, Buffer …) or instances of classes: readers get a copy. */
  readonly mutable: boolean;
  /** True if `JSON.parse(JSON.stringify(value))` gives the same value. */
  readonly json: boolean;
  /** What a shared layer calls the classes of the instances that the value holds; undefined if it holds none. */
  readonly classes: ClassNames | undefined;
  /** Where in this process' order of invalidations its load began (see invalidations.ts). */
  readonly epoch: number;
  /** What belongs to the answer beside its value: status and headers a handler set itself. */
  readonly meta: EntryMeta | undefined;
  /** What a caller derived from the value once, such as the encoded answer; never leaves the process. */
  derived: Derived | undefined;
  /** Where accesses of an undeclared key are counted, looked up once; set by the cache, never leaves the process. */
  series?: Series | undefined;
  /** What the stream of accesses knows its key by; 0 or undefined: not followed. Never leaves the process. */
  track?: number;
}

/** Something that callers derive from a value and keep with its entry. */
export interface Derived {
  /** Bytes that it takes in memory beside the entry, estimated. */
  readonly size: number;
}

/** Names of classes in a shared layer. */
export interface ClassNames {
  nameOf(prototype: object): ClassName;
}

/** How a shared layer names a class. */
export interface ClassName {
  /** The name that its application listed it under. */
  readonly alias: string | undefined;
  /** The name in its source. */
  readonly name: string;
  /** Of its source and that of the classes above it. */
  readonly fingerprint: string;
}

/** Status and headers that an HTTP handler set on the response itself. */
export interface EntryMeta {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
}

const MAX_HEADERS = 200;
/** A token of RFC 9110 §5.6.2. */
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}$/;
/** What Node sends as the value of a header. */
const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** True for what may stand in a response: metadata read from outside this process is not trusted to. */
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
