/** Small enough that the server is kept for well under a millisecond by one of them, and that memory for it is at hand. */
const BATCH_BYTES = 65_536;
/** A script names three keys an entry at most, and Lua's stack has room for some thousands. */
const BATCH_COUNT = 1_000;

/** Records of many entries, one behind the other, as one command carries them. */
export interface RecordBatch {
  readonly names: readonly string[];
  readonly records: Buffer;
  /** Of each record in bytes, 32 bits little-endian. */
  readonly lengths: Buffer;
  /** Milliseconds to live of each, '' for ever; one alone where it is the same for all. */
  readonly expiries: readonly string[];
}

/** The batches that a write of many entries is sent in: a few large pieces cost a socket less than thousands of small ones. */
export class RecordBatches {
  #bytes = Buffer.alloc(0);
  #end = 0;
  #names: string[] = [];
  #lengths: number[] = [];
  #expiries: string[] = [];
  #full: RecordBatch | undefined;

  /** Room for a record of at most `bytes` bytes: where it begins in {@link bytes}. */
  reserve(bytes: number): number {
    if (this.#end + bytes > this.#bytes.length) {
      this.#full = this.takeLast();
      // Zeros: what is left open for the server to fill in leaves the process too.
      this.#bytes = Buffer.alloc(Math.max(bytes, BATCH_BYTES));
    }
    return this.#end;
  }

  /** Where room was reserved last. */
  get bytes(): Buffer {
    return this.#bytes;
  }

  /** The record that was written where room was reserved last. @param px milliseconds to live, or '' for ever. */
  add(name: string, length: number, px: string): void {
    this.#names.push(name);
    this.#lengths.push(length);
    this.#expiries.push(px);
    this.#end += length;
  }

  /** The batch that had no room for the record added last, once. */
  takeFull(): RecordBatch | undefined {
    const full = this.#full;
    this.#full = undefined;
    return full;
  }

  /** What has been added since the last full one; undefined if that is nothing. */
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

/** Several things that are sent with their records, as few as one batch takes. */
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

/** Records one behind the other, their lengths ('' for one), and their times to live, as the arguments of a script. */
export function batchArguments(
  items: readonly { readonly record: Buffer; readonly px: string }[],
): [records: Buffer, lengths: Buffer | '', ...expiries: string[]] {
  const [first] = items;
  if (items.length === 1) return [first!.record, '', first!.px];
  const records = Buffer.concat(items.map(({ record }) => record));
  const lengths = Buffer.from(Uint32Array.from(items, ({ record }) => record.length).buffer);
  return [records, lengths, ...expiriesOf(items)];
}

/** Milliseconds to live of each, '' for ever; one alone where it is the same for all. */
export function expiriesOf(items: readonly { readonly px: string }[]): readonly string[] {
  const [first] = items;
  return items.every(({ px }) => px === first!.px) ? [first!.px] : items.map(({ px }) => px);
}
