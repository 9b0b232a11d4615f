import { brotliCompressSync, crc32 } from 'node:zlib';

/** Forged fields of a record; the others are those of a valid current entry. */
export interface Forgery {
  /** 0xb1 JSON, 0xb3 a serializer of the application, 0xb4 a graph; plus 0x08 if it is compressed. */
  readonly format?: number;
  readonly body?: string | Buffer;
  /** 1 mutable, 2 JSON-safe, 4 with labels. */
  readonly flags?: number;
  readonly createdAt?: number;
  readonly fresh?: number;
  readonly stale?: number;
  readonly gone?: number;
  readonly cost?: number;
  readonly size?: number;
  readonly epoch?: string;
  /** The seed of the checksum of an application's serializer. */
  readonly seed?: number;
}

/** A record with a valid checksum, as an attacker writes it. */
export function forgedRecord(forgery: Forgery): Buffer {
  const { format = 0xb1, flags = 2, fresh = 60_000, cost = 1, size = 300, epoch = '1'.padStart(16, '0') } = forgery;
  const { createdAt = Date.now(), stale = fresh, gone = stale, body = '{"a":1}', seed = 0 } = forgery;
  const plain = Buffer.from(body);
  const written = (format & 0x08) !== 0 && typeof body === 'string' ? brotliCompressSync(plain) : plain;
  const head = Buffer.alloc(66);
  head[0] = format;
  head.write(epoch, 5, 16, 'latin1');
  [createdAt, fresh, stale, gone, cost].forEach((number, at) => head.writeDoubleLE(number, 21 + 8 * at));
  head.writeUInt32LE(size, 61);
  head[65] = flags;
  const record = Buffer.concat([head, written]);
  record.writeUInt32LE(crc32(record.subarray(21), seed), 1);
  return record;
}

/** The body of a graph: its text, whether it contains references, and the raw bytes after it. */
export function graphBody(text: string, { references = false, raw = Buffer.alloc(0) } = {}): Buffer {
  const written = Buffer.from(text);
  const head = Buffer.alloc(5);
  head[0] = references ? 1 : 0;
  head.writeUInt32LE(written.length, 1);
  return Buffer.concat([head, written, raw]);
}

/** The body of a graph without shapes. */
export function graphText(value: string, options?: Parameters<typeof graphBody>[1]): Buffer {
  return graphBody(`[[],${value}]`, options);
}
