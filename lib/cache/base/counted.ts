/** Formats a count and its noun: `1 invalidation`, `2 invalidations`. Give the plural if it is not the noun and an s. */
export function counted(count: number, noun: string, plural = `${noun}s`): string {
  return `${count} ${count === 1 ? noun : plural}`;
}
