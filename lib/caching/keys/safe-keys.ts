import type { CacheLog } from '../../cache/cache-log.js';
import type { Call } from '../inputs/call.js';
import type { KeyRecipe } from './key-recipe.js';

/** Keys of a handler whose making never fails a request: where it throws there is no key, and one warning a handler. */
export class SafeKeys {
  readonly #recipe: KeyRecipe;
  readonly #owner: string;
  readonly #log: CacheLog;
  #warned = false;

  constructor(recipe: KeyRecipe, owner: string, log: CacheLog) {
    this.#recipe = recipe;
    this.#owner = owner;
    this.#log = log;
  }

  keyOf(call: Call): string | undefined | Promise<string | undefined> {
    try {
      const key = this.#recipe.keyOf(call);
      return typeof key === 'object' ? key.catch((error: unknown) => this.#none(error)) : key;
    } catch (error) {
      return this.#none(error);
    }
  }

  #none(error: unknown): undefined {
    if (!this.#warned) {
      this.#warned = true;
      this.#log(
        'warn',
        'KEY_FAILED',
        `${this.#owner}: its cache key could not be made, so such calls go to the handler.`,
        {
          // Messages of others may hold values; names do not.
          reason: error instanceof Error ? error.name : typeof error,
        },
      );
    }
    return undefined;
  }
}
