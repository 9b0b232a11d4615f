import { nameElsewhere } from './names-elsewhere.js';

const LONGEST_NAME = 64;

/**
 * Returns, for each unknown name of one object, the text to append to its path. It says that the name is unknown and which name was probably meant.
 * The text of the last name lists all allowed names.
 */
export function unknownNames(names: readonly string[], known: readonly string[]): ReadonlyMap<string, string> {
  const text = (name: string) => {
    const meant = meantName(name, known);
    const hint = meant === undefined ? '' : `; did you mean ${meant}?`;
    const list = name === names.at(-1) ? `${hint === '' ? '.' : ''} Allowed: ${known.join(', ')}` : '';
    return `: is unknown${hint}${list}`;
  };
  return new Map(names.map((name) => [name, text(name)]));
}

function meantName(name: string, known: readonly string[]): string | undefined {
  const elsewhere = nameElsewhere(name);
  if (elsewhere !== undefined && known.includes(elsewhere.option)) return elsewhere.option;
  return nearest(name, known) ?? elsewhere?.written;
}

/** Returns the known name that was probably meant; undefined if none is similar. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  const [best] = known
    .map((candidate) => ({ candidate, distance: editDistance(name.toLowerCase(), candidate.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance);
  // Two letters are half of a short name, so allow one difference.
  const most = Math.max(name.length < 4 ? 1 : 2, Math.floor(name.length / 3));
  return best !== undefined && best.distance <= most && best.distance < best.candidate.length
    ? best.candidate
    : undefined;
}

/**
 * Returns the number of letters to add, remove, replace or swap with a neighbour (optimal string alignment), computed row by row. Compares only the
 * beginnings of long names.
 */
function editDistance(from: string, to: string): number {
  const [one, other] = [from.slice(0, LONGEST_NAME), to.slice(0, LONGEST_NAME)];
  let above: number[] = [];
  let row = Array.from({ length: other.length + 1 }, (_, column) => column);
  for (let i = 1; i <= one.length; i++) {
    const next = [i];
    for (let j = 1; j <= other.length; j++) {
      const substitution = row[j - 1]! + (one[i - 1] === other[j - 1] ? 0 : 1);
      const swapped = i > 1 && j > 1 && one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1];
      next.push(Math.min(substitution, row[j]! + 1, next[j - 1]! + 1, swapped ? above[j - 2]! + 1 : Infinity));
    }
    above = row;
    row = next;
  }
  return row[other.length]!;
}
