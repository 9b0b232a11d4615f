interface Kept<T> {
  readonly labels: readonly string[];
  readonly value: T;
}

/** What was made of the labels of a family's series, once for each: a series is known by its place among them and its labels. */
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

  /** Forgets the series from a place on. */
  cutTo(places: number): void {
    if (places < this.#series.length) this.#series = this.#series.slice(0, places);
  }
}

/** Whether two lists of labels are the same; nearly always they are one object. */
export function sameLabels(known: readonly string[], labels: readonly string[]): boolean {
  return known === labels || (known.length === labels.length && known.every((label, at) => label === labels[at]));
}
