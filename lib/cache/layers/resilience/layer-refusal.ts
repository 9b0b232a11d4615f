import { CacheError } from '../../base/errors.js';
import { KeysFailed } from '../keys-failed.js';

/** True if a layer answers and refuses this one operation, such as with a full memory or for an invalid value: a retry is useless. */
export function isRefusal(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error instanceof KeysFailed) return isRefusal(error.cause);
  if (error instanceof CacheError) return error.code === 'VALUE_NOT_SERIALIZABLE';
  return /\b(OOM|WRONGTYPE)\b/.test(error.message);
}
