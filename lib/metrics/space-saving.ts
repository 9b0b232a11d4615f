/** A frequent key. */
export interface RankedKey {
  readonly key: string;
  readonly count: number;
  /** By how much the count may be too high. */
  readonly overcount: number;
}

/**
 * Finds the most frequent keys of a stream in bounded memory: Space-Saving (Metwally, Agrawal, El Abbadi, ICDT 2005) over a
 * binary heap. It always contains every key whose share is above 1 / `capacity`. A count is too high by at most the count of
 * the key that it replaced. Halving the counts from time to time removes keys that are no longer used.
 */
export class SpaceSaving {
  readonly #keys: string[] = [];
  readonly #counts: number[] = [];
  /** By how much a count may be too high: the count of the key that it replaced. */
  readonly #overcounts: number[] = [];
  /** How often each key was added since it took its place, halved with the counts. */
  readonly #adds: number[] = [];
  readonly #places = new Map<string, number>();

  constructor(private readonly capacity: number) {}

  get size(): number {
    return this.#keys.length;
  }

  has(key: string): boolean {
    return this.#places.has(key);
  }

  /** Counts one or more occurrences. Returns the key that it replaced, if any. */
  add(key: string, by = 1): string | undefined {
    const place = this.#places.get(key);
    if (place !== undefined) {
      this.#counts[place]! += by;
      this.#adds[place]! += 1;
      this.#sink(place);
      return undefined;
    }
    if (this.#keys.length < this.capacity) {
      const last = this.#keys.push(key) - 1;
      this.#counts.push(by);
      this.#overcounts.push(0);
      this.#adds.push(1);
      this.#places.set(key, last);
      this.#rise(last);
      return undefined;
    }
    const least = this.#keys[0]!;
    this.#places.delete(least);
    this.#keys[0] = key;
    this.#overcounts[0] = this.#counts[0]!;
    this.#counts[0]! += by;
    this.#adds[0] = 1;
    this.#places.set(key, 0);
    this.#sink(0);
    return least;
  }

  /** The `limit` most frequent keys that were counted `least` times or more, most frequent first. */
  top(limit: number, least = 1): string[] {
    return this.ranking(limit, { count: least }).map(({ key }) => key);
  }

  /**
   * The `limit` most frequent keys with their counts, and by how much each may be too high; most frequent first.
   * @param least leaves out keys with a smaller count that were added less often, too.
   */
  ranking(limit: number, least: { readonly count: number; readonly adds?: number } = { count: 0 }): RankedKey[] {
    const ranked: RankedKey[] = [];
    for (const [place, key] of this.#keys.entries()) {
      const count = this.#counts[place]!;
      if (count < least.count && this.#adds[place]! < (least.adds ?? Infinity)) continue;
      ranked.push({ key, count, overcount: this.#overcounts[place]! });
    }
    return ranked.sort((one, other) => other.count - one.count).slice(0, limit);
  }

  /** Halves every count. */
  halve(): void {
    for (let place = 0; place < this.#counts.length; place++) {
      this.#counts[place]! /= 2;
      this.#overcounts[place]! /= 2;
      this.#adds[place]! /= 2;
    }
  }

  #rise(start: number): void {
    let place = start;
    while (place > 0) {
      const above = (place - 1) >> 1;
      if (this.#counts[above]! <= this.#counts[place]!) return;
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
      if (left < this.#keys.length && this.#counts[left]! < this.#counts[least]!) least = left;
      if (right < this.#keys.length && this.#counts[right]! < this.#counts[least]!) least = right;
      if (least === place) return;
      this.#swap(place, least);
      place = least;
    }
  }

  #swap(one: number, other: number): void {
    const key = this.#keys[one]!;
    const count = this.#counts[one]!;
    const overcount = this.#overcounts[one]!;
    this.#keys[one] = this.#keys[other]!;
    this.#counts[one] = this.#counts[other]!;
    this.#keys[other] = key;
    this.#counts[other] = count;
    this.#overcounts[one] = this.#overcounts[other]!;
    this.#overcounts[other] = overcount;
    const adds = this.#adds[one]!;
    this.#adds[one] = this.#adds[other]!;
    this.#adds[other] = adds;
    this.#places.set(this.#keys[one]!, one);
    this.#places.set(key, other);
  }
}
