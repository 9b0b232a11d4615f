import { CacheError } from '../../base/errors.js';
import { KeysFailed } from '../keys-failed.js';

/**
 * Returns true if a layer answered but refused this operation, for example because its memory is full or the value is invalid. A retry is
 * useless.
 */
export function isRefusal(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error instanceof KeysFailed) return isRefusal(error.cause);
  if (error instanceof CacheError) return error.code === 'VALUE_NOT_SERIALIZABLE';
  return /\b(OOM|WRONGTYPE)\b/.test(error.message);
}
