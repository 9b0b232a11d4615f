import type { ClassNames, Derived, Entry, EntryMeta } from './entry.js';
import type { Series } from '../base/observer.js';
import { arrayBytes, objectBytes, stringBytes } from './sizes.js';
import { Track } from './track.js';
import type { IsolatedValue } from './values.js';

/** Bytes of an entry without its values: the object, its times, and its places in the map and in the order of use. */
const ENTRY_BYTES = 272;

/** A map that holds entries and counts their bytes. */
export interface EntryHolder {
  /** Stores derived data with an entry if there is room. */
  hold(entry: KeptEntry, derived: Derived): void;
}

/** The value of an entry, and how readers get it. */
export type EntryValue = Pick<Entry, 'value' | 'mutable' | 'json'>;

/** A neighbour in a ring of entries that expire at about the same time. */
export interface ExpiryLink {
  sooner: ExpiryLink | undefined;
  later: ExpiryLink | undefined;
}

/** The bits of {@link KeptEntry}'s flags. */
const Flag = { mutable: 1, json: 2, anySize: 4 } as const;

/**
 * An entry in this process's memory. The stale and grace times are stored as durations, because V8 stores small integers without a separate
 * object. The entry itself holds the fields of the eviction policy and of the expiry order. That saves memory with a million entries, and a
 * hit reads fewer cache lines.
 */
export class KeptEntry implements Entry, ExpiryLink {
  // A hit reads the fields in this order.
  readonly value: unknown;
  readonly freshUntil: number;
  readonly tags: readonly string[];
  readonly #flags: number;
  /** A count that the eviction policy stores with this entry. */
  tally = 0;
  series: Series | undefined;
  /** Bits of the access stream, see {@link Track}. 0: the stream does not follow this key. */
  track = 0;
  /** The neighbours of the entry in a list of the eviction policy. */
  older: KeptEntry | undefined;
  newer: KeptEntry | undefined;
  /** The neighbours among entries that expire at about the same time; undefined if the entry does not expire. */
  sooner: ExpiryLink | undefined;
  later: ExpiryLink | undefined;
  /** When the eviction policy queued the entry, in the policy's own unit of time. */
  queuedAt = 0;
  /** Fingerprint of the key; 0 while unknown. */
  fingerprint = 0;
  /** The key in the map that holds the entry; undefined if no map holds it. */
  key: string | undefined;
  /** The map that holds the entry. */
  holder: EntryHolder | undefined;
  derived: Derived | undefined;
  readonly createdAt: number;
  readonly size: number;
  /** The load time, milliseconds: the mean of this load and of the cost of the replaced entry, if any. */
  cost: number;
  readonly classes: ClassNames | undefined;
  readonly epoch: number;
  readonly meta: EntryMeta | undefined;
  readonly #staleMs: number;
  readonly #graceMs: number;

  /**
   * Takes one argument for each field, because an object with these fields would cost 180 more bytes at each load and set.
   * @param staleMs how long after its expiry the entry may be served while a refresh runs.
   * @param graceMs how long after the stale time the entry is kept for stale-if-error.
   */
  constructor(
    { value, mutable, json }: EntryValue,
    size: number,
    tags: readonly string[],
    createdAt: number,
    freshUntil: number,
    cost: number,
    epoch: number,
    classes: ClassNames | undefined,
    meta: EntryMeta | undefined,
    staleMs: number,
    graceMs: number,
    anySize: boolean,
  ) {
    this.value = value;
    this.freshUntil = freshUntil;
    this.tags = tags;
    this.#flags = (mutable ? Flag.mutable : 0) | (json ? Flag.json : 0) | (anySize ? Flag.anySize : 0);
    this.createdAt = createdAt;
    this.size = size;
    this.cost = cost;
    this.classes = classes;
    this.epoch = epoch;
    this.meta = meta;
    this.#staleMs = staleMs;
    this.#graceMs = graceMs;
  }

