import type { Entry } from '../entry.js';
import { type GlobMatcher, globMatcher } from '../glob.js';
import type { Located } from '../layers/layer-chain.js';
import type { Outcome } from '../observer.js';
import type { SpanLink } from '../tracer.js';

/** What a flight came home with. */
export interface Landed {
  readonly value: unknown;
  readonly entry: Entry | undefined;
  /** False where those who waited must not get one and the same object. Asked only without an entry. */
  readonly shareable: boolean;
  /** Of the value, kept or not. */
  readonly tags: readonly string[];
  /** `hit`: a far layer had it; `miss`: it was loaded; `stale`: its origin failed, or failed just now. */
  readonly outcome: Outcome;
  /** Index of the layer that had it, or -1. */
  readonly layer: number;
}

/** One search of the far layers and, where they have nothing fresh, one load, shared by all who ask for the key meanwhile. */
export class Flight {
  /** Settles when the far layers have answered; undefined where there are none. */
  located: Promise<Located> | undefined;
  landed!: Promise<Landed>;
  /** For spans of those who wait. */
  link: SpanLink;

  constructor(
    /** Where it began in the order of invalidations. */
    readonly epoch: number,
    /** Tags known before the load. */
    readonly tags: readonly string[],
  ) {}
}

/** The flights under way by key. One that has been fenced is left to those who are aboard: later callers start anew. */
export class SingleFlight {
  readonly #flights = new Map<string, Flight>();

  get size(): number {
    return this.#flights.size;
  }

  get(key: string): Flight | undefined {
    return this.#flights.get(key);
  }

  enter(key: string, flight: Flight): void {
    this.#flights.set(key, flight);
  }

  leave(key: string, flight: Flight): void {
    if (this.#flights.get(key) === flight) this.#flights.delete(key);
  }

  fence(key: string): void {
    this.#flights.delete(key);
  }

  fenceGlob(glob: string): void {
    if (this.#flights.size === 0) return;
    const matches: GlobMatcher = globMatcher(glob);
    for (const key of this.#flights.keys()) if (matches(key)) this.#flights.delete(key);
  }

  fenceTags(tags: readonly string[]): void {
    for (const [key, flight] of this.#flights) {
      if (flight.tags.some((tag) => tags.includes(tag))) this.#flights.delete(key);
    }
  }

  fenceAll(): void {
    this.#flights.clear();
  }

  /** All that are under way, for whoever drains. */
  all(): Promise<Landed>[] {
    return [...this.#flights.values()].map(({ landed }) => landed);
  }
}
