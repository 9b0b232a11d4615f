import { grown } from '../cache/base/grown.js';
import { KeyIndex } from './key-index.js';

/** A frequent key. */
export interface RankedKey {
  readonly key: string;
  readonly count: number;
  /** The most by which the count may be too high. */
  readonly overcount: number;
}

/**
 * Finds the most frequent keys of a stream in bounded memory: Space-Saving (Metwally, Agrawal, El Abbadi, ICDT 2005) over a binary heap. It
 * always holds every key whose share is above 1 / `capacity`. A count is too high by at most the count of the key that it replaced. Call
 * {@link halve} from time to time, so that keys that are no longer used lose their places.
 */
export class SpaceSaving {
  readonly #index = new KeyIndex();
  /** Counts by the number of a key. */
  #counts = new Float64Array(0);
  /** The most by which a count may be too high: the count of the key that it replaced. */
  #overcounts = new Float32Array(0);
  /** How often each key was added since it got its number, halved with the counts. */
  #adds = new Float32Array(0);
  /** A heap of the numbers of keys. No count is smaller than that of the number above it. */
  #heap = new Int32Array(0);
  /** The place of each number in the heap. */
  #places = new Int32Array(0);

  constructor(private readonly capacity: number) {}

  get size(): number {
    return this.#index.keys.length;
  }

  has(key: string): boolean {
    return this.#index.find(key) !== -1;
  }

  /** Counts one or more occurrences of a key. Returns the key that it replaced, if any. */
  add(key: string, by = 1): string | undefined {
    const known = this.#index.find(key);
    if (known !== -1) {
      this.#counts[known]! += by;
      this.#adds[known]! += 1;
      this.#sink(this.#places[known]!);
      return undefined;
    }
    if (this.size < this.capacity) {
      const added = this.#index.add(key);
      if (this.#index.capacity > this.#heap.length) this.#grow(this.#index.capacity);
      this.#counts[added] = by;
      this.#adds[added] = 1;
      this.#places[added] = this.#heap[added] = added;
      this.#rise(added);
      return undefined;
    }
    const rarest = this.#heap[0]!;
    const replaced = this.#index.keys[rarest]!;
    this.#index.replace(rarest, key);
    this.#overcounts[rarest] = this.#counts[rarest]!;
    this.#counts[rarest]! += by;
    this.#adds[rarest] = 1;
    this.#sink(0);
    return replaced;
  }

  /** Returns the `limit` most frequent keys that were counted `least` times or more, most frequent first. */
  top(limit: number, least = 1): string[] {
    return this.ranking(limit, { count: least }).map(({ key }) => key);
  }

  /**
   * Returns the `limit` most frequent keys, most frequent first, with their counts and the most by which each may be too high.
   * @param least leaves out keys whose count is smaller and that were added less often.
   */
  ranking(limit: number, least: { readonly count: number; readonly adds?: number } = { count: 0 }): RankedKey[] {
    const ranked: RankedKey[] = [];
    for (let number = 0; number < this.size; number++) {
      const count = this.#counts[number]!;
      if (count < least.count && this.#adds[number]! < (least.adds ?? Infinity)) continue;
      ranked.push({ key: this.#index.keys[number]!, count, overcount: this.#overcounts[number]! });
    }
    return ranked.sort((one, other) => other.count - one.count).slice(0, limit);
  }

  /** Halves every count. */
  halve(): void {
    for (let number = 0; number < this.size; number++) {
      this.#counts[number]! /= 2;
      this.#overcounts[number]! /= 2;
      this.#adds[number]! /= 2;
    }
  }

  #grow(length: number): void {
    this.#counts = grown(this.#counts, new Float64Array(length));
    this.#overcounts = grown(this.#overcounts, new Float32Array(length));
    this.#adds = grown(this.#adds, new Float32Array(length));
    this.#heap = grown(this.#heap, new Int32Array(length));
    this.#places = grown(this.#places, new Int32Array(length));
  }

  #rise(start: number): void {
    let place = start;
    while (place > 0) {
      const above = (place - 1) >> 1;
      if (this.#countAt(above) <= this.#countAt(place)) return;
      this.#swap(place, above);
      place = above;
    }
  }

  #sink(start: number): void {
    let place = start;
    for (;;) {
      const left = 2 * place + 1;
      const right = left + 1;
      let least = place;
      if (left < this.size && this.#countAt(left) < this.#countAt(least)) least = left;
      if (right < this.size && this.#countAt(right) < this.#countAt(least)) least = right;
      if (least === place) return;
      this.#swap(place, least);
      place = least;
    }
  }

  #countAt(place: number): number {
    return this.#counts[this.#heap[place]!]!;
  }

  #swap(place: number, other: number): void {
    const number = this.#heap[place]!;
    const moved = this.#heap[other]!;
    this.#heap[place] = moved;
    this.#heap[other] = number;
    this.#places[moved] = place;
    this.#places[number] = other;
  }
}
