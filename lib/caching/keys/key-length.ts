import { createHash } from 'node:crypto';

/** Longer keys are cut to their beginning and closed by the SHA-256 of the whole. */
export const LONGEST_KEY = 512;
const READABLE = 200;

/**
 * The key itself, or its readable beginning and a hash. Neither can pass for the other: `…` is written out in inputs, and a
 * method's key ends with its closing parenthesis.
 */
export function boundedKey(key: string): string {
  return key.length <= LONGEST_KEY ? key : `${wellFormedStart(key)}…${digest(key)}`;
}

/** SHA-256 in base64url: 43 characters. */
export function digest(text: string): string {
  return createHash('sha256').update(text, 'utf16le').digest('base64url');
}

function wellFormedStart(key: string): string {
  const code = key.charCodeAt(READABLE - 1);
  return key.slice(0, code >= 0xd800 && code <= 0xdbff ? READABLE - 1 : READABLE);
}
