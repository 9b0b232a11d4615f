import { brotliCompressSync, brotliDecompressSync, constants, crc32 } from 'node:zlib';
import type { Entry, EntryMeta } from '../../entry.js';
import { CacheError } from '../../errors.js';
import type { RecordBatches } from './record-batches.js';
import {
  BODY_AT,
  CRC_AT,
  DecodedEntry,
  EPOCH_AT,
  EPOCH_END,
  epochOf,
  isLabelled,
  saysLabelled,
  stamp,
  writeHead,
} from './record-head.js';
import { structuredCloneSerializer, type Serializer } from './serializer.js';

/** An entry as a shared layer keeps it. */
export class Stored {
  constructor(
    readonly entry: Entry,
    /** Where in the shared order of invalidations it was written. */
    readonly epoch: number,
  ) {}
}

export interface CodecOptions {
  serializer?: 'json' | 'structured-clone' | Serializer;
  compression?: false | { threshold: number };
  /** Told of bytes that are no record of ours; an absent entry for everybody else. */
  onUndecodable?: (cause: unknown) => void;
}

/** What the body of a record is written in. */
export const FORMAT_JSON = 0xb1;
const FORMAT_STRUCTURED_CLONE = 0xb2;
const FORMAT_CUSTOM = 0xb3;
const COMPRESSED = 0x08;
/** Up to this many code units it is cheaper to leave room for the longest encoding than to measure it. */
const SHORT_TEXT = 4_096;
const UTF8_BYTES = 3;
const DEFAULT_THRESHOLD = 16_384;
const BROTLI = { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } };
const NO_TAGS: readonly string[] = Object.freeze([]);

/** What stands in the body where there is more than the value. */
type Labelled = readonly [tags: readonly string[], meta: EntryMeta | 0, value: unknown];

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
    const record = this.#isJson(entry)
      ? this.#record(FORMAT_JSON, textRecord(JSON.stringify(bodyOf(entry))), entry, offset)
      : this.#record(this.#format(), bytesRecord(this.#serialize(bodyOf(entry))), entry, offset);
    stamp(record, epoch);
    return record;
  }

  /**
   * The same into a batch, where the epoch is left open for the server to fill in.
   * @returns the record's length in bytes, at the place that was reserved last.
   */
  encodeInto(batches: RecordBatches, entry: Entry, offset: number): number {
    if (!this.#isJson(entry)) return append(batches, this.encode(entry, offset));
    const text = JSON.stringify(bodyOf(entry));
    const most = text.length < SHORT_TEXT ? text.length * UTF8_BYTES : Buffer.byteLength(text);
    if (most >= this.#threshold) return append(batches, this.#record(FORMAT_JSON, textRecord(text), entry, offset));
    const start = batches.reserve(BODY_AT + most);
    const { bytes } = batches;
    const end = start + BODY_AT + bytes.write(text, start + BODY_AT, most, 'utf8');
    bytes[start] = FORMAT_JSON;
    writeHead(bytes, start, entry, offset);
    bytes.writeUInt32LE(crc32(bytes.subarray(start + EPOCH_END, end)), start + CRC_AT);
    return end - start;
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
    if (bytes.length < BODY_AT) throw new Error('too short for a record');
    const format = bytes[0]!;
    const plain = format & ~COMPRESSED;
    if (plain < FORMAT_JSON || plain > FORMAT_CUSTOM) throw new Error('no record of this library');
    if (crc32(bytes.subarray(EPOCH_END), this.#seed(format)) !== bytes.readUInt32LE(CRC_AT)) {
      throw new Error('checksum differs');
    }
    const epoch = epochOf(bytes);
    if (epoch === undefined) throw new Error('no epoch');
    const body =
      format === FORMAT_JSON
        ? (JSON.parse(bytes.toString('utf8', BODY_AT)) as unknown)
        : this.#parse(
            plain,
            format === plain ? bytes.subarray(BODY_AT) : brotliDecompressSync(bytes.subarray(BODY_AT)),
          );
    if (!saysLabelled(bytes)) return new Stored(new DecodedEntry(bytes, offset, body, NO_TAGS, undefined), epoch);
    const [tags, meta, value] = body as Labelled;
    return new Stored(new DecodedEntry(bytes, offset, value, tags, meta === 0 ? undefined : meta), epoch);
  }

  #isJson(entry: Entry): boolean {
    return this.#serializer === 'json' && entry.json;
  }

  /** Compresses the body where that is asked for and smaller, and writes what stands before it, except the epoch. */
  #record(plain: number, bytes: Buffer, entry: Entry, offset: number): Buffer {
    let format = plain;
    let record = bytes;
    if (bytes.length - BODY_AT >= this.#threshold) {
      const compressed = brotliCompressSync(bytes.subarray(BODY_AT), BROTLI);
      if (compressed.length < bytes.length - BODY_AT) {
        record = bytesRecord(compressed);
        format |= COMPRESSED;
      }
    }
    record[0] = format;
    writeHead(record, 0, entry, offset);
    record.writeUInt32LE(crc32(record.subarray(EPOCH_END), this.#seed(format)), CRC_AT);
    return record;
  }

  #parse(format: number, body: Buffer): unknown {
    if (format === FORMAT_JSON) return JSON.parse(body.toString('utf8'));
    if (format === FORMAT_STRUCTURED_CLONE) return structuredCloneSerializer.deserialize(body);
    if (typeof this.#serializer === 'string') throw new Error('written by a serialiser that is not configured');
    return this.#serializer.deserialize(body);
  }

  #serialize(body: unknown): Uint8Array {
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

function bodyOf(entry: Entry): unknown {
  return isLabelled(entry) ? ([entry.tags, entry.meta ?? 0, entry.value] satisfies Labelled) : entry.value;
}

/** A text in UTF-8 with room before it for what stands before a body. */
function textRecord(text: string): Buffer {
  const length = Buffer.byteLength(text);
  const bytes = Buffer.allocUnsafe(BODY_AT + length);
  bytes.write(text, BODY_AT, length, 'utf8');
  return bytes;
}

/** The same for a body that is bytes. */
function bytesRecord(body: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(BODY_AT + body.byteLength);
  bytes.set(body, BODY_AT);
  return bytes;
}

function append(batches: RecordBatches, record: Buffer): number {
  const start = batches.reserve(record.length);
  batches.bytes.set(record, start);
  // Open for the server, and until then nothing that lay in this process' memory.
  batches.bytes.fill(0, start + EPOCH_AT, start + EPOCH_END);
  return record.length;
}
