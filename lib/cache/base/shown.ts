import { redactedUrl } from './redacted-error.js';

/** Matches text that may hold credentials. */
const ADDRESS = /@|:\/\/.*[?#]/;

/**
 * Describes a value for a message. Strings are shortened and shown without credentials. For functions, arrays and objects, only the type is shown.
 */
export function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(shortened(ADDRESS.test(value) ? redactedUrl(value) : value));
  if (typeof value === 'function') return 'a function';
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'bigint') return `${value}n`;
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
}

function shortened(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
