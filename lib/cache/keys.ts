import { CacheError } from './errors.js';

const MAX_KEY_BYTES = 64 * 1024;

/**
 * Refuses what cannot be a key.
 * @throws CacheError `INVALID_KEY` for what is not text or is empty, `KEY_TOO_LONG` above 64 KiB of UTF-8.
 */
export function checkKey(key: unknown): asserts key is string {
  if (typeof key !== 'string' || key === '') {
    const what = key === '' ? 'an empty string' : `of type ${typeof key}`;
    throw new CacheError('INVALID_KEY', `A cache key must be text with at least one character; this one is ${what}.`);
  }
  // UTF-8 takes at most three bytes a code unit: short keys need no count.
  if (key.length * 3 > MAX_KEY_BYTES && Buffer.byteLength(key) > MAX_KEY_BYTES) {
    throw new CacheError(
      'KEY_TOO_LONG',
      `A cache key of ${Buffer.byteLength(key)} bytes is longer than ${MAX_KEY_BYTES}; use a hash of what makes it long.`,
    );
  }
}
