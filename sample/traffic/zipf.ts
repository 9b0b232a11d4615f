import type { Chance } from './chance.js';

/**
 * Ranks 0 … count - 1, the rank r drawn with a probability proportional to 1 / (r + 1)^exponent: how often people ask
 * for pages, words and goods (Zipf; for web requests Breslau et al., INFOCOM 1999, measured exponents of 0.6 to 0.8).
 */
export class Zipf {
  readonly #cumulative: Float64Array;

  constructor(count: number, exponent: number) {
    if (!(count >= 1)) throw new RangeError(`A Zipf distribution needs at least one rank, not ${count}.`);
    this.#cumulative = new Float64Array(count);
    let sum = 0;
    for (let rank = 0; rank < count; rank++) this.#cumulative[rank] = sum += (rank + 1) ** -exponent;
  }

  draw(chance: Chance): number {
    const last = this.#cumulative.length - 1;
    const sought = chance.next() * this.#cumulative[last]!;
    let low = 0;
    let high = last;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#cumulative[middle]! > sought) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
