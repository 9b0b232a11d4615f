interface Kept<T> {
  readonly labels: readonly string[];
  readonly value: T;
}

/** What was made of the labels of a family's series, once for each: a series is known by its place among them and its labels. */
export class KeptBySeries<T> {
  readonly #make: (labels: readonly string[]) => T;
  #series: Kept<T>[] = [];

  constructor(make: (labels: readonly string[]) => T) {
    this.#make = make;
  }

  at(place: number, labels: readonly string[]): T {
    const known = this.#series[place];
    if (known !== undefined && same(known.labels, labels)) return known.value;
    const value = this.#make(labels);
    this.#series[place] = { labels, value };
    return value;
  }

  /** Forgets the series from a place on. */
  cutTo(places: number): void {
    if (places < this.#series.length) this.#series = this.#series.slice(0, places);
  }
}

function same(known: readonly string[], labels: readonly string[]): boolean {
  return known === labels || (known.length === labels.length && known.every((label, at) => label === labels[at]));
}
