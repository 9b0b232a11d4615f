import { textHash } from '../../cache/base/text-hash.js';

/** The salt of a namespace's hashes: instances with the same namespace sample the same keys. */
export function saltOf(namespace: string): number {
  return textHash(namespace, 0x9747b28c);
}

/**
 * A salted hash of a key, 32 bits, never 0. Without a salt the finaliser maps 0 to 0, and a sample below a threshold would always
 * contain that key.
 */
export function keyHash(key: string, salt: number): number {
  return textHash(key, salt) || 1;
}
