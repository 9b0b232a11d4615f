/** What was made unreadable. Keys and globs are the caller's: whoever shows them masks them first. */
export interface CacheInvalidation {
  readonly keys: readonly string[];
  readonly globs: readonly string[];
  readonly tags: readonly string[];
  /** Everything in the namespace. */
  readonly all: boolean;
  /** How many entries were removed, where that is known. */
  readonly removed: number | null;
}

/** Tells whoever listens of invalidations; with nobody listening it costs one comparison. */
export class InvalidationFeed {
  readonly #listeners = new Set<(invalidation: CacheInvalidation) => void>();

  /** Returns how to stop listening. A listener that throws is not felt. */
  listen(listener: (invalidation: CacheInvalidation) => void): () => void {
    // A function of its own, so that one listener may listen twice.
    const own = (invalidation: CacheInvalidation) => listener(invalidation);
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  }

  tell(what: Partial<CacheInvalidation>): void {
    if (this.#listeners.size === 0) return;
    const invalidation = { keys: [], globs: [], tags: [], all: false, removed: null, ...what };
    for (const listener of this.#listeners) {
      try {
        listener(invalidation);
      } catch {
        // Its own business.
      }
    }
  }
}
