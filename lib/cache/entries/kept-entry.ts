import type { ClassNames, Derived, Entry, EntryMeta } from './entry.js';
import type { Series } from '../base/observer.js';
import { arrayBytes, objectBytes, stringBytes } from './sizes.js';
import type { IsolatedValue } from './values.js';

/** Bytes of an entry beside what it refers to: the entry itself, its times, its places in the map and in the order of use. */
const ENTRY_BYTES = 272;

/** What keeps entries and counts their bytes. */
export interface EntryHolder {
  /** Keeps something with an entry, where there is room for it. */
  hold(entry: KeptEntry, derived: Derived): void;
}

/** A neighbour in a ring of entries that end at about the same time. */
export interface ExpiryLink {
  sooner: ExpiryLink | undefined;
  later: ExpiryLink | undefined;
}

/** The bits of {@link KeptEntry}'s flags. */
const Flag = { mutable: 1, json: 2, anySize: 4 } as const;

/**
 * An entry as this process keeps it. Times of grace are kept as their lengths, small integers that take no number of their
 * own, and what the eviction policy and the order of expiry know of it are fields of the entry: a million of them is where memory
 * goes, and a hit reads few cache lines.
 */
export class KeptEntry implements Entry, ExpiryLink {
  // In the order in which a hit reads them.
  readonly value: unknown;
  readonly freshUntil: number;
  readonly tags: readonly string[];
  readonly #flags: number;
  /** What its policy counts. */
  tally = 0;
  series: Series | undefined;
  /** Above 0 where the stream of accesses follows its key. */
  track = 0;
  /** Its neighbours in an order of its policy. */
  older: KeptEntry | undefined;
  newer: KeptEntry | undefined;
  /** Its neighbours among what ends at about the same time; undefined if it does not end. */
  sooner: ExpiryLink | undefined;
  later: ExpiryLink | undefined;
  /** When its policy queued it, in a measure of the policy's own. */
  queuedAt = 0;
  /** Of its key, 0 while it is not known. */
  fingerprint = 0;
  /** Under which a map keeps it; undefined if none does. */
  key: string | undefined;
  /** The map that keeps it. */
  holder: EntryHolder | undefined;
  derived: Derived | undefined;
  readonly createdAt: number;
  readonly size: number;
  /** The mean with the entry before, where it replaced one. */
  cost: number;
  readonly classes: ClassNames | undefined;
  readonly epoch: number;
  readonly meta: EntryMeta | undefined;
  readonly #staleMs: number;
  readonly #graceMs: number;

  /** @param staleMs how long after its expiry it may be served while a refresh runs; @param graceMs how long after that it is kept. */
  constructor(
    fields: Omit<Entry, 'staleUntil' | 'goneAt' | 'derived' | 'track'>,
    staleMs: number,
    graceMs: number,
    anySize: boolean,
  ) {
    this.value = fields.value;
    this.freshUntil = fields.freshUntil;
    this.tags = fields.tags;
    this.#flags = (fields.mutable ? Flag.mutable : 0) | (fields.json ? Flag.json : 0) | (anySize ? Flag.anySize : 0);
    this.createdAt = fields.createdAt;
    this.size = fields.size;
    this.cost = fields.cost;
    this.classes = fields.classes;
    this.epoch = fields.epoch;
    this.meta = fields.meta;
    this.#staleMs = staleMs;
    this.#graceMs = graceMs;
  }

