import type { ClassNames, Derived, Entry, EntryMeta } from './entry.js';
import type { Series } from '../base/observer.js';
import { arrayBytes, objectBytes, stringBytes } from './sizes.js';
import { Track } from './track.js';
import type { IsolatedValue } from './values.js';

/** Bytes of an entry besides its values: the object, its times, its places in the map and in the order of use. */
const ENTRY_BYTES = 272;

/** A map that keeps entries and counts their bytes. */
export interface EntryHolder {
  /** Stores derived data with an entry, if there is room. */
  hold(entry: KeptEntry, derived: Derived): void;
}

/** The value of an entry, and how its readers get it. */
export type EntryValue = Pick<Entry, 'value' | 'mutable' | 'json'>;

/** A neighbour in a ring of entries that expire at about the same time. */
export interface ExpiryLink {
  sooner: ExpiryLink | undefined;
  later: ExpiryLink | undefined;
}

/** The bits of {@link KeptEntry}'s flags. */
const Flag = { mutable: 1, json: 2, anySize: 4 } as const;

/**
 * An entry in this process's memory. The stale and grace times are stored as durations: V8 keeps small integers without an object of
 * their own. The fields of the eviction policy and of the expiry order are in the entry itself: that saves memory with a million
 * entries, and a hit reads fewer cache lines.
 */
export class KeptEntry implements Entry, ExpiryLink {
  // In the order in which a hit reads them.
  readonly value: unknown;
  readonly freshUntil: number;
  readonly tags: readonly string[];
  readonly #flags: number;
  /** A count that the eviction policy keeps for this entry. */
  tally = 0;
  series: Series | undefined;
  /** Bits of the access stream, see {@link Track}. 0: the stream does not follow this key. */
  track = 0;
  /** Its neighbours in a list of the eviction policy. */
  older: KeptEntry | undefined;
  newer: KeptEntry | undefined;
  /** Its neighbours among entries that expire at about the same time; undefined if it does not expire. */
  sooner: ExpiryLink | undefined;
  later: ExpiryLink | undefined;
  /** When the eviction policy queued it, in the policy's own unit of time. */
  queuedAt = 0;
  /** Fingerprint of its key; 0 while unknown. */
  fingerprint = 0;
  /** Its key in the map that keeps it; undefined if none does. */
  key: string | undefined;
  /** The map that keeps it. */
  holder: EntryHolder | undefined;
  derived: Derived | undefined;
  readonly createdAt: number;
  readonly size: number;
  /** Load time, milliseconds: the mean of this load and of the cost of the entry that it replaced, if any. */
  cost: number;
  readonly classes: ClassNames | undefined;
  readonly epoch: number;
  readonly meta: EntryMeta | undefined;
  readonly #staleMs: number;
  readonly #graceMs: number;

  /**
   * One argument for each field: an object that held them would cost 180 more bytes at each load and each set.
   * @param staleMs how long after its expiry it may be served while a refresh runs.
   * @param graceMs how long after the stale time it is kept for stale-if-error.
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

  /** True if its policy sets `maxEntrySize`. The layer's own limit for one entry then does not apply. */
  get anySize(): boolean {
    return (this.#flags & Flag.anySize) !== 0;
  }

  get staleUntil(): number {
    return this.freshUntil + this.#staleMs;
  }

  get removeAt(): number {
    return this.freshUntil + this.#staleMs + this.#graceMs;
  }

  /** Bytes, including data that callers derived from it. */
  get bytes(): number {
    return this.size + (this.derived?.size ?? 0);
  }
}

/** Stores data derived from an entry's value with it, if its layer has room. */
export function keepDerived(entry: Entry, derived: Derived): void {
  if (entry instanceof KeptEntry && entry.holder !== undefined) entry.holder.hold(entry, derived);
  else entry.derived = derived;
}

/** The fields of a policy that set an entry's times and its size limit. */
export interface EntryLimits {
  /** Shorten each TTL by a random share of at most this, 0–1. */
  readonly jitter: number;
  readonly staleWhileRevalidateMs: number;
  readonly staleIfErrorMs: number;
  /** Bytes; `Infinity` without a bound of its own. */
  readonly maxEntrySize: number;
}

/** Estimated bytes of an entry, without data that callers derive from it. */
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
 * Returns when the value stops being fresh: `now` plus its TTL, shortened at random by `jitter`; `Infinity` without a TTL.
 * @param now when the value was known, not when its load began.
 */
export function freshUntil(ttlMs: number, { jitter }: EntryLimits, now: number, random: () => number): number {
  if (ttlMs === Infinity) return Infinity;
  const spread = jitter > 0 ? 1 - jitter * random() : 1;
  return now + Math.max(1, Math.floor(ttlMs * spread));
}

/** A new entry, with the times in which its policy lets it be served stale. Its arguments are those of {@link KeptEntry}. */
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

/** Copies a decoded entry, with the instances of its value restored. */
export function restoredEntry(entry: Entry, value: unknown, classes: ClassNames): KeptEntry {
  return copied(entry, entry.freshUntil, entry.epoch, { value, classes, mutable: true, json: false });
}

/** Creates the copy of a remote entry that an earlier layer stores. It keeps the remaining times and gets the epoch of the read. */
export function backfilledEntry(entry: Entry, epoch: number, policy: Pick<EntryLimits, 'maxEntrySize'>): KeptEntry {
  return copied(entry, entry.freshUntil, epoch, entry, hasOwnBound(policy));
}

/** True if a policy bounds the size of its entries. */
function hasOwnBound({ maxEntrySize }: Pick<EntryLimits, 'maxEntrySize'>): boolean {
  return maxEntrySize !== Infinity;
}

/** Copies an entry so that it expires at `now`. Its stale and grace times stay as long as before. */
export function expiredEntry(entry: Entry, now: number, epoch: number): KeptEntry {
  return copied(entry, now, epoch);
}

/** Returns the entry if it is a {@link KeptEntry} that no layer keeps, otherwise a copy. */
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
