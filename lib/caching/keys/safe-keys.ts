import type { CacheLog } from '../../cache/base/cache-log.js';
import { CacheError } from '../../cache/base/errors.js';
import { BypassReason } from '../../cache/base/observer.js';
import type { Call } from '../inputs/call.js';
import type { KeyOrReason, KeyRecipe } from './key-recipe.js';
import { NotEncodable } from './not-encodable.js';

/**
 * Makes a handler's keys without failing a request. If making a key fails, the call has no key, and one warning per handler is
 * logged.
 */
export class SafeKeys {
  #warned = false;

  constructor(
    private readonly recipe: KeyRecipe,
    private readonly owner: string,
    private readonly log: CacheLog,
  ) {}

  keyOf(call: Call): KeyOrReason | Promise<KeyOrReason> {
    try {
      const key = this.recipe.keyOf(call);
      return typeof key === 'object' ? key.catch((error: unknown) => this.#none(error)) : key;
    } catch (error) {
      return this.#none(error);
    }
  }

  #none(error: unknown): BypassReason {
    // A caller can send text that cannot be encoded, so this error is not the handler's fault.
    const sent = (error instanceof NotEncodable || error instanceof CacheError) && error.code === 'INVALID_KEY';
    if (!this.#warned && !sent) {
      this.#warned = true;
      this.log(
        'warn',
        'KEY_FAILED',
        `${this.owner}: its cache key could not be computed, so such calls go to the handler.`,
        { cause: error },
      );
    }
    return BypassReason.condition;
  }
}
