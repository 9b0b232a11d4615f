/** Where everything is counted that was not admitted. */
export const OTHER = '__other__';

/**
 * At most so many names of one kind, first come, first kept: a name never changes its place later, so that exported
 * counters never go backwards. All further ones share `__other__`.
 */
export class Admission<T extends object> {
  readonly #limit: number;
  readonly #make: (name: string) => T;
  readonly #members = new Map<string, T>();
  #turnedAway = 0;
  #other: T | undefined;

  constructor(limit: number, make: (name: string) => T) {
    this.#limit = limit;
    this.#make = make;
  }

  /** How often a name found no place. */
  get turnedAway(): number {
    return this.#turnedAway;
  }

  get size(): number {
    return this.#members.size + (this.#other === undefined ? 0 : 1);
  }

  admit(name: string): T {
    const known = this.#members.get(name);
    if (known !== undefined) return known;
    if (name !== OTHER && this.#members.size < this.#limit) {
      const made = this.#make(name);
      this.#members.set(name, made);
      return made;
    }
    if (name !== OTHER) this.#turnedAway++;
    return (this.#other ??= this.#make(OTHER));
  }

  find(name: string): T | undefined {
    return name === OTHER ? this.#other : this.#members.get(name);
  }

  *[Symbol.iterator](): IterableIterator<T> {
    yield* this.#members.values();
    if (this.#other !== undefined) yield this.#other;
  }
}
