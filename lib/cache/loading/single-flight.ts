import { type GlobMatcher, globMatcher } from '../glob.js';
import type { Flight, Landed } from './flight.js';

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
