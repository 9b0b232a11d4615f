import { textHash } from '../../cache/base/text-hash.js';

/** Returns the salt of a namespace's hashes: with it, instances with the same namespace sample the same keys. */
export function saltOf(namespace: string): number {
  return textHash(namespace, 0x9747b28c);
}

/**
 * Returns a salted hash of a key, 32 bits, never 0: a key with the hash 0 would be in every sample of hashes below a threshold.
 */
export function keyHash(key: string, salt: number): number {
  return textHash(key, salt) || 1;
}
