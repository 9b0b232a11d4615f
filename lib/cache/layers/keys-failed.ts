import { counted } from '../base/counted.js';
import { CacheError } from '../base/errors.js';

/** Thrown if an operation failed for some keys of a batch and succeeded for the others. */
export class KeysFailed extends CacheError {
  constructor(
    readonly keys: readonly string[],
    cause: unknown,
  ) {
    super(
      'LAYER_UNAVAILABLE',
      `Redis could not be reached for ${counted(keys.length, 'key')} of a batch. That is retried.`,
      {
        cause,
      },
    );
  }
}

/** Returns the keys for which an operation failed: all, unless the error lists them. */
export function failedKeys(error: unknown, keys: readonly string[]): readonly string[] {
  return error instanceof KeysFailed ? error.keys : keys;
}
