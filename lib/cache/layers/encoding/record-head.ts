import type { Entry, EntryMeta } from '../../entry.js';
import type { Series } from '../../observer.js';

/*
 * A record: format byte, CRC-32 of everything behind the epoch, epoch (16 decimal digits, so that a script on the server
 * can read and write it), the entry's times, cost, size and flags as numbers of fixed width, body. Numbers in JSON would
 * cost a small value more than the value itself. All little-endian; a time that never comes is Infinity.
 */
export const CRC_AT = 1;
export const EPOCH_AT = 5;
const EPOCH_DIGITS = 16;
/** Where the part begins that the checksum covers. */
export const EPOCH_END = EPOCH_AT + EPOCH_DIGITS;
const CREATED_AT = EPOCH_END;
const FRESH_AT = CREATED_AT + 8;
const STALE_AT = FRESH_AT + 8;
const GONE_AT = STALE_AT + 8;
const COST_AT = GONE_AT + 8;
const SIZE_AT = COST_AT + 8;
const FLAGS_AT = SIZE_AT + 4;
export const BODY_AT = FLAGS_AT + 1;

const MUTABLE = 1;
const JSON_SAFE = 2;
/** The body is `[tags, meta or 0, value]`; else it is the value alone. */
const LABELLED = 4;
const LARGEST_SIZE = 0xffff_ffff;

/** An epoch as it is stored: texts of one length, which compare as the numbers do. */
export function epochDigits(epoch: number): string {
  return String(Math.floor(epoch)).padStart(EPOCH_DIGITS, '0');
}

/** Writes the epoch into a record. */
export function stamp(record: Buffer, epoch: number): void {
  record.write(epochDigits(epoch), EPOCH_AT, EPOCH_DIGITS, 'latin1');
}

/** Undefined where there are no digits. */
export function epochOf(record: Buffer): number | undefined {
  let epoch = 0;
  for (let at = EPOCH_AT; at < EPOCH_END; at++) {
    const digit = record[at]! - 48;
    if (digit < 0 || digit > 9) return undefined;
    epoch = epoch * 10 + digit;
  }
  return epoch;
}

/** True where the entry's body has to hold more than its value. */
export function isLabelled(entry: Entry): boolean {
  return entry.tags.length > 0 || entry.meta !== undefined;
}

export function saysLabelled(record: Buffer): boolean {
  return (record[FLAGS_AT]! & LABELLED) !== 0;
}

/** @param offset what to add to this process' times to get those of the layer. */
export function writeHead(bytes: Buffer, start: number, entry: Entry, offset: number): void {
  const { createdAt } = entry;
  bytes.writeDoubleLE(createdAt + offset, start + CREATED_AT);
  bytes.writeDoubleLE(entry.freshUntil - createdAt, start + FRESH_AT);
  bytes.writeDoubleLE(entry.staleUntil - createdAt, start + STALE_AT);
  bytes.writeDoubleLE(entry.goneAt - createdAt, start + GONE_AT);
  bytes.writeDoubleLE(entry.cost, start + COST_AT);
  bytes.writeUInt32LE(Math.min(entry.size, LARGEST_SIZE), start + SIZE_AT);
  bytes[start + FLAGS_AT] =
    (entry.mutable ? MUTABLE : 0) | (entry.json ? JSON_SAFE : 0) | (isLabelled(entry) ? LABELLED : 0);
}

/**
 * The entry that a record's head and what its body held make. An instance, because the engine may take memory of the old
 * generation for literals that are often still in use at a collection, and values then die with their entries only late.
 */
export class DecodedEntry implements Entry {
  readonly value: unknown;
  readonly createdAt: number;
  readonly freshUntil: number;
  readonly staleUntil: number;
  readonly goneAt: number;
  readonly tags: readonly string[];
  readonly size: number;
  readonly cost: number;
  readonly mutable: boolean;
  readonly json: boolean;
  readonly epoch = 0;
  readonly meta: EntryMeta | undefined;
  derived: unknown = undefined;
  series: Series | undefined = undefined;

  constructor(record: Buffer, offset: number, value: unknown, tags: readonly string[], meta: EntryMeta | undefined) {
    const createdAt = record.readDoubleLE(CREATED_AT) - offset;
    const flags = record[FLAGS_AT]!;
    this.value = value;
    this.createdAt = createdAt;
    this.freshUntil = createdAt + record.readDoubleLE(FRESH_AT);
    this.staleUntil = createdAt + record.readDoubleLE(STALE_AT);
    this.goneAt = createdAt + record.readDoubleLE(GONE_AT);
    this.tags = tags;
    this.size = record.readUInt32LE(SIZE_AT);
    this.cost = record.readDoubleLE(COST_AT);
    this.mutable = (flags & MUTABLE) !== 0;
    this.json = (flags & JSON_SAFE) !== 0;
    this.meta = meta;
  }
}