  get mutable(): boolean {
    return (this.#flags & Flag.mutable) !== 0;
  }

  get json(): boolean {
    return (this.#flags & Flag.json) !== 0;
  }

  /** True if `maxEntrySize` bounds it, so that its layer does not. */
  get anySize(): boolean {
    return (this.#flags & Flag.anySize) !== 0;
  }

  get staleUntil(): number {
    return this.freshUntil + this.#staleMs;
  }

  get goneAt(): number {
    return this.freshUntil + this.#staleMs + this.#graceMs;
  }

  /** Bytes with what callers derived from it. */
  get bytes(): number {
    return this.size + (this.derived?.size ?? 0);
  }
}

/** Keeps something derived from an entry's value with it, where its layer has room for it. */
export function keepDerived(entry: Entry, derived: Derived): void {
  if (entry instanceof KeptEntry && entry.holder !== undefined) entry.holder.hold(entry, derived);
  else entry.derived = derived;
}

/** How long an entry lives beyond its TTL, and how large it may be: the part of a policy that an entry keeps. */
export interface EntryLimits {
  /** The part of the TTL by which it may be shortened, 0–1. */
  readonly jitter: number;
  readonly staleWhileRevalidateMs: number;
  readonly staleIfErrorMs: number;
  /** Bytes; `Infinity` without a bound of its own. */
  readonly maxEntrySize: number;
}

/** Where an entry comes from. */
export interface EntryOrigin {
  readonly isolated: IsolatedValue;
  /** See {@link entrySize}. */
  readonly size: number;
  readonly createdAt: number;
  /** `Infinity`: for ever. */
  readonly ttlMs: number;
  readonly tags: readonly string[];
  readonly cost: number;
  readonly epoch: number;
  readonly meta: EntryMeta | undefined;
  /** Names of the classes of its instances, where it holds some. */
  readonly classes: ClassNames | undefined;
}

/** Bytes that an entry takes, estimated, without what callers derive from it. */
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
 * A new entry: the TTL shortened by its jitter, then the times in which it may be served stale.
 * Fresh and stale times count from `now`, when the value was known, not from when its load began.
 */
export function keptEntry(origin: EntryOrigin, policy: EntryLimits, now: number, random: () => number): Entry {
  const { isolated } = origin;
  const spread = policy.jitter > 0 ? 1 - policy.jitter * random() : 1;
  const freshUntil = origin.ttlMs === Infinity ? Infinity : now + Math.max(1, Math.floor(origin.ttlMs * spread));
  return new KeptEntry(
    {
      value: isolated.value,
      createdAt: origin.createdAt,
      freshUntil,
      tags: origin.tags,
      size: origin.size,
      cost: origin.cost,
      mutable: isolated.mutable,
      json: isolated.json,
      classes: origin.classes,
      epoch: origin.epoch,
      meta: origin.meta,
    },
    policy.staleWhileRevalidateMs,
    policy.staleIfErrorMs,
    hasOwnBound(policy),
  );
}

/** An entry as a layer decoded it, with its instances restored. */
export function restoredEntry(entry: Entry, value: unknown, classes: ClassNames): KeptEntry {
  return copied(entry, entry.freshUntil, entry.epoch, { value, classes, mutable: true, json: false });
}

/** An entry from a farther layer as a nearer one keeps it: what is left of its times, and this process' epoch of the read. */
export function backfilledEntry(entry: Entry, epoch: number, policy: Pick<EntryLimits, 'maxEntrySize'>): KeptEntry {
  return copied(entry, entry.freshUntil, epoch, entry, hasOwnBound(policy));
}

/** True if a policy says how large its entries may be. */
function hasOwnBound({ maxEntrySize }: Pick<EntryLimits, 'maxEntrySize'>): boolean {
  return maxEntrySize !== Infinity;
}

/** The same entry, expired at `now`, with the grace it had after its expiry. */
export function expiredEntry(entry: Entry, now: number, epoch: number): KeptEntry {
  return copied(entry, now, epoch);
}

/** The entry itself, or a copy for a layer where it came from elsewhere or another layer keeps it. */
export function ownEntry(entry: Entry, anySize = entry instanceof KeptEntry && entry.anySize): KeptEntry {
  return entry instanceof KeptEntry && entry.holder === undefined
    ? entry
    : copied(entry, entry.freshUntil, entry.epoch, entry, anySize);
}

function copied(
  entry: Entry,
  freshUntil: number,
  epoch: number,
  { value, classes, mutable, json }: Pick<Entry, 'value' | 'classes' | 'mutable' | 'json'> = entry,
  anySize = entry instanceof KeptEntry && entry.anySize,
): KeptEntry {
  const copy = new KeptEntry(
    {
      value,
      createdAt: entry.createdAt,
      freshUntil,
      tags: entry.tags,
      size: entry.size,
      cost: entry.cost,
      mutable,
      json,
      classes,
      epoch,
      meta: entry.meta,
    },
    between(entry.freshUntil, entry.staleUntil),
    between(entry.staleUntil, entry.goneAt),
    anySize,
  );
  copy.track = entry.track ?? 0;
  return copy;
}

/** Whole milliseconds; what never expires has no time after it. */
function between(from: number, to: number): number {
  return from === Infinity ? 0 : Math.round(to - from);
}
