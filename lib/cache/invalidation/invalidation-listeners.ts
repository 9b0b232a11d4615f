import type { CallbackErrors } from '../base/callback-errors.js';

/** The names of one invalidation. Keys and globs come from the caller; mask them before you show them. */
export interface CacheInvalidation {
  readonly keys: readonly string[];
  readonly globs: readonly string[];
  readonly tags: readonly string[];
  /** True if everything in the namespace was invalidated. */
  readonly all: boolean;
  /** The number of removed entries; null if unknown. */
  readonly removed: number | null;
}

/** Reports invalidations to listeners. Without listeners a report costs one comparison. */
export class InvalidationListeners {
  readonly #errors: CallbackErrors;
  readonly #listeners = new Set<(invalidation: CacheInvalidation) => void>();

  constructor(errors: CallbackErrors) {
    this.#errors = errors;
  }

  /** Adds a listener and returns a function that removes it. If a listener throws or its promise rejects, the error is counted, and logged once. */
  listen(listener: (invalidation: CacheInvalidation) => void): () => void {
    // Wrap the listener, so that the same function can be added twice.
    const own = (invalidation: CacheInvalidation) => listener(invalidation);
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  }

  report(what: Partial<CacheInvalidation>): void {
    if (this.#listeners.size === 0) return;
    const invalidation = { keys: [], globs: [], tags: [], all: false, removed: null, ...what };
    for (const listener of this.#listeners) {
      this.#errors.call('listener', 'A listener of invalidations', () => listener(invalidation));
    }
  }
}
