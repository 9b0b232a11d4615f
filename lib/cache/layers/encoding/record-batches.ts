import { stamp } from './record-head.js';

/** Small enough that one batch blocks the server for well under a millisecond. */
const BATCH_BYTES = 65_536;
/** A script needs at most three keys per entry, and Lua's stack has room for some thousands. */
const BATCH_COUNT = 1_000;

/** The concatenated records of many entries, as one command carries them. */
export interface RecordBatch {
  readonly names: readonly string[];
  readonly records: Buffer;
  /** The length of each record in bytes, 32 bits little-endian. */
  readonly lengths: Buffer;
  /** Milliseconds to live of each entry, '' forever; a single value if it is the same for all. */
  readonly expiries: readonly string[];
}

/** The batches of a large write: a socket is faster with a few large pieces than with thousands of small ones. */
export class RecordBatches {
  #bytes = Buffer.alloc(0);
  #end = 0;
  #names: string[] = [];
  #lengths: number[] = [];
  #expiries: string[] = [];
  #full: RecordBatch | undefined;

  /** Reserves at most `bytes` bytes. @returns their beginning in {@link bytes}. */
  reserve(bytes: number): number {
    if (this.#end + bytes > this.#bytes.length) {
      this.#full = this.takeLast();
      // Zeroed, so that no old bytes of this process's memory can be sent.
      this.#bytes = Buffer.alloc(Math.max(bytes, BATCH_BYTES));
    }
    return this.#end;
  }

  /** The buffer in which room was reserved last. */
  get bytes(): Buffer {
    return this.#bytes;
  }

  /** Adds the record that was written where room was reserved last. @param px milliseconds to live, or '' forever. */
  add(name: string, length: number, px: string): void {
    this.#names.push(name);
    this.#lengths.push(length);
    this.#expiries.push(px);
    this.#end += length;
  }

  /** Returns the batch that was full before the record added last, once. */
  takeFull(): RecordBatch | undefined {
    const full = this.#full;
    this.#full = undefined;
    return full;
  }

  /** Returns the rest since the last full batch; undefined if there is none. */
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

/** Concatenated records, their lengths ('' for a single one), and their times to live, as the arguments of a script. */
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

/** Milliseconds to live of each, '' forever; a single value if it is the same for all. */
export function expiriesOf(items: readonly { readonly px: string }[]): readonly string[] {
  const [first] = items;
  return items.every(({ px }) => px === first!.px) ? [first!.px] : items.map(({ px }) => px);
}
