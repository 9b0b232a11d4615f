import { SAFE_MESSAGE } from '../../cache/base/redacted-error.js';
import { NIBBLE, PackedReader, PackedWriter } from './packing.js';

/** Thrown for bytes that are not a dump of metrics, are incomplete, or are of another version. */
export class DumpFault extends Error {
  override readonly name = 'DumpFault';

  static {
    Object.defineProperty(DumpFault.prototype, SAFE_MESSAGE, { value: true });
  }
}

const NS = 1_000_000;
/** The most characters of a name; longer names are cut. */
const MAX_TEXT = 1024;

/** Writes numbers, texts and runs of bytes one after the other. */
export class DumpWriter {
  readonly packed: PackedWriter;
  /** Packs data whose length must be known before it is written. */
  readonly scratch = new PackedWriter();

  /** @param room the expected number of bytes. */
  constructor(room?: number) {
    this.packed = new PackedWriter(room);
  }

  get length(): number {
    return this.packed.length;
  }

  /** Writes a whole number of zero or more. */
  number(value: number): void {
    this.packed.write(Math.max(0, Math.round(value)));
  }

  /** Writes a whole number of zero or more, or null. */
  optional(value: number | null): void {
    this.number(value === null ? 0 : value + 1);
  }

  flag(value: boolean): void {
    this.number(value ? 1 : 0);
  }

  /** Writes milliseconds, exact to the nanosecond. A negative duration is written as 0. Infinity is written as "none". */
  duration(ms: number): void {
    this.number(ms === Infinity ? 0 : Math.round(Math.max(0, ms) * NS) + 1);
  }

  text(value: string): void {
    this.bytes(Buffer.from(value.slice(0, MAX_TEXT)));
  }

  bytes(value: Uint8Array): void {
    this.number(value.length);
    this.packed.append(value);
  }

  /** Returns all written bytes. Write nothing afterwards. */
  take(): Uint8Array<ArrayBuffer> {
    return this.packed.bytes.subarray(0, this.packed.length);
  }
}

/** The most UTF-8 bytes per UTF-16 code unit. */
const UTF8_BYTES = 3;
/** The most bytes of a number, with seven bits each. */
const MAX_DIGITS = 8;

/**
 * Reads the bytes of a {@link DumpWriter}. They are untrusted: it never reads beyond their end, and refuses numbers, counts and times that
 * a dump cannot hold.
 */
export class DumpReader {
  readonly packed = new PackedReader();
  readonly #end: number;
  readonly #latest: number;

  /** @param latest milliseconds since the Unix epoch. Later times are refused. */
  constructor(bytes: Uint8Array<ArrayBuffer>, position: number, end: number, latest = Infinity) {
    this.packed.open(bytes, position);
    this.#end = end;
    this.#latest = latest;
  }

  get done(): boolean {
    return this.packed.position === this.#end;
  }

  number(): number {
    const { bytes } = this.packed;
    let last = this.packed.position;
    while (last < this.#end && bytes[last]! >= 0x80) last++;
    if (last >= this.#end) throw new DumpFault('It ends in the middle of a number.');
    if (last - this.packed.position >= MAX_DIGITS) throw new DumpFault('It holds a number that is too large.');
    const value = this.packed.read();
    if (value > Number.MAX_SAFE_INTEGER) throw new DumpFault('It holds a number that is too large.');
    return value;
  }

  /** Reads two small numbers from one byte. If a number is larger, its rest follows. */
  pair(): readonly [one: number, other: number] {
    const { bytes, position } = this.packed;
    if (position >= this.#end) throw new DumpFault('It ends in the middle of a pair.');
    const pair = bytes[position]!;
    this.packed.position = position + 1;
    const one = pair >>> 4 === NIBBLE ? NIBBLE + this.number() : pair >>> 4;
    const other = (pair & NIBBLE) === NIBBLE ? NIBBLE + this.number() : pair & NIBBLE;
    return [one, other];
  }

  /** Reads milliseconds since the Unix epoch. A time in the future is refused. */
  time(): number {
    return this.count(this.#latest);
  }

  /** Reads the number of a slot of this length. A slot in the future is refused. */
  slot(slotMs: number): number {
    return this.count(Math.floor(this.#latest / slotMs));
  }

  /** Returns the number of the last slot that may have begun. */
  lastSlot(slotMs: number): number {
    return Math.floor(this.#latest / slotMs);
  }

  /** Reads how many items follow, at most `limit`. */
  count(limit: number): number {
    const count = this.number();
    if (count > limit) throw new DumpFault(`It announces ${count} items, more than ${limit}.`);
    return count;
  }

  optional(): number | null {
    const value = this.number();
    return value === 0 ? null : value - 1;
  }

  flag(): boolean {
    return this.number() !== 0;
  }

  /** Reads a duration that is not `Infinity`. */
  finiteDuration(): number {
    const ms = this.duration();
    if (ms === Infinity) throw new DumpFault('It holds a duration without an end.');
    return ms;
  }

  /** Returns a reader for the next part, whose length is written before it. */
  part(): DumpReader {
    const part = this.bytes();
    const from = part.byteOffset - this.packed.bytes.byteOffset;
    return new DumpReader(this.packed.bytes, from, from + part.length, this.#latest);
  }

  duration(): number {
    const value = this.number();
    return value === 0 ? Infinity : (value - 1) / NS;
  }

  text(): string {
    const bytes = this.bytes();
    if (bytes.length > MAX_TEXT * UTF8_BYTES) throw new DumpFault('It holds a name that is too long.');
    return Buffer.from(bytes).toString();
  }

  /** Returns a view of the bytes, not a copy. */
  bytes(): Uint8Array<ArrayBuffer> {
    const length = this.number();
    const from = this.packed.position;
    if (from + length > this.#end) throw new DumpFault('It ends in the middle of a part.');
    this.packed.position = from + length;
    return this.packed.bytes.subarray(from, from + length);
  }
}