  get mutable(): boolean {
    return (this.#flags & Flag.mutable) !== 0;
  }

  get json(): boolean {
    return (this.#flags & Flag.json) !== 0;
  }

  /** True if the entry's policy sets `maxEntrySize`. Then the layer's own limit for one entry does not apply. */
  get anySize(): boolean {
    return (this.#flags & Flag.anySize) !== 0;
  }

  get staleUntil(): number {
    return this.freshUntil + this.#staleMs;
  }

  get removeAt(): number {
    return this.freshUntil + this.#staleMs + this.#graceMs;
  }

  /** Bytes of the entry, including data that callers derived from its value. */
  get bytes(): number {
    return this.size + (this.derived?.size ?? 0);
  }
}

/** Stores data derived from an entry's value with the entry, if its layer has room. */
export function keepDerived(entry: Entry, derived: Derived): void {
  if (entry instanceof KeptEntry && entry.holder !== undefined) entry.holder.hold(entry, derived);
  else entry.derived = derived;
}

/** The fields of a policy that set an entry's times and size limit. */
export interface EntryLimits {
  /** Shortens each TTL by a random share of at most this, 0–1. */
  readonly jitter: number;
  readonly staleWhileRevalidateMs: number;
  readonly staleIfErrorMs: number;
  /** Bytes; `Infinity` if the policy sets no limit. */
  readonly maxEntrySize: number;
}

/** Returns the estimated bytes of an entry, without data that callers derive from its value. */
export function entrySize(
  key: string,
  isolated: IsolatedValue,
  tags: readonly string[],
  meta: EntryMeta | undefined,
): number {
  let size = ENTRY_BYTES + stringBytes(key) + isolated.size;
  if (tags.length > 0) {
    size += arrayBytes(tags.length);
    for (const tag of tags) size += stringBytes(tag);
  }
  if (meta?.headers !== undefined) size += headersBytes(meta.headers);
  return size;
}

function headersBytes(headers: Readonly<Record<string, string | readonly string[]>>): number {
  let size = 0;
  let fields = 0;
  for (const name in headers) {
    fields++;
    const value = headers[name]!;
    if (typeof value === 'string') size += stringBytes(value);
    else for (const one of value) size += stringBytes(one) + arrayBytes(1);
  }
  return size + 2 * objectBytes(fields);
}

/**
 * Returns when the value stops being fresh: `now` plus the TTL, which `jitter` shortens at random. `Infinity` without a TTL.
 * @param now when the value was known, not when its load began.
 */
export function freshUntil(ttlMs: number, { jitter }: EntryLimits, now: number, random: () => number): number {
  if (ttlMs === Infinity) return Infinity;
  const spread = jitter > 0 ? 1 - jitter * random() : 1;
  return now + Math.max(1, Math.floor(ttlMs * spread));
}

/** Creates an entry with the times during which its policy lets it be served stale. Takes the arguments of {@link KeptEntry}. */
export function keptEntry(
  value: EntryValue,
  size: number,
  tags: readonly string[],
  createdAt: number,
  freshUntil: number,
  cost: number,
  epoch: number,
  classes: ClassNames | undefined,
  meta: EntryMeta | undefined,
  policy: EntryLimits,
): KeptEntry {
  const { staleWhileRevalidateMs, staleIfErrorMs } = policy;
  return new KeptEntry(
    value, size, tags, createdAt, freshUntil, cost, epoch, classes, meta,
    staleWhileRevalidateMs, staleIfErrorMs, hasOwnBound(policy),
  ); // prettier-ignore
}

/** Copies a decoded entry, with the restored instances in its value. */
export function restoredEntry(entry: Entry, value: unknown, classes: ClassNames): KeptEntry {
  return copied(entry, entry.freshUntil, entry.epoch, { value, classes, mutable: true, json: false });
}

/** Copies a remote entry for an earlier layer. The copy keeps the remaining times and gets the epoch of the read. */
export function backfilledEntry(entry: Entry, epoch: number, policy: Pick<EntryLimits, 'maxEntrySize'>): KeptEntry {
  return copied(entry, entry.freshUntil, epoch, entry, hasOwnBound(policy));
}

/** Returns true if a policy limits the size of its entries. */
function hasOwnBound({ maxEntrySize }: Pick<EntryLimits, 'maxEntrySize'>): boolean {
  return maxEntrySize !== Infinity;
}

/** Copies an entry so that it expires at `now`. The durations of its stale and grace times stay the same. */
export function expiredEntry(entry: Entry, now: number, epoch: number): KeptEntry {
  return copied(entry, now, epoch);
}

/** Returns the entry itself if it is a {@link KeptEntry} that no layer holds, otherwise a copy. */
export function ownEntry(entry: Entry, anySize = entry instanceof KeptEntry && entry.anySize): KeptEntry {
  return entry instanceof KeptEntry && entry.holder === undefined
    ? entry
    : copied(entry, entry.freshUntil, entry.epoch, entry, anySize);
}

function copied(
  entry: Entry,
  freshUntil: number,
  epoch: number,
  value: EntryValue & Pick<Entry, 'classes'> = entry,
  anySize = entry instanceof KeptEntry && entry.anySize,
): KeptEntry {
  const { size, tags, createdAt, cost, meta, staleUntil, removeAt } = entry;
  const copy = new KeptEntry(
    value, size, tags, createdAt, freshUntil, cost, epoch, value.classes, meta,
    between(entry.freshUntil, staleUntil), between(staleUntil, removeAt), anySize,
  ); // prettier-ignore
  copy.track = (entry.track ?? 0) & Track.key;
  return copy;
}

/** Returns the milliseconds from `from` to `to`, rounded; 0 if `from` is `Infinity`. */
function between(from: number, to: number): number {
  return from === Infinity ? 0 : Math.round(to - from);
}
