import { toldError } from '../../cache/told-error.js';
import { PackedReader, PackedWriter } from '../windows/packing.js';

/** Bytes that are no image of metrics, or not all of one, or of another version. */
export class ImageFault extends Error {
  override readonly name = 'ImageFault';
}

/** Faults of an image are told in full; of other errors, such as those of a server, name and code. */
export function toldImageError(cause: unknown): string {
  return cause instanceof ImageFault ? cause.message : toldError(cause);
}

const NS = 1_000_000;
/** Longer names are cut: nobody reads them. */
const MAX_TEXT = 1024;

/** Writes numbers, texts and runs of bytes one after the other. */
export class ImageWriter {
  readonly packed: PackedWriter;
  /** For what is packed before its length is known. */
  readonly scratch = new PackedWriter();

  /** @param room bytes that it will hold, as far as is known. */
  constructor(room?: number) {
    this.packed = new PackedWriter(room);
  }

  get length(): number {
    return this.packed.length;
  }

  /** A whole number of zero or more. */
  number(value: number): void {
    this.packed.write(Math.max(0, Math.round(value)));
  }

  /** A whole number of zero or more, or none. */
  optional(value: number | null): void {
    this.number(value === null ? 0 : value + 1);
  }

  flag(value: boolean): void {
    this.number(value ? 1 : 0);
  }

  /** Milliseconds, to the nanosecond; a negative one is 0, Infinity is none. */
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

  /** Everything that was written; nothing may be written after it. */
  take(): Uint8Array<ArrayBuffer> {
    return this.packed.bytes.subarray(0, this.packed.length);
  }
}

/** Reads what an {@link ImageWriter} wrote; never beyond its end. */
export class ImageReader {
  readonly packed = new PackedReader();
  readonly #end: number;

  constructor(bytes: Uint8Array<ArrayBuffer>, position: number, end: number) {
    this.packed.open(bytes, position);
    this.#end = end;
  }

  get done(): boolean {
    return this.packed.position === this.#end;
  }

  number(): number {
    const { bytes } = this.packed;
    let last = this.packed.position;
    while (last < this.#end && bytes[last]! >= 0x80) last++;
    if (last >= this.#end) throw new ImageFault('It ends in the middle of a number.');
    return this.packed.read();
  }

  /** A number of at most `limit`: how many of something follow. */
  count(limit: number): number {
    const count = this.number();
    if (count > limit) throw new ImageFault(`It says that ${count} follow where at most ${limit} can.`);
    return count;
  }

  optional(): number | null {
    const value = this.number();
    return value === 0 ? null : value - 1;
  }

  flag(): boolean {
    return this.number() !== 0;
  }

  duration(): number {
    const value = this.number();
    return value === 0 ? Infinity : (value - 1) / NS;
  }

  text(): string {
    return Buffer.from(this.bytes()).toString();
  }

  /** A view, not a copy. */
  bytes(): Uint8Array<ArrayBuffer> {
    const length = this.number();
    const from = this.packed.position;
    if (from + length > this.#end) throw new ImageFault('It ends in the middle of a part.');
    this.packed.position = from + length;
    return this.packed.bytes.subarray(from, from + length);
  }
}
