const FEW = 24;

/** An object, its copy, and the pair that was added before. */
interface SeenObject {
  readonly source: object;
  readonly copy: object;
  readonly earlier: SeenObject | undefined;
}

/**
 * The objects that are already copied, for cycles and shared references. A short list is searched backwards; a longer one becomes a map.
 */
export class SeenObjects {
  /** A linked list, because most values hold two or three objects, and an array would reserve 17 places. */
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

  /** Releases all objects, so that they do not stay in memory. */
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
