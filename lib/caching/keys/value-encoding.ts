import { encodeValue } from './argument-encoding.js';
import { escapeText } from './escape.js';
import { boundedValue, digest } from './key-length.js';

/**
 * Encodes an input that follows its name, as in `page=2`. Text stays text; other values begin with `~`, which encoded text
 * never contains. Undefined must not be passed.
 */
export function encodeInput(value: unknown): string {
  return boundedValue(asText(value, escapeText));
}

/**
 * Encodes an input that a pipe parses: numbers and booleans unchanged, and text that looks like a number or boolean in quotes.
 */
export function encodeTypedInput(value: unknown): string {
  return boundedValue(asTyped(value, escapeText));
}

/** Encodes an input that must not be readable in a key, such as a token. */
export function encodeSecret(value: unknown): string {
  return `~sha256-${digest(encodeValue(value))}`;
}

/** Encodes a value of an input that is usually text. Other types begin with `~`. */
export function asText(value: unknown, escape: (text: string) => string): string {
  return typeof value === 'string' ? escape(value) : `~${escape(encodeValue(value))}`;
}

/**
 * Encodes a value of any type: numbers, booleans and the like unchanged, and text that looks like such a value in quotes, so
 * that `7` and `'7'` have different keys.
 */
export function asTyped(value: unknown, escape: (text: string) => string): string {
  switch (typeof value) {
    case 'string':
      return looksTyped(value) ? `'${escape(value)}'` : escape(value);
    case 'number':
    case 'boolean':
    case 'undefined':
      return escape(encodeValue(value));
    case 'bigint':
      return escape(`${value}n`);
    default:
      return value === null ? escape('null') : `~${escape(encodeValue(value))}`;
  }
}

/** True for text that needs quotes if any type is allowed. */
export function looksTyped(text: string): boolean {
  return LOOKS_TYPED.test(text);
}

const LOOKS_TYPED = /^(-?\d[\d.]*(e[+-]?\d+)?n?|-?Infinity|NaN|true|false|null|undefined)$/;
