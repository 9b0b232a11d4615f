/**
 * Rules for keys, globs and tags: well-formed Unicode text of at least one character and at most 64 KiB in UTF-8. Every key is checked here before it
 * enters a cache or a layer. Text with a lone surrogate has no UTF-8 form: a server would store several different keys under one name.
 */
import { CacheError } from './errors.js';

const MAX_BYTES = 64 * 1024;

/** @throws CacheError `INVALID_KEY` for anything but well-formed text, `KEY_TOO_LONG` above 64 KiB of UTF-8. */
export function checkKey(key: unknown): asserts key is string {
  check(key, 'cache key');
}

/** Checks each key as {@link checkKey} does. */
export function checkKeys(keys: readonly unknown[]): asserts keys is readonly string[] {
  for (const key of keys) check(key, 'cache key');
}

/** @throws CacheError `INVALID_KEY` for anything but well-formed text, `KEY_TOO_LONG` above 64 KiB of UTF-8. */
export function checkGlob(glob: unknown): asserts glob is string {
  check(glob, 'glob');
}

/** @throws CacheError `INVALID_KEY` if a tag is not well-formed text, `KEY_TOO_LONG` above 64 KiB of UTF-8. */
export function checkTags(tags: readonly unknown[]): asserts tags is readonly string[] {
  for (const tag of tags) check(tag, 'tag');
}

function check(text: unknown, where: string): void {
  if (typeof text !== 'string') throw invalid(`${where}: a value of type ${typeof text} is not text. Use a string.`);
  if (text === '') throw invalid(`${where}: an empty string is too short. Use at least one character.`);
  if (!isWellFormed(text)) {
    throw invalid(`${where}: text with a lone surrogate is not well-formed Unicode. Use text that UTF-8 can hold.`);
  }
  // UTF-8 takes at most three bytes per code unit, so a short text needs no measuring.
  if (text.length * 3 > MAX_BYTES && Buffer.byteLength(text) > MAX_BYTES) {
    const bytes = Buffer.byteLength(text);
    throw new CacheError(
      'KEY_TOO_LONG',
      `${where}: ${bytes} bytes of UTF-8 are too long. Use at most ${MAX_BYTES}, or a hash of the long part.`,
    );
  }
}

/** True for text without lone surrogates. */
export function isWellFormed(text: string): boolean {
  // `isWellFormed` exists since ES2024 and in Node 20, but not in the types used here.
  return (text as string & { isWellFormed(): boolean }).isWellFormed();
}

function invalid(message: string): CacheError {
  return new CacheError('INVALID_KEY', message);
}
