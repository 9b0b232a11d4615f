import { crc32 } from 'node:zlib';
import { mixed } from '../cache/base/text-hash.js';

/** The maximum number of parts of a value that are read: properties, elements and pieces of texts. */
const MOST_PARTS = 4_000;
const MOST_DEPTH = 24;
/** This number of characters of a text, or bytes of a buffer, is one part. */
const PIECE = 32;
/** Native code reads texts from this length on. */
const LONG = 128;

/**
 * Returns a number that is the same for equal values. For different values it is the same with a probability of 2^-32. It reads the
 * fields that JSON contains, the time of a Date, and the contents of Map, Set and buffers. Of large values it reads the beginning
 * and every length. Its time is bounded: 4,000 properties, elements or pieces of text.
 */
export function valueDigest(value: unknown): number {
  return new Digest().of(value);
}

class Digest {
  #hash = 0x2545f491;
  #parts = 0;

  of(value: unknown): number {
    this.#add(value, 0);
    return mixed(this.#hash) || 1;
  }

  #add(value: unknown, depth: number): void {
    if (++this.#parts > MOST_PARTS) return;
    switch (typeof value) {
      case 'string':
        return this.#text(value);
      case 'object':
        if (value === null) return this.#number(2);
        return depth > MOST_DEPTH ? this.#number(3) : this.#object(value, depth + 1);
      default:
        return this.#text(`${typeof value}${String(value)}`);
    }
  }

  #object(value: object, depth: number): void {
    if (Array.isArray(value)) {
      this.#number(value.length);
      for (const item of value) {
        if (this.#parts > MOST_PARTS) return;
        this.#add(item, depth);
      }
    } else if (ArrayBuffer.isView(value)) this.#bytes(new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
    else if (value instanceof ArrayBuffer) this.#bytes(new Uint8Array(value));
    else if (value instanceof Date) this.#text(String(value.getTime()));
    else if (value instanceof Map || value instanceof Set) {
      this.#number(value.size);
      for (const item of value) {
        if (this.#parts > MOST_PARTS) return;
        this.#add(item, depth);
      }
    } else this.#properties(value, depth);
  }

  #properties(value: object, depth: number): void {
    let count = 0;
    for (const name in value) {
      if (this.#parts > MOST_PARTS) break;
      count++;
      this.#text(name);
      this.#add((value as Record<string, unknown>)[name], depth);
    }
    this.#number(count);
  }

  #text(text: string): void {
    this.#number(text.length);
    const left = (MOST_PARTS - this.#parts) * PIECE;
    const length = Math.min(text.length, left);
    this.#parts += Math.floor(length / PIECE);
    if (length >= LONG) return this.#number(crc32(length < text.length ? text.slice(0, length) : text) | 0);
    let hash = this.#hash;
    for (let at = 0; at < length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
    this.#hash = hash;
  }

  #bytes(bytes: Uint8Array): void {
    this.#number(bytes.length);
    const length = Math.min(bytes.length, (MOST_PARTS - this.#parts) * PIECE);
    this.#parts += Math.floor(length / PIECE);
    this.#number(crc32(bytes.subarray(0, length)) | 0);
  }

  #number(value: number): void {
    this.#hash = Math.imul(mixed(this.#hash ^ value), 0x01000193);
  }
}
