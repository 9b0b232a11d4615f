import { stamp } from './record-head.js';

/** So small that one batch blocks the server for well under a millisecond. */
const BATCH_BYTES = 65_536;
/** A script needs at most three keys per entry, and Lua's stack has room for some thousands. */
const BATCH_COUNT = 1_000;

/** The concatenated records of many entries, for one command. */
export interface RecordBatch {
  readonly names: readonly string[];
  readonly records: Buffer;
  /** The length of each record in bytes, 32 bits little-endian. */
  readonly lengths: Buffer;
  /** The milliseconds to live of each entry, '' for no end. One item if it is the same for all. */
  readonly expiries: readonly string[];
}

/**
 * Groups the records of a large write into batches, because a socket is faster with a few large pieces than with thousands of small ones.
 */
export class RecordBatches {
  #bytes = Buffer.alloc(0);
  #end = 0;
  #names: string[] = [];
  #lengths: number[] = [];
  #expiries: string[] = [];
  #full: RecordBatch | undefined;

  /** Reserves `bytes` bytes, of which the record may use fewer. @returns their position in {@link bytes}. */
  reserve(bytes: number): number {
    if (this.#end + bytes > this.#bytes.length) {
      this.#full = this.takeLast();
      // Zeroed, so that no old bytes of this process's memory can be sent.
      this.#bytes = Buffer.alloc(Math.max(bytes, BATCH_BYTES));
    }
    return this.#end;
  }

  /** The buffer that holds the room reserved last. */
  get bytes(): Buffer {
    return this.#bytes;
  }

  /** Adds the record that was written into the room reserved last. @param px milliseconds to live, or '' for no end. */
  add(name: string, length: number, px: string): void {
    this.#names.push(name);
    this.#lengths.push(length);
    this.#expiries.push(px);
    this.#end += length;
  }

  /** Returns, once, the batch that became full before the last record was added. */
  takeFull(): RecordBatch | undefined {
    const full = this.#full;
    this.#full = undefined;
    return full;
  }

  /** Returns the records since the last full batch; undefined if there are none. */
  takeLast(): RecordBatch | undefined {
    if (this.#names.length === 0) return undefined;
    const same = this.#expiries.every((px) => px === this.#expiries[0]);
    const batch = {
      names: this.#names,
      records: this.#bytes.subarray(0, this.#end),
      lengths: Buffer.from(Uint32Array.from(this.#lengths).buffer),
      expiries: same ? this.#expiries.slice(0, 1) : this.#expiries,
    };
    this.#bytes = Buffer.alloc(0);
    this.#end = 0;
    this.#names = [];
    this.#lengths = [];
    this.#expiries = [];
    return batch;
  }
}

/** Groups items with records into as few batches as possible. */
export function* inBatches<T extends { readonly record: Buffer }>(items: readonly T[]): Iterable<readonly T[]> {
  let from = 0;
  let bytes = 0;
  for (let at = 0; at < items.length; at++) {
    const { length } = items[at]!.record;
    if (at > from && (bytes + length > BATCH_BYTES || at - from === BATCH_COUNT)) {
      yield items.slice(from, at);
      from = at;
      bytes = 0;
    }
    bytes += length;
  }
  if (from < items.length) yield from === 0 ? items : items.slice(from);
}

/** The arguments of a script: concatenated records, their lengths ('' for a single record), and their times to live. */
export type BatchArguments = readonly [records: Buffer, lengths: Buffer | '', ...expiries: readonly string[]];

export function batchArguments(items: readonly { readonly record: Buffer; readonly px: string }[]): BatchArguments {
  const [first] = items;
  if (items.length === 1) return [first!.record, '', first!.px];
  const records = Buffer.concat(items.map(({ record }) => record));
  const lengths = Buffer.from(Uint32Array.from(items, ({ record }) => record.length).buffer);
  return [records, lengths, ...expiriesOf(items)];
}

/** Writes the digits of an epoch into each of the concatenated records. */
export function stampEach(records: Buffer, lengths: Buffer | '', digits: string): void {
  if (lengths === '') return stamp(records, digits);
  for (let record = 0, at = 0; record < lengths.length; record += 4) {
    stamp(records, digits, at);
    at += lengths.readUInt32LE(record);
  }
}

/** Returns the milliseconds to live of each item, '' for no end. One item if it is the same for all. */
export function expiriesOf(items: readonly { readonly px: string }[]): readonly string[] {
  const [first] = items;
  return items.every(({ px }) => px === first!.px) ? [first!.px] : items.map(({ px }) => px);
}
