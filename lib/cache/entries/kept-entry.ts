import type { Entry, EntryMeta } from '../entry.js';
import type { ResolvedPolicy } from '../policies/resolved-policy.js';
import type { IsolatedValue } from './values.js';

/** Bytes of an entry beside its key and value: the entry itself, its place in the map and in the order of use. */
const ENTRY_BYTES = 200;

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
  const staleUntil = freshUntil + policy.staleWhileRevalidateMs;
  return {
    value: isolated.value,
    createdAt: origin.createdAt,
    freshUntil,
    staleUntil,
    goneAt: staleUntil + policy.staleIfErrorMs,
    tags: origin.tags,
    size: entrySize(origin.key, isolated),
    cost: origin.cost,
    mutable: isolated.mutable,
    json: isolated.json,
    epoch: origin.epoch,
    meta: origin.meta,
    derived: undefined,
    series: undefined,
  };
}

/** An entry from a farther layer as a nearer one keeps it: what is left of its times, and this process' epoch of the read. */
export function backfilledEntry(entry: Entry, epoch: number): Entry {
  return { ...entryFields(entry), epoch };
}

/** The same entry, expired at `now`, with the grace it had after its expiry. */
export function expiredEntry(entry: Entry, now: number, epoch: number): Entry {
  const grace = (until: number) => (entry.freshUntil === Infinity ? 0 : until - entry.freshUntil);
  return {
    ...entryFields(entry),
    freshUntil: now,
    staleUntil: now + grace(entry.staleUntil),
    goneAt: now + grace(entry.goneAt),
    epoch,
  };
}

function entryFields(entry: Entry): Entry {
  return {
    value: entry.value,
    createdAt: entry.createdAt,
    freshUntil: entry.freshUntil,
    staleUntil: entry.staleUntil,
    goneAt: entry.goneAt,
    tags: entry.tags,
    size: entry.size,
    cost: entry.cost,
    mutable: entry.mutable,
    json: entry.json,
    epoch: entry.epoch,
    meta: entry.meta,
    derived: undefined,
    series: undefined,
  };
}
