const FEW = 24;

/** What has been copied already, for cycles and shared references: a short list searched backwards, then a map. */
export class SeenObjects {
  readonly #sources: object[] = [];
  readonly #copies: object[] = [];
  #map: Map<object, object> | undefined;

  add(source: object, copy: object): void {
    if (this.#map !== undefined) this.#map.set(source, copy);
    else if (this.#sources.length < FEW) {
      this.#sources.push(source);
      this.#copies.push(copy);
    } else {
      this.#map = new Map();
      for (let at = 0; at < FEW; at++) this.#map.set(this.#sources[at]!, this.#copies[at]!);
      this.#map.set(source, copy);
    }
  }

  copyOf(source: object): object | undefined {
    if (this.#map !== undefined) return this.#map.get(source);
    const sources = this.#sources;
    for (let at = sources.length - 1; at >= 0; at--) if (sources[at] === source) return this.#copies[at];
    return undefined;
  }
}
