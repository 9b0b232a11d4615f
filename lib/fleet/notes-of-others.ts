/** Instances whose notes are read. */
const MOST_OTHERS = 64;

/**
 * What the other instances noted, by their names. Notes of other programs do not count towards the most that are read, or they would
 * hide instances.
 * @param own the name of this instance
 * @param parse returns undefined for what is not a note
 */
export function notesOfOthers<T>(
  all: ReadonlyMap<string, Uint8Array>,
  own: string,
  parse: (bytes: Uint8Array) => T | undefined,
): Map<string, T> {
  const others = new Map<string, T>();
  for (const [instance, bytes] of all) {
    if (instance === own) continue;
    const noted = parse(bytes);
    if (noted !== undefined) others.set(instance, noted);
    if (others.size === MOST_OTHERS) break;
  }
  return others;
}
