const FEW = 24;

/** An object and its copy, and the pair before it. */
interface SeenObject {
  readonly source: object;
  readonly copy: object;
  readonly earlier: SeenObject | undefined;
}

/** Objects that are copied already, for cycles and shared references: a short list searched backwards, then a map. */
export class SeenObjects {
  /** A linked list: most values hold two or three objects, for which an array would reserve 17 places. */
  #last: SeenObject | undefined;
  #count = 0;
  #map: Map<object, object> | undefined;

  add(source: object, copy: object): void {
    if (this.#count++ < FEW) this.#last = { source, copy, earlier: this.#last };
    else this.#mapped().set(source, copy);
  }

  copyOf(source: object): object | undefined {
    if (this.#map !== undefined) return this.#map.get(source);
    for (let seen = this.#last; seen !== undefined; seen = seen.earlier) if (seen.source === source) return seen.copy;
    return undefined;
  }

  /** Forgets all objects, which would otherwise stay in memory. */
  clear(): void {
    this.#last = undefined;
    this.#count = 0;
    this.#map = undefined;
  }

  #mapped(): Map<object, object> {
    if (this.#map !== undefined) return this.#map;
    this.#map = new Map();
    for (let seen = this.#last; seen !== undefined; seen = seen.earlier) this.#map.set(seen.source, seen.copy);
    this.#last = undefined;
    return this.#map;
  }
}
