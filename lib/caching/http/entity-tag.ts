import { createHash } from 'node:crypto';

/** A strong entity tag (RFC 9110 §8.8.3) of an answer's text. */
export function entityTag(text: string): string {
  return `"${createHash('sha1').update(text).digest('base64url')}"`;
}

/**
 * True where `If-None-Match` names the tag: `*`, or one of a list, by weak comparison (RFC 9110 §13.1.2 and §8.8.3.2).
 * Tags may contain commas, so the list is not split at them.
 */
export function noneMatch(header: string, tag: string): boolean {
  if (header.trim() === '*') return true;
  const opaque = tag.startsWith('W/') ? tag.slice(2) : tag;
  // The common case: a client sends back the one tag it was given.
  if (header === opaque) return true;
  for (const [, listed] of header.matchAll(/(?:W\/)?("[^"]*")/g)) if (listed === opaque) return true;
  return false;
}
