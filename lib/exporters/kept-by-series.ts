interface Kept<T> {
  readonly labels: readonly string[];
  readonly value: T;
}

/** Keeps what `make` returns for each series of a family. A series is identified by its position and its labels. */
export class KeptBySeries<T> {
  #series: Kept<T>[] = [];

  constructor(private readonly make: (labels: readonly string[]) => T) {}

  at(place: number, labels: readonly string[]): T {
    const known = this.#series[place];
    if (known !== undefined && sameLabels(known.labels, labels)) return known.value;
    const value = this.make(labels);
    this.#series[place] = { labels, value };
    return value;
  }

  /** Drops the series from a position on. */
  cutTo(places: number): void {
    if (places < this.#series.length) this.#series = this.#series.slice(0, places);
  }
}

/** True if two lists of labels are equal. Nearly always they are the same object. */
export function sameLabels(known: readonly string[], labels: readonly string[]): boolean {
  return known === labels || (known.length === labels.length && known.every((label, at) => label === labels[at]));
}
