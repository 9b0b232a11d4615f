/** A count and its noun: `1 invalidation`, `2 invalidations`. Give the plural of a noun that does not only add an s. */
export function counted(count: number, noun: string, plural = `${noun}s`): string {
  return `${count} ${count === 1 ? noun : plural}`;
}
