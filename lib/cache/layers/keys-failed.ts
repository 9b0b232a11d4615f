import { CacheError } from '../base/errors.js';

/** Some keys of a batch failed; what was asked for the others has been done. */
export class KeysFailed extends CacheError {
  constructor(
    readonly keys: readonly string[],
    cause: unknown,
  ) {
    super('LAYER_UNAVAILABLE', `Redis: ${keys.length} keys of a batch could not be reached. They are retried.`, {
      cause,
    });
  }
}

/** The keys that an operation failed for: all, unless it says which. */
export function failedKeys(error: unknown, keys: readonly string[]): readonly string[] {
  return error instanceof KeysFailed ? error.keys : keys;
}
