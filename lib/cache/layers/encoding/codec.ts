import { brotliCompressSync, brotliDecompressSync, constants, crc32 } from 'node:zlib';
import type { Entry, EntryMeta } from '../../entry.js';
import { CacheError } from '../../errors.js';
import type { RecordBatches } from '../redis/record-batches.js';
import { structuredCloneSerializer, type Serializer } from './serializer.js';

/** An entry as a shared layer keeps it. */
export interface Stored {
  readonly entry: Entry;
  /** Where in the shared order of invalidations it was written. */
  readonly epoch: number;
}

export interface CodecOptions {
  serializer?: 'json' | 'structured-clone' | Serializer;
  compression?: false | { threshold: number };
  /** Told of bytes that are no record of ours; an absent entry for everybody else. */
  onUndecodable?: (cause: unknown) => void;
}

/*
 * A record: format byte, CRC-32 of the body (4 bytes), epoch (16 decimal digits, so that a script on the server can read
 * and write it), body. The body is one array, times and all, in the form the format byte names. As JSON it reads well
 * in redis-cli, and cutting it anywhere leaves no JSON.
 */
export const FORMAT_JSON = 0xa1;
const FORMAT_STRUCTURED_CLONE = 0xa2;
const FORMAT_CUSTOM = 0xa3;
const COMPRESSED = 0x08;
const CRC_AT = 1;
export const EPOCH_AT = 5;
export const EPOCH_DIGITS = 16;
export const BODY_AT = EPOCH_AT + EPOCH_DIGITS;

/** An epoch as it is stored: texts of one length, which compare as the numbers do. */
export function epochDigits(epoch: number): string {
  return String(Math.floor(epoch)).padStart(EPOCH_DIGITS, '0');
}
/** Up to this many code units it is cheaper to leave room for the longest encoding than to measure it. */
const SHORT_TEXT = 4_096;
const UTF8_BYTES = 3;
const DEFAULT_THRESHOLD = 16_384;
const BROTLI = { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } };

/** Times are durations from the first; null is never. */
type Body = [
  createdAt: number,
  fresh: number | null,
  stale: number | null,
  gone: number | null,
  cost: number,
  size: number,
  flags: number,
  tags: readonly string[] | 0,
  meta: EntryMeta | 0,
  value: unknown,
];
const MUTABLE = 1;
const JSON_SAFE = 2;

/**
 * Entries to bytes and back, exactly: JSON where it gives the same value, structured clone where it does not, compressed
 * above a threshold. Bytes that are cut, damaged, foreign or of another serialiser are an absent entry, never an error.
 *
 * Compression is synchronous: Brotli at quality 1 takes 3 µs a KiB, less than the JSON of the same value took, and a turn
 * through the thread pool costs more than that up to a hundred KiB.
 */
export class EntryCodec {
  readonly #serializer: 'json' | Serializer;
  readonly #threshold: number;
  readonly #onUndecodable: (cause: unknown) => void;
  readonly #customSeed: number;

  constructor(options: CodecOptions = {}) {
    const { serializer = 'json', compression } = options;
    this.#serializer = serializer === 'structured-clone' ? structuredCloneSerializer : serializer;
    this.#threshold = compression === false ? Infinity : (compression?.threshold ?? DEFAULT_THRESHOLD);
    this.#onUndecodable = options.onUndecodable ?? (() => undefined);
    this.#customSeed = typeof serializer === 'string' ? 0 : crc32(serializer.id);
  }

