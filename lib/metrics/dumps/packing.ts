/** Marks a number in a pair that does not fit into four bits. Its rest follows. */
export const NIBBLE = 15;

/** Writes whole numbers of zero or more with seven bits per byte (LEB128) into a buffer that is reused. */
export class PackedWriter {
  bytes: Uint8Array<ArrayBuffer>;
  length = 0;

  /** @param room the initial capacity, bytes. To grow, the writer copies its bytes. */
  constructor(room = 1024) {
    this.bytes = new Uint8Array(room);
  }

  clear(): void {
    this.length = 0;
  }

  /** Appends bytes unchanged. */
  append(run: Uint8Array): void {
    if (this.length + run.length > this.bytes.length) {
      const grown = new Uint8Array(Math.max(this.bytes.length * 2, this.length + run.length));
      grown.set(this.bytes);
      this.bytes = grown;
    }
    this.bytes.set(run, this.length);
    this.length += run.length;
  }

  write(value: number): void {
    if (this.length + 10 > this.bytes.length) {
      const grown = new Uint8Array(this.bytes.length * 2);
      grown.set(this.bytes);
      this.bytes = grown;
    }
    let rest = value;
    while (rest >= 0x8000_0000) {
      this.bytes[this.length++] = (rest % 128) | 0x80;
      rest = Math.floor(rest / 128);
    }
    let small = rest | 0;
    while (small >= 0x80) {
      this.bytes[this.length++] = (small & 0x7f) | 0x80;
      small >>>= 7;
    }
    this.bytes[this.length++] = small;
  }

  /** Writes two small numbers into one byte, four bits each; see {@link NIBBLE}. */
  writePair(one: number, other: number): void {
    this.write(0);
    this.bytes[this.length - 1] = (Math.min(one, NIBBLE) << 4) | Math.min(other, NIBBLE);
    if (one >= NIBBLE) this.write(one - NIBBLE);
    if (other >= NIBBLE) this.write(other - NIBBLE);
  }
}

/** Reads the bytes of a {@link PackedWriter}. */
export class PackedReader {
  bytes = new Uint8Array(0);
  position = 0;

  open(bytes: Uint8Array<ArrayBuffer>, position: number): void {
    this.bytes = bytes;
    this.position = position;
  }

  read(): number {
    const bytes = this.bytes;
    let byte = bytes[this.position++]!;
    if (byte < 0x80) return byte;
    let value = byte & 0x7f;
    for (let shift = 7; shift <= 21; shift += 7) {
      byte = bytes[this.position++]!;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    for (let scale = 2 ** 28; ; scale *= 128) {
      if (this.position >= bytes.length) throw new RangeError('The packed figures end in the middle of a number.');
      byte = bytes[this.position++]!;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  }
}
