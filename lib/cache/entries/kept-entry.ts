import type { Entry, EntryMeta } from '../entry.js';
import type { Series } from '../observer.js';
import type { ResolvedPolicy } from '../policies/resolved-policy.js';
import type { IsolatedValue } from './values.js';

/** Bytes of an entry beside its key and value: the entry itself, its place in the map and in the order of use. */
const ENTRY_BYTES = 200;

/**
 * An entry as this process keeps it. Times of grace are kept as their lengths, small integers that take no number of their
 * own, and the links of the order of use are fields of the entry: a million of them is where memory goes, and a hit reads
 * few cache lines.
 */
export class KeptEntry implements Entry {
  // In the order in which a hit reads them.
  readonly value: unknown;
  readonly freshUntil: number;
  readonly tags: readonly string[];
  readonly mutable: boolean;
  series: Series | undefined;
  /** The neighbour that was used just before, in the map that keeps it. */
  older: KeptEntry | undefined;
  /** The neighbour that was used just after. */
  newer: KeptEntry | undefined;
  /** Under which a map keeps it; undefined where none does. */
  key: string | undefined;
  derived: unknown;
  readonly createdAt: number;
  readonly size: number;
  readonly cost: number;
  readonly json: boolean;
  readonly epoch: number;
  readonly meta: EntryMeta | undefined;
  readonly #staleMs: number;
  readonly #graceMs: number;

  /** @param staleMs how long after its expiry it may be served while a refresh runs; @param graceMs how long after that it is kept. */
  constructor(fields: Omit<Entry, 'staleUntil' | 'goneAt' | 'derived'>, staleMs: number, graceMs: number) {
    this.value = fields.value;
    this.freshUntil = fields.freshUntil;
    this.tags = fields.tags;
    this.mutable = fields.mutable;
    this.createdAt = fields.createdAt;
    this.size = fields.size;
    this.cost = fields.cost;
    this.json = fields.json;
    this.epoch = fields.epoch;
    this.meta = fields.meta;
    this.#staleMs = staleMs;
    this.#graceMs = graceMs;
  }

  get staleUntil(): number {
    return this.freshUntil + this.#staleMs;
  }

  get goneAt(): number {
    return this.freshUntil + this.#staleMs + this.#graceMs;
  }
}

/** Where an entry comes from. */
export interface EntryOrigin {
  readonly key: string;
  readonly isolated: IsolatedValue;
  readonly createdAt: number;
  /** `Infinity`: for ever. */
  readonly ttlMs: number;
  readonly tags: readonly string[];
  readonly cost: number;
  readonly epoch: number;
  readonly meta: EntryMeta | undefined;
}

/** Bytes that an entry of this key and value takes, estimated. */
export function entrySize(key: string, isolated: IsolatedValue): number {
  return ENTRY_BYTES + key.length + isolated.size;
}

/**
 * A new entry: the TTL shortened by its jitter, then the times in which it may be served stale.
 * Fresh and stale times count from `now`, when the value was known, not from when its load began.
 */
export function keptEntry(
  origin: EntryOrigin,
  policy: Pick<ResolvedPolicy, 'jitter' | 'staleWhileRevalidateMs' | 'staleIfErrorMs'>,
  now: number,
  random: () => number,
): Entry {
  const { isolated } = origin;
  const spread = policy.jitter > 0 ? 1 - policy.jitter * random() : 1;
  const freshUntil = origin.ttlMs === Infinity ? Infinity : now + Math.max(1, Math.floor(origin.ttlMs * spread));
  return new KeptEntry(
    {
      value: isolated.value,
      createdAt: origin.createdAt,
      freshUntil,
      tags: origin.tags,
      size: entrySize(origin.key, isolated),
      cost: origin.cost,
      mutable: isolated.mutable,
      json: isolated.json,
      epoch: origin.epoch,
      meta: origin.meta,
    },
    policy.staleWhileRevalidateMs,
    policy.staleIfErrorMs,
  );
}

/** An entry from a farther layer as a nearer one keeps it: what is left of its times, and this process' epoch of the read. */
export function backfilledEntry(entry: Entry, epoch: number): KeptEntry {
  return copied(entry, entry.freshUntil, epoch);
}

/** The same entry, expired at `now`, with the grace it had after its expiry. */
export function expiredEntry(entry: Entry, now: number, epoch: number): KeptEntry {
  return copied(entry, now, epoch);
}

/** The entry itself, or one of its own for a map where it came from elsewhere or another map keeps it. */
export function ownEntry(entry: Entry): KeptEntry {
  return entry instanceof KeptEntry && entry.key === undefined ? entry : copied(entry, entry.freshUntil, entry.epoch);
}

function copied(entry: Entry, freshUntil: number, epoch: number): KeptEntry {
  return new KeptEntry(
    {
      value: entry.value,
      createdAt: entry.createdAt,
      freshUntil,
      tags: entry.tags,
      size: entry.size,
      cost: entry.cost,
      mutable: entry.mutable,
      json: entry.json,
      epoch,
      meta: entry.meta,
    },
    between(entry.freshUntil, entry.staleUntil),
    between(entry.staleUntil, entry.goneAt),
  );
}

/** Whole milliseconds; what never expires has no time after it. */
function between(from: number, to: number): number {
  return from === Infinity ? 0 : Math.round(to - from);
}
