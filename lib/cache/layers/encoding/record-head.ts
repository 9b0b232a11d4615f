import type { Derived, Entry, EntryMeta } from '../../entries/entry.js';
import type { Series } from '../../base/observer.js';
import { ForeignBytesError } from '../../base/bounded-json.js';

/*
 * The format of a record: the format byte, the CRC-32 of everything after the epoch, the epoch, the entry's times, cost, size and flags as
 * numbers of fixed width, and the body. The epoch has 16 decimal digits, so that a script on the server can read and write it. As JSON, the
 * numbers would be longer than a small value. All numbers are little-endian. Infinity is a time that never comes.
 */
export const CRC_AT = 1;
export const EPOCH_AT = 5;
const EPOCH_DIGITS = 16;
/** The position from which the checksum covers the record. */
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
/** The body is `[tags, meta or 0, value]`. Without this flag it is only the value. */
const LABELLED = 4;
/** The value holds instances of classes, and the body of a custom serializer is the text of a graph. */
const WRAPPED = 8;
const LARGEST_SIZE = 0xffff_ffff;

/** Returns an epoch as text of fixed length, so that texts compare like the numbers. */
export function epochDigits(epoch: number): string {
  return String(Math.floor(epoch)).padStart(EPOCH_DIGITS, '0');
}

/** Writes the digits of an epoch into the record that begins at `at`. */
export function stamp(records: Buffer, digits: string, at = 0): void {
  records.write(digits, at + EPOCH_AT, EPOCH_DIGITS, 'latin1');
}

/** Reads the epoch of a record; undefined if it does not consist of digits. */
export function epochOf(record: Buffer): number | undefined {
  let epoch = 0;
  for (let at = EPOCH_AT; at < EPOCH_END; at++) {
    const digit = record[at]! - 48;
    if (digit < 0 || digit > 9) return undefined;
    epoch = epoch * 10 + digit;
  }
  return epoch;
}

/** Returns true if the entry's body holds more than its value. */
export function isLabelled(entry: Entry): boolean {
  return entry.tags.length > 0 || entry.meta !== undefined;
}

export function saysLabelled(record: Buffer): boolean {
  return (record[FLAGS_AT]! & LABELLED) !== 0;
}

export function saysMutable(record: Buffer): boolean {
  return (record[FLAGS_AT]! & MUTABLE) !== 0;
}

export function saysJson(record: Buffer): boolean {
  return (record[FLAGS_AT]! & JSON_SAFE) !== 0;
}

export function saysWrapped(record: Buffer): boolean {
  return (record[FLAGS_AT]! & WRAPPED) !== 0;
}

/** Writes the head of a record. @param offset is added to this process's times to get the layer's times. */
export function writeHead(bytes: Buffer, start: number, entry: Entry, offset: number): void {
  const { createdAt } = entry;
  bytes.writeDoubleLE(createdAt + offset, start + CREATED_AT);
  bytes.writeDoubleLE(entry.freshUntil - createdAt, start + FRESH_AT);
  bytes.writeDoubleLE(entry.staleUntil - createdAt, start + STALE_AT);
  bytes.writeDoubleLE(entry.removeAt - createdAt, start + GONE_AT);
  bytes.writeDoubleLE(entry.cost, start + COST_AT);
  bytes.writeUInt32LE(Math.min(entry.size, LARGEST_SIZE), start + SIZE_AT);
  bytes[start + FLAGS_AT] =
    (entry.mutable ? MUTABLE : 0) |
    (entry.json ? JSON_SAFE : 0) |
    (isLabelled(entry) ? LABELLED : 0) |
    (entry.classes === undefined ? 0 : WRAPPED);
}

/** The last time that can be written as a date (ECMA-262, "Time Values"). */
const LAST_TIME = 8.64e15;
/** How far the clock of another process may be ahead, milliseconds. */
const AHEAD_MS = 24 * 3_600_000;
/** The most memory per byte of a body. An empty object takes two bytes in a body and 64 in memory. */
const MOST_BYTES = 64;
const LEAST_BYTES = 1 / 8;
/** The most memory for the key, the tags and the entry itself. */
const BESIDE_BODY = 64 * 1024;

/**
 * Refuses invalid times. Each must be a number, they must be in order, and none may be in the far future.
 * @param now the time of this process.
 */
function checkTimes(createdAt: number, record: Buffer, now: number): void {
  const fresh = record.readDoubleLE(FRESH_AT);
  const stale = record.readDoubleLE(STALE_AT);
  const gone = record.readDoubleLE(GONE_AT);
  const cost = record.readDoubleLE(COST_AT);
  const inOrder = fresh >= -AHEAD_MS && stale >= fresh && gone >= stale && (gone <= LAST_TIME || gone === Infinity);
  if (!inOrder || !(createdAt > -LAST_TIME && createdAt <= now + AHEAD_MS) || !(cost >= 0 && cost <= LAST_TIME)) {
    throw new ForeignBytesError('invalid times');
  }
}

/** Returns the size in the record, limited to what a body of its length can hold, because memory layers rely on it. */
function sizeIn(record: Buffer, bodyBytes: number): number {
  const said = record.readUInt32LE(SIZE_AT);
  return Math.round(Math.min(Math.max(said, bodyBytes * LEAST_BYTES), bodyBytes * MOST_BYTES + BESIDE_BODY));
}

/** The decoded body of a record. */
export interface DecodedBody {
  readonly value: unknown;
  readonly tags: readonly string[];
  readonly meta: EntryMeta | undefined;
  readonly mutable: boolean;
  readonly json: boolean;
  /** The length of the decompressed body. */
  readonly bytes: number;
}

/**
 * An entry, decoded from the head of a record and its body. It is an instance of a class: the engine may allocate object literals in the
 * old generation if they often survive a collection, and would then collect values late.
 */
export class DecodedEntry implements Entry {
  readonly value: unknown;
  readonly createdAt: number;
  readonly freshUntil: number;
  readonly staleUntil: number;
  readonly removeAt: number;
  readonly tags: readonly string[];
  readonly size: number;
  readonly cost: number;
  readonly mutable: boolean;
  readonly json: boolean;
  readonly classes = undefined;
  readonly epoch = 0;
  readonly meta: EntryMeta | undefined;
  derived: Derived | undefined = undefined;
  series: Series | undefined = undefined;

  /**
   * @param offset is added to this process's times to get the layer's times.
   * @param now the time of this process.
   * @throws ForeignBytesError for invalid times.
   */
  constructor(record: Buffer, offset: number, now: number, body: DecodedBody) {
    const createdAt = record.readDoubleLE(CREATED_AT) - offset;
    checkTimes(createdAt, record, now);
    this.value = body.value;
    this.createdAt = createdAt;
    this.freshUntil = createdAt + record.readDoubleLE(FRESH_AT);
    this.staleUntil = createdAt + record.readDoubleLE(STALE_AT);
    this.removeAt = createdAt + record.readDoubleLE(GONE_AT);
    this.tags = body.tags;
    this.size = sizeIn(record, body.bytes);
    this.cost = record.readDoubleLE(COST_AT);
    this.mutable = body.mutable;
    this.json = body.json;
    this.meta = body.meta;
  }
}
