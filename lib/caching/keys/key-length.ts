import { createHash } from 'node:crypto';

/** The limit of an encoded value, characters. Longer values are shortened. */
export const LONGEST_VALUE = 512;
/** The limit of all values of a key together, characters. */
export const LONGEST_REST = 4_096;
/** The readable part of a shortened value, characters. */
export const READABLE = 200;

/**
 * Returns an encoded value unchanged, or a long one as its beginning, `…` and the SHA-256 of the whole. Each value of a key is
 * shortened separately, so that globs still match the other parts of the key. Values escape `…`, so the two forms never
 * collide.
 * @param escape escapes the digest as the value is escaped.
 */
export function boundedValue(encoded: string, escape: (text: string) => string = asItIs): string {
  return encoded.length <= LONGEST_VALUE ? encoded : `${beginning(encoded)}…${escape(digest(encoded))}`;
}

/** Shortens a key whose values are too long together: keeps the base and shortens the rest. */
export function boundedKey(base: string, key: string): string {
  if (key.length - base.length <= LONGEST_REST) return key;
  const rest = key.slice(base.length);
  // `……` marks a shortened rest; a shortened value has one `…`.
  return `${base}${beginning(rest)}……${digest(rest)}`;
}

/** Returns the SHA-256 in base64url: 43 characters. */
export function digest(text: string): string {
  return createHash('sha256').update(text, 'utf16le').digest('base64url');
}

/** Returns the first characters of encoded text without cutting an escape or a surrogate pair. */
export function beginning(encoded: string): string {
  const start = encoded.slice(0, READABLE);
  const escape = start.lastIndexOf('%');
  const cut =
    escape !== -1 && !/^%(?:u[0-9A-F]+;|[0-9A-F]{2})/.test(start.slice(escape)) ? start.slice(0, escape) : start;
  return /[\ud800-\udbff]$/.test(cut) ? cut.slice(0, -1) : cut;
}

function asItIs(text: string): string {
  return text;
}
