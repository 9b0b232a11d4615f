import { DumpFault, DumpReader, type DumpWriter } from '../dumps/dump-bytes.js';
import type { PackedReader, PackedWriter } from '../dumps/packing.js';
import { checkFigures, type FramePart, type WindowSum } from './window-sum.js';
import type { Level } from './window-lengths.js';

/** The bytes of a frame's header: two for its length and four for its slot. */
const HEADER = 6;

/** Spare capacity for longer slots, bytes. It is small, because there are many logs and each soon has the size that it needs. */
const SPARE = 32;

/** How many slots a log may hold beyond those of its level. They are dropped when the log is next used. */
const SPARE_SLOTS = 12;

/** Shared by all empty logs. */
export const NO_BYTES = new Uint8Array(0);

/** Closed slots of one length, oldest first, packed into one run of bytes. Slots are appended at its end and dropped at its front. */
export class FrameLog {
  #bytes = NO_BYTES;
  #head = 0;
  #tail = 0;

  append(slot: number, frame: PackedWriter): void {
    const size = HEADER + frame.length;
    if (this.#tail + size > this.#bytes.length) this.#makeRoom(size);
    const bytes = this.#bytes;
    const at = this.#tail;
    bytes[at] = size & 0xff;
    bytes[at + 1] = size >>> 8;
    for (let byte = 0; byte < 4; byte++) bytes[at + 2 + byte] = (slot >>> (8 * byte)) & 0xff;
    bytes.set(frame.bytes.subarray(0, frame.length), at + HEADER);
    this.#tail = at + size;
  }

  /** Drops every frame of a slot before `slot`. */
  dropBefore(slot: number): void {
    while (this.#head < this.#tail && this.#slotAt(this.#head) < slot) this.#head += this.#sizeAt(this.#head);
    if (this.#head === this.#tail) this.#head = this.#tail = 0;
  }

  /** Adds every frame of a slot from `first` on. */
  addTo(sum: WindowSum, first: number, reader: PackedReader, part: FramePart): void {
    for (let at = this.#head; at < this.#tail; at += this.#sizeAt(at)) {
      if (this.#slotAt(at) < first) continue;
      reader.open(this.#bytes, at + HEADER);
      sum.addPacked(reader, part);
    }
  }

  /** Adds every frame to the sum that `sumOf` returns for its slot. If it returns undefined, the frame is left out. */
  addEachTo(sumOf: (slot: number) => WindowSum | undefined, reader: PackedReader): void {
    for (let at = this.#head; at < this.#tail; at += this.#sizeAt(at)) {
      const sum = sumOf(this.#slotAt(at));
      if (sum === undefined) continue;
      reader.open(this.#bytes, at + HEADER);
      sum.addPacked(reader, 'all');
    }
  }

  /** Returns the slots of the frames, oldest first. */
  slots(): number[] {
    const slots: number[] = [];
    for (let at = this.#head; at < this.#tail; at += this.#sizeAt(at)) slots.push(this.#slotAt(at));
    return slots;
  }

  /** Adds the frame of one slot, if there is one. */
  addSlotTo(sum: WindowSum, slot: number, reader: PackedReader): void {
    for (let at = this.#head; at < this.#tail; at += this.#sizeAt(at)) {
      if (this.#slotAt(at) !== slot) continue;
      reader.open(this.#bytes, at + HEADER);
      sum.addPacked(reader, 'all');
    }
  }

  /** Replaces the frames by those of another log. */
  takeOver(other: FrameLog): void {
    this.#bytes = other.#bytes;
    this.#head = other.#head;
    this.#tail = other.#tail;
  }

  save(dump: DumpWriter): void {
    dump.bytes(this.#bytes.subarray(this.#head, this.#tail));
  }

  /**
   * Replaces the frames by those of a dump.
   * @param level the level of the slots. A slot in the future, or more slots than the level has, is refused.
   * @throws DumpFault if the frames do not fill their bytes, are not in order, or hold other figures.
   */
  restore(dump: DumpReader, { slotMs, slots }: Level, counters: number, histograms: number): void {
    const frames = dump.bytes();
    let before = -1;
    let left = slots + SPARE_SLOTS;
    this.#bytes = frames.slice();
    this.#head = 0;
    this.#tail = frames.length;
    let at = 0;
    while (at < this.#tail) {
      const size = at + HEADER <= this.#tail ? this.#sizeAt(at) : 0;
      if (size <= HEADER || at + size > this.#tail) throw new DumpFault('Its slots do not fill their bytes.');
      const slot = this.#slotAt(at);
      if (slot <= before || slot > dump.lastSlot(slotMs) || left-- === 0)
        throw new DumpFault('Its slots are not those of its time.');
      before = slot;
      checkFigures(new DumpReader(this.#bytes, at + HEADER, at + size), counters, histograms);
      at += size;
    }
  }

  #makeRoom(size: number): void {
    const used = this.#tail - this.#head;
    const needed = used + size;
    const length = this.#bytes.length;
    if (needed <= length && needed > length / 2) this.#bytes.copyWithin(0, this.#head, this.#tail);
    else {
      const moved = new Uint8Array(needed + SPARE);
      moved.set(this.#bytes.subarray(this.#head, this.#tail));
      this.#bytes = moved;
    }
    this.#head = 0;
    this.#tail = used;
  }

  #sizeAt(at: number): number {
    return this.#bytes[at]! | (this.#bytes[at + 1]! << 8);
  }

  #slotAt(at: number): number {
    const bytes = this.#bytes;
    return (bytes[at + 2]! | (bytes[at + 3]! << 8) | (bytes[at + 4]! << 16) | (bytes[at + 5]! << 24)) >>> 0;
  }
}
