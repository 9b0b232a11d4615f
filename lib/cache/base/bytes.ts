import { CacheError } from './errors.js';
import { shown } from './shown.js';

/** A whole number of bytes, or a text such as `'500kb'`, `'64mb'`, `'1.5gb'`, in multiples of 1,024. */
export type Bytes = number | string;

const UNITS = { b: 1, kb: 1_024, mb: 1_024 ** 2, gb: 1_024 ** 3 } as const;
const TEXT = /^(\d{1,12}(?:\.\d{1,6})?)\s*(b|kb|mb|gb)$/i;

/**
 * Converts a size to a number of bytes.
 * @throws CacheError `INVALID_OPTIONS` for any other value.
 */
export function bytesIn(size: Bytes, option = 'bytes'): number {
  const number = typeof size === 'string' ? fromText(size) : size;
  if (Number.isSafeInteger(number) && number >= 1) return number;
  const allowed = typeof size === 'number' ? 'a whole number of 1 or more' : "bytes or a text such as '64mb'";
  throw new CacheError('INVALID_OPTIONS', `${option}: must be ${allowed}, not ${shown(size)}`);
}

/** Formats a size for people: `1.5 MB`. */
export function inMegabytes(size: number): string {
  const megabytes = size / UNITS.mb;
  return `${megabytes < 10 ? Number(megabytes.toPrecision(2)) : Math.round(megabytes)} MB`;
}

function fromText(text: string): number {
  const [, number, unit] = TEXT.exec(text.trim()) ?? [];
  return unit === undefined ? NaN : Math.floor(Number(number) * UNITS[unit.toLowerCase() as keyof typeof UNITS]);
}
