import { brotliCompressSync, brotliDecompressSync, constants, crc32 } from 'node:zlib';
import { type Entry, type EntryMeta, isEntryMeta } from '../../entries/entry.js';
import { noteExtraProperties } from '../../entries/extra-properties.js';
import { CacheError } from '../../base/errors.js';
import { isThenable } from '../../base/thenable.js';
import { checkForeignValue, ForeignBytesError, MAX_BODY_BYTES, parseBoundedJson } from '../../base/bounded-json.js';
import { ReadBudget, UNCOUNTED_BYTES } from '../../base/read-budget.js';
import { type GraphInstances, PackedValue } from './packed-value.js';
import type { RecordBatches } from './record-batches.js';
import {
  BODY_AT,
  CRC_AT,
  type DecodedBody,
  DecodedEntry,
  EPOCH_AT,
  EPOCH_END,
  epochDigits,
  epochOf,
  isLabelled,
  saysJson,
  saysLabelled,
  saysMutable,
  saysWrapped,
  stamp,
  writeHead,
} from './record-head.js';
import type { Serializer } from './serializer.js';
import { decodeGraph, encodeGraph, KnownSymbols } from './value-graph.js';

/** A decoded entry with its epoch. */
export class Stored {
  constructor(
    readonly entry: Entry,
    /** The epoch of the shared order of invalidations when the entry was written. */
    readonly epoch: number,
  ) {}
}

export interface CodecOptions {
  serializer?: 'json' | 'structured-clone' | Serializer;
  compression?: false | { threshold: number };
  /** Called for bytes that are not a record. The entry then counts as absent. */
  onUndecodable?: (cause: unknown) => void;
}

/** The format byte of a JSON record. The other formats follow. */
export const FORMAT_JSON = 0xb1;
const FORMAT_CUSTOM = 0xb3;
const FORMAT_GRAPH = 0xb4;
const COMPRESSED = 0x08;
/** For a text with fewer code units, it is faster to reserve room for its longest encoding than to measure it. */
const SHORT_TEXT = 4_096;
const UTF8_BYTES = 3;
const DEFAULT_THRESHOLD = 16_384;
const MAX_TAGS = 10_000;
/**
 * The most times that a body may be longer than its compressed form, so that a read of many small records cannot decompress to gigabytes. A
 * body that compresses better is stored uncompressed.
 */
const MAX_RATIO = 200;
const LEAST_OUTPUT_BYTES = 64 * 1024;
const BROTLI = { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } };
const NO_TAGS: readonly string[] = Object.freeze([]);

/** The body of a record that holds more than the value. */
type Labelled = readonly [tags: readonly string[], meta: EntryMeta | 0, value: unknown];

/**
 * Encodes entries as bytes and decodes them without loss. A value is written as JSON if that gives the same value, otherwise as a graph
 * (see value-graph.ts). Bodies above a threshold are compressed.
 *
 * Bytes are untrusted. A record that is cut, damaged, foreign, or larger than {@link MAX_BODY_BYTES} after decompression counts as an
 * absent entry, never as an error. The checksum detects accidents, not attacks, so every field is checked, too.
 *
 * Compression is synchronous: Brotli at quality 1 takes 3 µs per KiB, less than writing the JSON of the same value. Up to a hundred KiB,
 * the thread pool would cost more.
 */
export class EntryCodec {
  readonly #serializer: 'json' | 'graph' | Serializer;
  readonly #threshold: number;
  readonly #onUndecodable: (cause: unknown) => void;
  readonly #customSeed: number;
  readonly #symbols = new KnownSymbols();

  constructor(options: CodecOptions = {}) {
    const { serializer = 'json', compression } = options;
    this.#serializer = serializer === 'structured-clone' ? 'graph' : serializer;
    this.#threshold = compression === false ? Infinity : (compression?.threshold ?? DEFAULT_THRESHOLD);
    this.#onUndecodable = options.onUndecodable ?? (() => undefined);
    this.#customSeed = typeof serializer === 'string' ? 0 : crc32(serializer.id);
  }