  /**
   * @param offset what to add to this process' times to get those of the layer.
   * @throws CacheError `VALUE_NOT_SERIALIZABLE` where the serialiser refuses the value; the cause is kept.
   */
  encode(entry: Entry, offset = 0, epoch = 0): Buffer {
    const body = bodyOf(entry, offset);
    if (this.#isJson(entry)) return this.#record(FORMAT_JSON, textRecord(JSON.stringify(body)), epoch);
    const serialized = this.#serialize(body);
    const bytes = Buffer.allocUnsafe(BODY_AT + serialized.byteLength);
    bytes.set(serialized, BODY_AT);
    return this.#record(this.#format(), bytes, epoch);
  }

  /**
   * The same into a batch, where the epoch is left open for the server to fill in.
   * @returns the record's length in bytes, at the place that was reserved last.
   */
  encodeInto(batches: RecordBatches, entry: Entry, offset: number): number {
    if (!this.#isJson(entry)) return append(batches, this.encode(entry, offset));
    const text = JSON.stringify(bodyOf(entry, offset));
    const most = text.length < SHORT_TEXT ? text.length * UTF8_BYTES : Buffer.byteLength(text);
    if (most >= this.#threshold) return append(batches, this.#record(FORMAT_JSON, textRecord(text), 0));
    const start = batches.reserve(BODY_AT + most);
    const { bytes } = batches;
    const bodyAt = start + BODY_AT;
    const length = bytes.write(text, bodyAt, most, 'utf8');
    bytes[start] = FORMAT_JSON;
    bytes.writeUInt32LE(crc32(bytes.subarray(bodyAt, bodyAt + length)), start + CRC_AT);
    return BODY_AT + length;
  }

  /** @returns undefined for what is no record of ours. */
  decode(bytes: Buffer, offset = 0): Stored | undefined {
    try {
      return this.#decode(bytes, offset);
    } catch (cause) {
      this.#onUndecodable(cause);
      return undefined;
    }
  }

  #decode(bytes: Buffer, offset: number): Stored {
    if (bytes.length <= BODY_AT) throw new Error('too short for a record');
    const format = bytes[0]!;
    const plain = format & ~COMPRESSED;
    if (plain < FORMAT_JSON || plain > FORMAT_CUSTOM) throw new Error('no record of this library');
    const body = bytes.subarray(BODY_AT);
    if (crc32(body, this.#seed(format)) !== bytes.readUInt32LE(CRC_AT)) throw new Error('checksum differs');
    const epoch = epochOf(bytes);
    if (epoch === undefined) throw new Error('no epoch');
    const raw = format === plain ? body : brotliDecompressSync(body);
    return { entry: entryOf(this.#parse(plain, raw), offset), epoch };
  }

  #isJson(entry: Entry): boolean {
    return this.#serializer === 'json' && entry.json;
  }

  /** Compresses the body where that is asked for and smaller, and writes what stands before it. */
  #record(plain: number, bytes: Buffer, epoch: number): Buffer {
    let format = plain;
    let record = bytes;
    if (bytes.length - BODY_AT >= this.#threshold) {
      const compressed = brotliCompressSync(bytes.subarray(BODY_AT), BROTLI);
      if (compressed.length < bytes.length - BODY_AT) {
        record = Buffer.concat([bytes.subarray(0, BODY_AT), compressed]);
        format |= COMPRESSED;
      }
    }
    record[0] = format;
    record.writeUInt32LE(crc32(record.subarray(BODY_AT), this.#seed(format)), CRC_AT);
    stamp(record, epoch);
    return record;
  }

  #parse(format: number, body: Buffer): Body {
    if (format === FORMAT_JSON) return JSON.parse(body.toString('utf8')) as Body;
    if (format === FORMAT_STRUCTURED_CLONE) return structuredCloneSerializer.deserialize(body) as Body;
    if (typeof this.#serializer === 'string') throw new Error('written by a serialiser that is not configured');
    return this.#serializer.deserialize(body) as Body;
  }

  #serialize(body: Body): Uint8Array {
    const serializer = this.#serializer === 'json' ? structuredCloneSerializer : this.#serializer;
    try {
      return serializer.serialize(body);
    } catch (cause) {
      throw new CacheError(
        'VALUE_NOT_SERIALIZABLE',
        `The serialiser '${serializer.id}' refuses the value; cache plain data, or choose another serialiser for the layer.`,
        { cause },
      );
    }
  }

  #format(): number {
    return this.#serializer === 'json' || this.#serializer === structuredCloneSerializer
      ? FORMAT_STRUCTURED_CLONE
      : FORMAT_CUSTOM;
  }

  #seed(format: number): number {
    return (format & ~COMPRESSED) === FORMAT_CUSTOM ? this.#customSeed : 0;
  }
}

/** A text in UTF-8 with room before it for what stands before a body. */
function textRecord(text: string): Buffer {
  const length = Buffer.byteLength(text);
  const bytes = Buffer.allocUnsafe(BODY_AT + length);
  bytes.write(text, BODY_AT, length, 'utf8');
  return bytes;
}

function append(batches: RecordBatches, record: Buffer): number {
  const start = batches.reserve(record.length);
  batches.bytes.set(record, start);
  return record.length;
}

/** Writes the epoch into a record. */
export function stamp(record: Buffer, epoch: number): void {
  record.write(epochDigits(epoch), EPOCH_AT, EPOCH_DIGITS, 'latin1');
}

function epochOf(record: Buffer): number | undefined {
  let epoch = 0;
  for (let at = EPOCH_AT; at < BODY_AT; at++) {
    const digit = record[at]! - 48;
    if (digit < 0 || digit > 9) return undefined;
    epoch = epoch * 10 + digit;
  }
  return epoch;
}

function bodyOf(entry: Entry, offset: number): Body {
  const { createdAt } = entry;
  return [
    createdAt + offset,
    duration(createdAt, entry.freshUntil),
    duration(createdAt, entry.staleUntil),
    duration(createdAt, entry.goneAt),
    Math.round(entry.cost * 1000) / 1000,
    entry.size,
    (entry.mutable ? MUTABLE : 0) | (entry.json ? JSON_SAFE : 0),
    entry.tags.length === 0 ? 0 : entry.tags,
    entry.meta ?? 0,
    entry.value,
  ];
}

function duration(from: number, to: number): number | null {
  return to === Infinity ? null : Math.round((to - from) * 1000) / 1000;
}

function entryOf(body: Body, offset: number): Entry {
  if (!Array.isArray(body) || body.length !== 10 || typeof body[0] !== 'number') throw new Error('no entry');
  const createdAt = body[0] - offset;
  const flags = body[6];
  return {
    value: body[9],
    createdAt,
    freshUntil: body[1] === null ? Infinity : createdAt + body[1],
    staleUntil: body[2] === null ? Infinity : createdAt + body[2],
    goneAt: body[3] === null ? Infinity : createdAt + body[3],
    tags: body[7] === 0 ? NO_TAGS : body[7],
    size: body[5],
    cost: body[4],
    mutable: (flags & MUTABLE) !== 0,
    json: (flags & JSON_SAFE) !== 0,
    epoch: 0,
    meta: body[8] === 0 ? undefined : body[8],
    derived: undefined,
  };
}

const NO_TAGS: readonly string[] = Object.freeze([]);
