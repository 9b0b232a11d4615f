import { counted } from '../base/counted.js';
import { CacheError } from '../base/errors.js';

/** Thrown if some keys of a batch failed; the operation has succeeded for the others. */
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

/** The keys that an operation failed for: all, unless the error lists them. */
export function failedKeys(error: unknown, keys: readonly string[]): readonly string[] {
  return error instanceof KeysFailed ? error.keys : keys;
}
