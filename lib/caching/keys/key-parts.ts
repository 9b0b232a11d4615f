import { encodeValue } from './argument-encoding.js';
import { escapeText } from './escape.js';
import { digest } from './key-length.js';

/**
 * An input behind its name, such as `page=2`: text stands as it is, everything else behind `~`, which no text contains.
 * What is undefined is left out by the caller.
 */
export function encodeInput(value: unknown): string {
  return typeof value === 'string' ? escapeText(value) : `~${escapeText(encodeValue(value))}`;
}

/** An input that nobody should read in a key, such as a token. */
export function encodeSecret(value: unknown): string {
  return `~sha256-${digest(encodeValue(value))}`;
}

/** A value that stands in for `{…}`, when text is what such inputs are: `~` marks everything else. */
export function encodeAsText(value: unknown, escape: (text: string) => string): string {
  return typeof value === 'string' ? escape(value) : `~${escape(encodeValue(value))}`;
}

/**
 * A value that stands in for `{…}` where any type may come: numbers and the like stand as they are, and text that looks like
 * one of them stands in quotes, so that `7` and `'7'` have different keys.
 */
export function encodeAsTyped(value: unknown, escape: (text: string) => string): string {
  switch (typeof value) {
    case 'string':
      return LOOKS_TYPED.test(value) ? `'${escape(value)}'` : escape(value);
    case 'number':
    case 'boolean':
    case 'undefined':
    case 'bigint':
      return typeof value === 'bigint' ? escape(`${value}n`) : escape(encodeValue(value));
    default:
      return value === null ? escape('null') : `~${escape(encodeValue(value))}`;
  }
}

const LOOKS_TYPED = /^(-?\d[\d.]*(e[+-]?\d+)?n?|-?Infinity|NaN|true|false|null|undefined)$/;
