import { collectedFamilies, type FamilySource, type MetricFamily } from '../../metrics/family.js';
import { Portions } from '../../metrics/reading/portions.js';

/** One source's families as they were collected for one scrape, and the turns of the event loop that all of its metrics share. */
export interface Scrape {
  readonly families: ReadonlyMap<string, readonly MetricFamily[]>;
  readonly portions: Portions;
}

/** Collects a source once for all metrics of a scrape: a registry asks all of its metrics in the same turn of the event loop. */
export class Scrapes {
  readonly #source: FamilySource;
  readonly #collected: (families: readonly MetricFamily[]) => void;
  #begun: Promise<Scrape> | undefined;

  /** @param collected called with the families of every scrape. */
  constructor(source: FamilySource, collected: (families: readonly MetricFamily[]) => void) {
    this.#source = source;
    this.#collected = collected;
  }

  /** The scrape that the running code began, or a new one. */
  begun(): Promise<Scrape> {
    if (this.#begun === undefined) {
      this.#begun = this.#collect();
      // Who asked waits for it only when it is their turn.
      this.#begun.catch(() => undefined);
      queueMicrotask(() => (this.#begun = undefined));
    }
    return this.#begun;
  }

  async #collect(): Promise<Scrape> {
    await this.#source.refresh?.();
    const all = [...(await collectedFamilies(this.#source))];
    this.#collected(all);
    const families = new Map<string, MetricFamily[]>();
    for (const family of all) families.set(family.name, [...(families.get(family.name) ?? []), family]);
    return { families, portions: new Portions() };
  }
}
