import type { Derived, Entry, EntryMeta } from '../../entries/entry.js';
import type { Series } from '../../base/observer.js';
import { ForeignBytesError } from '../../base/bounded-json.js';

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
/** The value holds instances of classes, and stands in the body as the text of a graph. */
const WRAPPED = 8;
const LARGEST_SIZE = 0xffff_ffff;

/** An epoch as it is stored: texts of one length, which compare as the numbers do. */
export function epochDigits(epoch: number): string {
  return String(Math.floor(epoch)).padStart(EPOCH_DIGITS, '0');
}

/** Writes the epoch into a record. */
export function stamp(record: Buffer, epoch: number): void {
  record.write(epochDigits(epoch), EPOCH_AT, EPOCH_DIGITS, 'latin1');
}

/** Undefined if there are no digits. */
export function epochOf(record: Buffer): number | undefined {
  let epoch = 0;
  for (let at = EPOCH_AT; at < EPOCH_END; at++) {
    const digit = record[at]! - 48;
    if (digit < 0 || digit > 9) return undefined;
    epoch = epoch * 10 + digit;
  }
  return epoch;
}

/** True if the entry's body has to hold more than its value. */
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
    (entry.mutable ? MUTABLE : 0) |
    (entry.json ? JSON_SAFE : 0) |
    (isLabelled(entry) ? LABELLED : 0) |
    (entry.classes === undefined ? 0 : WRAPPED);
}

/** Beyond this a time cannot be written as a date (ECMA-262, "Time Values"). */
const LAST_TIME = 8.64e15;
/** A process whose clock is further ahead has no idea of the time. */
const AHEAD_MS = 24 * 3_600_000;
/** Of one byte of a body, in memory: an empty object is two bytes there and 64 here. */
const MOST_BYTES = 64;
const LEAST_BYTES = 1 / 8;
/** Key, tags and what an entry takes itself. */
const BESIDE_BODY = 64 * 1024;

/**
 * Refuses times that no entry has: every one a number, in their order, not from the far future.
 * @param now this process' time.
 */
function checkTimes(createdAt: number, record: Buffer, now: number): void {
  const fresh = record.readDoubleLE(FRESH_AT);
  const stale = record.readDoubleLE(STALE_AT);
  const gone = record.readDoubleLE(GONE_AT);
  const cost = record.readDoubleLE(COST_AT);
  const inOrder = fresh >= -AHEAD_MS && stale >= fresh && gone >= stale && (gone <= LAST_TIME || gone === Infinity);
  if (!inOrder || !(createdAt > -LAST_TIME && createdAt <= now + AHEAD_MS) || !(cost >= 0 && cost <= LAST_TIME)) {
    throw new ForeignBytesError('times that no entry has');
  }
}

/** What the record says, as far as its body can be of that size: layers in memory count on it. */
function sizeIn(record: Buffer, bodyBytes: number): number {
  const said = record.readUInt32LE(SIZE_AT);
  return Math.round(Math.min(Math.max(said, bodyBytes * LEAST_BYTES), bodyBytes * MOST_BYTES + BESIDE_BODY));
}

/** What a record's body holds. */
export interface DecodedBody {
  readonly value: unknown;
  readonly tags: readonly string[];
  readonly meta: EntryMeta | undefined;
  readonly mutable: boolean;
  readonly json: boolean;
  /** Its length, decompressed. */
  readonly bytes: number;
}

/**
 * The entry that a record's head and its body make. An instance, because the engine may take memory of the old generation for
 * literals that are often still in use at a collection, and values then die with their entries only late.
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
  readonly classes = undefined;
  readonly epoch = 0;
  readonly meta: EntryMeta | undefined;
  derived: Derived | undefined = undefined;
  series: Series | undefined = undefined;

  /**
   * @param offset what to add to this process' times to get those of the layer.
   * @param now this process' time.
   * @throws ForeignBytesError for times that no entry has.
   */
  constructor(record: Buffer, offset: number, now: number, body: DecodedBody) {
    const createdAt = record.readDoubleLE(CREATED_AT) - offset;
    checkTimes(createdAt, record, now);
    this.value = body.value;
    this.createdAt = createdAt;
    this.freshUntil = createdAt + record.readDoubleLE(FRESH_AT);
    this.staleUntil = createdAt + record.readDoubleLE(STALE_AT);
    this.goneAt = createdAt + record.readDoubleLE(GONE_AT);
    this.tags = body.tags;
    this.size = sizeIn(record, body.bytes);
    this.cost = record.readDoubleLE(COST_AT);
    this.mutable = body.mutable;
    this.json = body.json;
    this.meta = body.meta;
  }
}
