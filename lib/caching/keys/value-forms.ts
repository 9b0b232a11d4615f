/**
 * Decides which values are equal for an invalidation. A key distinguishes `7`, `'7'` and `7n`, because they may be different
 * calls. An invalidation cannot distinguish them: its value often comes from a route as text where the method's argument was a
 * number, a date or null, or vice versa. So an invalidation reaches every value with the same text.
 */
import { types } from 'node:util';
import { looksTyped } from './value-encoding.js';

/** Returns the texts of a value: one for a scalar, a date, null and undefined, two for `-0`, none for other objects. */
export function textsOf(value: unknown): readonly string[] {
  switch (typeof value) {
    case 'string':
      return [value];
    case 'number':
      return Object.is(value, -0) ? ['0', '-0'] : [String(value)];
    case 'bigint':
    case 'boolean':
    case 'undefined':
      return [String(value)];
    case 'object':
      if (value === null) return ['null'];
      // A date has the same text as in JSON.
      return types.isDate(value) && !Number.isNaN(value.getTime()) ? [value.toISOString()] : [];
    default:
      return [];
  }
}

/** Returns a value and all other values with the same text. */
export function sameValues(value: unknown): readonly unknown[] {
  const texts = textsOf(value);
  return texts.length === 0 ? [value] : [value, ...texts, ...texts.flatMap(valuesOf)];
}

/** Returns the values with this text that are not text themselves. */
function valuesOf(text: string): unknown[] {
  if (!looksTyped(text)) return dateOf(text);
  switch (text) {
    case 'true':
    case 'false':
      return [text === 'true'];
    case 'null':
      return [null];
    case 'undefined':
      return [undefined];
    case '-0':
      return [-0];
    case '0':
      return [0, -0, 0n];
    default:
      return [
        ...(String(Number(text)) === text ? [Number(text)] : []),
        ...(/^-?[1-9]\d*$/.test(text) ? [BigInt(text)] : []),
      ];
  }
}

const ISO_DATE = /^(?:\d{4}|[+-]\d{6})-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

function dateOf(text: string): Date[] {
  if (!ISO_DATE.test(text)) return [];
  const date = new Date(text);
  return !Number.isNaN(date.getTime()) && date.toISOString() === text ? [date] : [];
}