  /**
   * Encodes an entry.
   * @param offset is added to this process's times to get the layer's times.
   * @throws CacheError `VALUE_NOT_SERIALIZABLE` if the serializer refuses the value or returns more than {@link MAX_BODY_BYTES}; the cause
   * is kept.
   */
  encode(entry: Entry, offset = 0, epoch = 0): Buffer {
    const record = this.encodeUnstamped(entry, offset);
    stamp(record, epochDigits(epoch));
    return record;
  }

  /** Encodes an entry as {@link encode} does, without its epoch. Stamp the record before it is sent. */
  encodeUnstamped(entry: Entry, offset: number): Buffer {
    return this.#isJson(entry)
      ? this.#record(FORMAT_JSON, checked(textRecord(JSON.stringify(bodyOf(entry)))), entry, offset)
      : this.#record(this.#format(), bytesRecord(this.#serialize(entry)), entry, offset);
  }

  /**
   * Encodes an entry as {@link encodeUnstamped} does, into a batch.
   * @returns the length in bytes of the record, which is written into the room reserved last.
   */
  encodeInto(batches: RecordBatches, entry: Entry, offset: number): number {
    if (!this.#isJson(entry)) return append(batches, this.encodeUnstamped(entry, offset));
    const text = JSON.stringify(bodyOf(entry));
    const most = text.length < SHORT_TEXT ? text.length * UTF8_BYTES : Buffer.byteLength(text);
    if (most >= this.#threshold || most > UNCOUNTED_BYTES)
      return append(batches, this.#record(FORMAT_JSON, checked(textRecord(text)), entry, offset));
    const start = batches.reserve(BODY_AT + most);
    const { bytes } = batches;
    const end = start + BODY_AT + bytes.write(text, start + BODY_AT, most, 'utf8');
    bytes[start] = FORMAT_JSON;
    writeHead(bytes, start, entry, offset);
    bytes.writeUInt32LE(crc32(bytes.subarray(start + EPOCH_END, end)), start + CRC_AT);
    return end - start;
  }

  /**
   * Decodes a record.
   * @param offset is added to this process's times to get the layer's times.
   * @param now the time of this process. A record from the far future is refused.
   * @param budget the budget of the whole read.
   * @returns undefined for bytes that are not a record of this codec.
   */
  decode(bytes: Buffer, offset = 0, now = Infinity, budget = new ReadBudget()): Stored | undefined {
    try {
      return this.#decode(bytes, offset, now, budget);
    } catch (cause) {
      this.#onUndecodable(cause);
      return undefined;
    }
  }

  #decode(bytes: Buffer, offset: number, now: number, budget: ReadBudget): Stored {
    if (bytes.length < BODY_AT) throw new ForeignBytesError('too short for a record');
    if (bytes.length > BODY_AT + MAX_BODY_BYTES) throw new ForeignBytesError('too long for a record');
    const format = bytes[0]!;
    const plain = format & ~COMPRESSED;
    if (plain !== FORMAT_JSON && plain !== FORMAT_GRAPH && plain !== FORMAT_CUSTOM) {
      throw new ForeignBytesError('not a record of this library');
    }
    if (crc32(bytes.subarray(EPOCH_END), this.#seed(format)) !== bytes.readUInt32LE(CRC_AT)) {
      throw new ForeignBytesError('its checksum differs');
    }
    const epoch = epochOf(bytes);
    if (epoch === undefined) throw new ForeignBytesError('it has no epoch');
    const stored = bytes.subarray(BODY_AT);
    const body = format === plain ? stored : decompressed(stored, budget);
    return new Stored(new DecodedEntry(bytes, offset, now, this.#body(plain, body, bytes, budget)), epoch);
  }

  #body(format: number, bytes: Buffer, record: Buffer, budget: ReadBudget): DecodedBody {
    const labelled = saysLabelled(record);
    switch (format) {
      case FORMAT_JSON:
        return bodyIn(parseBoundedJson(bytes, budget), labelled, false, true, bytes.length);
      case FORMAT_GRAPH: {
        const { value, mutable, json, instances } = decodeGraph(bytes, budget, this.#symbols);
        return packedIn(bodyIn(value, labelled, mutable, json, bytes.length), instances);
      }
      default:
        return this.#customBody(bytes, record, budget);
    }
  }

  #customBody(bytes: Buffer, record: Buffer, budget: ReadBudget): DecodedBody {
    const value = this.#deserialize(bytes);
    const body = bodyIn(value, saysLabelled(record), saysMutable(record), saysJson(record), bytes.length);
    return saysWrapped(record) ? this.#unwrapped(body, budget) : body;
  }

  #unwrapped(body: DecodedBody, budget: ReadBudget): DecodedBody {
    if (typeof body.value !== 'string') throw new ForeignBytesError('a graph that is not a text');
    const graph = decodeGraph(Buffer.from(body.value, 'base64'), budget, this.#symbols);
    return packedIn({ ...body, value: graph.value, mutable: graph.mutable, json: graph.json }, graph.instances);
  }

  #isJson(entry: Entry): boolean {
    return this.#serializer === 'json' && entry.json;
  }

  /** Compresses the body if that is configured and makes it smaller, and writes the head without the epoch. */
  #record(plain: number, bytes: Buffer, entry: Entry, offset: number): Buffer {
    let format = plain;
    let record = bytes;
    checkLength(bytes.length - BODY_AT);
    if (bytes.length - BODY_AT >= this.#threshold) {
      const compressed = brotliCompressSync(bytes.subarray(BODY_AT), BROTLI);
      const { length } = compressed;
      if (length < bytes.length - BODY_AT && mostOf(length) >= bytes.length - BODY_AT) {
        record = bytesRecord(compressed);
        format |= COMPRESSED;
      }
    }
    record[0] = format;
    writeHead(record, 0, entry, offset);
    record.writeUInt32LE(crc32(record.subarray(EPOCH_END), this.#seed(format)), CRC_AT);
    return record;
  }

  #serialize(entry: Entry): Uint8Array {
    const serializer = this.#serializer;
    try {
      if (typeof serializer === 'string') return encodeGraph(bodyOf(entry), entry.classes);
      const bytes: unknown = serializer.serialize(entry.classes === undefined ? bodyOf(entry) : wrapped(entry));
      if (bytes instanceof Uint8Array) return bytes;
      if (isThenable(bytes)) bytes.then(undefined, () => undefined);
      throw new TypeError('It returned no Uint8Array.');
    } catch (cause) {
      const name = typeof serializer === 'string' ? 'structured-clone' : serializer.id;
      throw new CacheError(
        'VALUE_NOT_SERIALIZABLE',
        `The serializer '${name}' refuses the value. Cache plain data, or choose another serializer for the layer.`,
        { cause },
      );
    }
  }

  #deserialize(bytes: Buffer): unknown {
    if (typeof this.#serializer === 'string')
      throw new ForeignBytesError('written by a serializer that is not configured');
    const value = this.#serializer.deserialize(bytes);
    if (isThenable(value)) {
      value.then(undefined, () => undefined);
      throw new ForeignBytesError('the serializer returned a promise');
    }
    checkForeignValue(value, noteExtraProperties);
    return value;
  }

  #format(): number {
    return typeof this.#serializer === 'string' ? FORMAT_GRAPH : FORMAT_CUSTOM;
  }

  #seed(format: number): number {
    return (format & ~COMPRESSED) === FORMAT_CUSTOM ? this.#customSeed : 0;
  }
}

function bodyOf(entry: Entry, value = entry.value): unknown {
  return isLabelled(entry) ? ([entry.tags, entry.meta ?? 0, value] satisfies Labelled) : value;
}

/** Returns the body with the value as the text of a graph, because the application's serializer may not support instances. */
function wrapped(entry: Entry): unknown {
  return bodyOf(entry, encodeGraph(entry.value, entry.classes).toString('base64'));
}

/** Packs a value with instances. They get their classes when the pattern of the read is known. */
function packedIn(body: DecodedBody, instances: GraphInstances | undefined): DecodedBody {
  return instances === undefined ? body : { ...body, value: new PackedValue(body.value, instances), json: false };
}

/** @throws ForeignBytesError for labels that no entry can have. */
function bodyIn(body: unknown, labelled: boolean, mutable: boolean, json: boolean, bytes: number): DecodedBody {
  if (!labelled) return { value: body, tags: NO_TAGS, meta: undefined, mutable, json, bytes };
  if (!Array.isArray(body) || body.length !== 3) throw new ForeignBytesError('it has no labels');
  const [tags, meta, value] = body as readonly unknown[];
  if (!Array.isArray(tags) || tags.length > MAX_TAGS || !tags.every((tag) => typeof tag === 'string')) {
    throw new ForeignBytesError('its tags are not texts');
  }
  if (meta !== 0 && !isEntryMeta(meta)) throw new ForeignBytesError('its metadata is not that of a response');
  return { value, tags, meta: meta === 0 ? undefined : meta, mutable, json, bytes };
}

function checkLength(bytes: number): void {
  if (bytes <= MAX_BODY_BYTES) return;
  throw new CacheError(
    'VALUE_NOT_SERIALIZABLE',
    `The value takes ${bytes} bytes, more than the ${MAX_BODY_BYTES} that a shared layer reads back. Cache parts of it, or set maxEntrySize.`,
  );
}

/** Returns the record. @throws CacheError `VALUE_NOT_SERIALIZABLE` for a JSON record that could not be read back. */
function checked(record: Buffer): Buffer {
  checkLength(record.length - BODY_AT);
  // Every text of this length can be read back.
  if (record.length - BODY_AT <= UNCOUNTED_BYTES) return record;
  try {
    new ReadBudget().text(record.subarray(BODY_AT));
  } catch (cause) {
    throw new CacheError(
      'VALUE_NOT_SERIALIZABLE',
      'The value has more objects, or more different names of properties, than a shared layer reads back. Cache parts of it.',
      { cause },
    );
  }
  return record;
}

/** Encodes a text as UTF-8 with room for a head before it. */
function textRecord(text: string): Buffer {
  const length = Buffer.byteLength(text);
  const bytes = Buffer.allocUnsafe(BODY_AT + length);
  bytes.write(text, BODY_AT, length, 'utf8');
  return bytes;
}

/** Copies bytes with room for a head before them. */
function bytesRecord(body: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(BODY_AT + body.byteLength);
  bytes.set(body, BODY_AT);
  return bytes;
}

function append(batches: RecordBatches, record: Buffer): number {
  const start = batches.reserve(record.length);
  batches.bytes.set(record, start);
  // The epoch is written when the batch is sent. Until then this room must not hold old bytes of this process's memory.
  batches.bytes.fill(0, start + EPOCH_AT, start + EPOCH_END);
  return record.length;
}

function decompressed(stored: Buffer, budget: ReadBudget): Buffer {
  const maxOutputLength = Math.min(mostOf(stored.length), budget.mostFrom(stored.length));
  if (maxOutputLength === 0) throw new ForeignBytesError('its read has decompressed too much');
  const body = brotliDecompressSync(stored, { maxOutputLength });
  budget.decompressed(stored.length, body.length);
  return body;
}

/** Returns the most bytes to which a compressed body of this length may decompress. */
function mostOf(compressed: number): number {
  return Math.min(MAX_BODY_BYTES, Math.max(LEAST_OUTPUT_BYTES, compressed * MAX_RATIO));
}
