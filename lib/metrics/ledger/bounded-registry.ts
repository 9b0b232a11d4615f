/** Where everything is counted for which there was no room. */
export const OTHER = '__other__';

/**
 * At most so many names of one kind, first come, first kept: a name never changes its place later, so that exported
 * counters never go backwards. All further ones share `__other__`.
 */
export class BoundedRegistry<T extends object> {
  readonly #members = new Map<string, T>();
  #overflowCount = 0;
  #other: T | undefined;

  constructor(
    private readonly limit: number,
    private readonly make: (name: string) => T,
  ) {}

  /** How often there was no room for a name. */
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

  /** What a name is counted as for which there is no room. */
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
