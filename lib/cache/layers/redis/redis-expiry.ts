import type { Entry } from '../../entries/entry.js';

/** Redis adds an expiry to its clock as 64-bit numbers, and other stores have limits, too; a hundred years count as "forever". */
export const LONGEST_PX = 3_155_760_000_000;

/** The rest of the entry's life in whole milliseconds, '' forever, undefined if it is over. */
export function expiryOf(entry: Entry, now: number): string | undefined {
  if (entry.removeAt === Infinity) return '';
  const left = entry.removeAt - now;
  return left > 0 ? String(Math.min(Math.max(Math.ceil(left), 1), LONGEST_PX)) : undefined;
}
