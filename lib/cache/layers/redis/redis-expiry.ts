import type { Entry } from '../../entries/entry.js';

/** Redis keeps an expiry as a 64-bit sum with its clock, and no store takes more; a hundred years are for ever. */
export const LONGEST_PX = 3_155_760_000_000;

/** What is left of the entry's life as a whole number of milliseconds, '' for ever, undefined if nothing is. */
export function expiryOf(entry: Entry, now: number): string | undefined {
  if (entry.goneAt === Infinity) return '';
  const left = entry.goneAt - now;
  return left > 0 ? String(Math.min(Math.max(Math.ceil(left), 1), LONGEST_PX)) : undefined;
}
