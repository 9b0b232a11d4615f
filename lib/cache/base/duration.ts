import ms from 'ms';
import { CacheError } from './errors.js';
import { shown } from './shown.js';

/** A number of milliseconds, or a string such as `'30s'`, `'5m'`, `'24h'`. */
export type Duration = number | string;

/**
 * Converts a duration to milliseconds.
 * @throws CacheError `INVALID_DURATION` unless the value is such a string or a finite number of zero or more.
 */
export function milliseconds(duration: Duration, option = 'duration'): number {
  const value =
    typeof duration === 'string' ? (ms as (text: string) => number | undefined)(duration.trim() || '-') : duration;
  if (typeof value !== 'number' || !Number.isFinite(value) || value < 0) {
    throw new CacheError(
      'INVALID_DURATION',
      `${option}: ${shown(duration)} is not a duration. Give milliseconds (30000) or a string such as '30s', '5m', '24h'.`,
    );
  }
  return value;
}
