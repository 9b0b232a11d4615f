import type { CallbackErrors } from '../base/callback-errors.js';

/** The names of one invalidation. Keys and globs are the caller's: mask them before they are shown. */
export interface CacheInvalidation {
  readonly keys: readonly string[];
  readonly globs: readonly string[];
  readonly tags: readonly string[];
  /** Everything in the namespace. */
  readonly all: boolean;
  /** How many entries were removed, if that is known. */
  readonly removed: number | null;
}

/** Reports invalidations to listeners; without any it costs one comparison. */
export class InvalidationListeners {
  readonly #errors: CallbackErrors;
  readonly #listeners = new Set<(invalidation: CacheInvalidation) => void>();

  constructor(errors: CallbackErrors) {
    this.#errors = errors;
  }

  /** Adds a listener; returns a function that removes it. Errors that a listener throws or rejects with are counted and logged once. */
  listen(listener: (invalidation: CacheInvalidation) => void): () => void {
    // A function of its own, so that one listener may listen twice.
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
