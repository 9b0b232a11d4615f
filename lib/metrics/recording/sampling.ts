/**
 * Which accesses of a series are timed, and how many others each of them stands for. Chosen at random: gaps are drawn
 * from the geometric distribution, so that between two of them an access costs one decrement, and no rhythm of the
 * traffic can hide from a fixed step.
 */
export class Sampling {
  readonly #gapScale: number;
  readonly #wholeWeight: number;
  readonly #restOfWeight: number;
  readonly #random: () => number;

  /** @param rate above 0, below 1. */
  constructor(rate: number, random: () => number) {
    this.#gapScale = 1 / Math.log1p(-rate);
    this.#wholeWeight = Math.floor(1 / rate);
    this.#restOfWeight = 1 / rate - this.#wholeWeight;
    this.#random = random;
  }

  /** How many accesses on the next timed one is: 1 or more. */
  gap(): number {
    const gap = 1 + Math.floor(Math.log(1 - this.#random()) * this.#gapScale);
    return gap > 0x3fff_ffff ? 0x3fff_ffff : gap;
  }

  /** 1 / rate, rounded up or down at random so that it is right in the mean and buckets stay whole numbers. */
  weight(): number {
    return this.#restOfWeight > 0 && this.#random() < this.#restOfWeight ? this.#wholeWeight + 1 : this.#wholeWeight;
  }
}
