import { CacheError } from '../base/errors.js';

/** Thrown if some keys of a batch failed; the operation has succeeded for the others. */
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

/** The keys that an operation failed for: all, unless the error lists them. */
export function failedKeys(error: unknown, keys: readonly string[]): readonly string[] {
  return error instanceof KeysFailed ? error.keys : keys;
}
