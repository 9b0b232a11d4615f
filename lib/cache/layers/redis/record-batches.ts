import type { RedisArgument } from './redis-connection.js';

/** Small enough that the server is kept for well under a millisecond by one of them, and that memory for it is at hand. */
const BATCH_BYTES = 65_536;

/** Records of many entries, one behind the other, as one command carries them. */
interface RecordBatch {
  readonly names: string[];
  /** Length and expiry of each. */
  readonly sizes: string[];
  readonly bytes: Buffer;
  end: number;
}

/** The batches that a write of many entries is sent in: a few large pieces cost a socket less than thousands of small ones. */
export class RecordBatches {
  readonly #batches: RecordBatch[] = [];
  #current: RecordBatch | undefined;

  /** Room for a record of at most `bytes` bytes: where it begins in {@link bytes}. */
  reserve(bytes: number): number {
    if (this.#current === undefined || this.#current.end + bytes > this.#current.bytes.length) {
      const room = Buffer.allocUnsafeSlow(Math.max(bytes, BATCH_BYTES));
      this.#batches.push((this.#current = { names: [], sizes: [], bytes: room, end: 0 }));
    }
    return this.#current.end;
  }

  /** Of the batch that room was last reserved in. */
  get bytes(): Buffer {
    return this.#current!.bytes;
  }

  /** The record that was written where room was reserved last. @param px milliseconds to live, or '' for ever. */
  add(name: string, length: number, px: string): void {
    const batch = this.#current!;
    batch.names.push(name);
    batch.sizes.push(String(length), px);
    batch.end += length;
  }

  /** Names and arguments of each batch: the records, then length and expiry of each. */
  *commands(): Iterable<readonly [names: readonly string[], argv: readonly RedisArgument[]]> {
    for (const { names, sizes, bytes, end } of this.#batches) yield [names, [bytes.subarray(0, end), ...sizes]];
  }
}
