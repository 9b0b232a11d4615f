/** The common name of all names beyond the limit. */
export const OTHER = '__other__';

/**
 * Holds a limited number of names of one kind, first come, first served. Only names whose counters were never exported are removed, so that
 * exported counters never decrease. Names beyond the limit share `__other__`.
 */
export class BoundedRegistry<T extends object> {
  readonly #members = new Map<string, T>();
  #overflowCount = 0;
  #other: T | undefined;

  constructor(
    private readonly limit: number,
    private readonly make: (name: string) => T,
  ) {}

  /** How often a name was refused because of the limit. */
  get overflowCount(): number {
    return this.#overflowCount;
  }

  get hasRoom(): boolean {
    return this.#members.size < this.limit;
  }

  get size(): number {
    return this.#members.size + (this.#other === undefined ? 0 : 1);
  }

  admit(name: string): T {
    const known = this.#members.get(name);
    if (known !== undefined) return known;
    if (name === OTHER) return this.#shared();
    if (!this.hasRoom) return this.overflow();
    const made = this.make(name);
    this.#members.set(name, made);
    return made;
  }

  /** Returns the item for names beyond the limit. */
  overflow(): T {
    this.#overflowCount++;
    return this.#shared();
  }

  find(name: string): T | undefined {
    return name === OTHER ? this.#other : this.#members.get(name);
  }

  remove(name: string): void {
    this.#members.delete(name);
  }

  *[Symbol.iterator](): IterableIterator<T> {
    yield* this.#members.values();
    if (this.#other !== undefined) yield this.#other;
  }

  #shared(): T {
    return (this.#other ??= this.make(OTHER));
  }
}
