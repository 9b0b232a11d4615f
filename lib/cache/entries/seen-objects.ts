const FEW = 24;

/** Objects that are copied already, for cycles and shared references: a short list searched backwards, then a map. */
export class SeenObjects {
  /** Each source, and its copy after it. */
  #pairs: object[] = [];
  #map: Map<object, object> | undefined;

  add(source: object, copy: object): void {
    if (this.#map !== undefined) this.#map.set(source, copy);
    else if (this.#pairs.length < 2 * FEW) this.#pairs.push(source, copy);
    else {
      const pairs = this.#pairs;
      this.#map = new Map();
      for (let at = 0; at < pairs.length; at += 2) this.#map.set(pairs[at]!, pairs[at + 1]!);
      this.#map.set(source, copy);
      this.#pairs = [];
    }
  }

  copyOf(source: object): object | undefined {
    if (this.#map !== undefined) return this.#map.get(source);
    const pairs = this.#pairs;
    for (let at = pairs.length - 2; at >= 0; at -= 2) if (pairs[at] === source) return pairs[at + 1];
    return undefined;
  }
}
