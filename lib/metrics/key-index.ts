import { grown } from '../cache/base/grown.js';
import { textHash } from '../cache/base/text-hash.js';

/** The seed of hashes. It differs in every process, so that nobody can choose keys that share a place. */
const START = Math.floor(Math.random() * 2 ** 32) | 0;
const SMALLEST = 16;

/**
 * Finds the numbers of keys by open addressing with linear probing. It takes 20 bytes per key plus its name, even if keys are often
 * replaced. A `Map` then takes up to 60.
 */
export class KeyIndex {
  /** The keys by number. */
  readonly keys: string[] = [];
  #hashes = new Int32Array(SMALLEST / 2);
  /** For each place in use a number plus 1, otherwise 0. */
  #places = new Int32Array(SMALLEST);

  /** The number of keys up to which the index does not grow. */
  get capacity(): number {
    return this.#hashes.length;
  }

  /** Returns the number of a key, or -1. */
  find(key: string): number {
    const hash = textHash(key, START);
    const mask = this.#places.length - 1;
    for (let at = hash & mask; ; at = (at + 1) & mask) {
      const number = this.#places[at]! - 1;
      if (number === -1 || (this.#hashes[number] === hash && this.keys[number] === key)) return number;
    }
  }

  /** Adds a key that is not in the index. @returns its number, counted from 0 */
  add(key: string): number {
    if (this.keys.length === this.capacity) this.#grow();
    const number = this.keys.push(key) - 1;
    this.#hashes[number] = textHash(key, START);
    this.#place(number);
    return number;
  }

  /** Gives the number of a key to another key that is not in the index. */
  replace(number: number, key: string): void {
    this.#displace(number);
    this.keys[number] = key;
    this.#hashes[number] = textHash(key, START);
    this.#place(number);
  }

  #place(number: number): void {
    const mask = this.#places.length - 1;
    let at = this.#hashes[number]! & mask;
    while (this.#places[at] !== 0) at = (at + 1) & mask;
    this.#places[at] = number + 1;
  }

  /** Frees the place of a number, and moves later numbers that are not at their own place (Knuth, TAOCP 3, 6.4, algorithm R). */
  #displace(number: number): void {
    const places = this.#places;
    const mask = places.length - 1;
    let free = this.#hashes[number]! & mask;
    while (places[free] !== number + 1) free = (free + 1) & mask;
    for (let at = (free + 1) & mask; places[at] !== 0; at = (at + 1) & mask) {
      const own = this.#hashes[places[at]! - 1]! & mask;
      if (((at - own) & mask) < ((at - free) & mask)) continue;
      places[free] = places[at]!;
      free = at;
    }
    places[free] = 0;
  }

  #grow(): void {
    this.#hashes = grown(this.#hashes, new Int32Array(this.capacity * 2));
    this.#places = new Int32Array(this.#places.length * 2);
    for (let number = 0; number < this.keys.length; number++) this.#place(number);
  }
}
