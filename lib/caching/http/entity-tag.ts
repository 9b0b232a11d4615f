import { hash } from 'node:crypto';

/**
 * Makes a weak entity tag (RFC 9110 §8.8.3) of a response's text. The tag is weak because a proxy or middleware may compress
 * the response: its plain, gzip and br forms must not share one strong tag.
 */
export function entityTag(text: string): string {
  return `W/"${hash('sha1', text, 'base64url')}"`;
}

/**
 * True if `If-None-Match` is `*` or lists the tag, by weak comparison (RFC 9110 §13.1.2 and §8.8.3.2).
 * Tags may contain commas, so the list is not split at them.
 */
export function noneMatch(header: string, tag: string): boolean {
  // The common case: a client returns the one tag it received.
  if (header === tag) return true;
  if (header.trim() === '*') return true;
  const opaque = tag.startsWith('W/') ? tag.slice(2) : tag;
  for (const [, listed] of header.matchAll(/(?:W\/)?("[^"]*")/g)) if (listed === opaque) return true;
  return false;
}
