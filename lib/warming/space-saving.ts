/**
 * The most frequent of a stream of keys, in bounded memory: Space-Saving (Metwally, Agrawal, El Abbadi, ICDT 2005) over a
 * binary heap. A key that is more frequent than one in `capacity` is always among them; its count is too high by
 * what it took over at most. Halved from time to time, it forgets what is no longer asked for.
 */
export class SpaceSaving {
  readonly #keys: string[] = [];
  readonly #counts: number[] = [];
  readonly #places = new Map<string, number>();

  constructor(private readonly capacity: number) {}

  get size(): number {
    return this.#keys.length;
  }

  has(key: string): boolean {
    return this.#places.has(key);
  }

  /** Counts one. Returns the key that had to make room, if one had. */
  add(key: string): string | undefined {
    const place = this.#places.get(key);
    if (place !== undefined) {
      this.#counts[place]!++;
      this.#sink(place);
      return undefined;
    }
    if (this.#keys.length < this.capacity) {
      const last = this.#keys.push(key) - 1;
      this.#counts.push(1);
      this.#places.set(key, last);
      this.#rise(last);
      return undefined;
    }
    const least = this.#keys[0]!;
    this.#places.delete(least);
    this.#keys[0] = key;
    this.#counts[0]!++;
    this.#places.set(key, 0);
    this.#sink(0);
    return least;
  }

  /** The `limit` most frequent keys that were counted `least` times or more, most frequent first. */
  top(limit: number, least = 1): string[] {
    return this.#keys
      .map((key, place) => ({ key, count: this.#counts[place]! }))
      .filter(({ count }) => count >= least)
      .sort((one, other) => other.count - one.count)
      .slice(0, limit)
      .map(({ key }) => key);
  }

  /** Makes the past count half. */
  halve(): void {
    for (let place = 0; place < this.#counts.length; place++) this.#counts[place]! /= 2;
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
    this.#keys[one] = this.#keys[other]!;
    this.#counts[one] = this.#counts[other]!;
    this.#keys[other] = key;
    this.#counts[other] = count;
    this.#places.set(this.#keys[one]!, one);
    this.#places.set(key, other);
  }
}
