import { CacheError } from '../../base/errors.js';
import { KeysFailed } from '../keys-failed.js';

/** True if a layer is there and refuses this one thing, a full memory or a value it cannot take: another attempt is no use. */
export function isRefusal(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error instanceof KeysFailed) return isRefusal(error.cause);
  if (error instanceof CacheError) return error.code === 'VALUE_NOT_SERIALIZABLE';
  return /\b(OOM|WRONGTYPE)\b/.test(error.message);
}
