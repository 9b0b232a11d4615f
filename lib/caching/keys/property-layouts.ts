import { isWellFormed } from '../../cache/base/keys.js';
import { notWellFormed } from './not-encodable.js';

/** The layout of objects with the same property names: the order of the names, and the text before each value. */
export interface PropertyLayout {
  /** The names in the order in which the objects have them. */
  readonly given: readonly string[];
  /** The names sorted by code units. */
  readonly sorted: readonly string[];
  /** `"name":`, with a comma before all but the first. */
  readonly labels: readonly string[];
}

const FORMS = 16;
const MOST_NAMES = 32;

/** Remembers the layouts of recent objects, because a method is usually called with the same few object literals. */
export class PropertyLayouts {
  readonly #known = new Array<PropertyLayout | undefined>(FORMS);

  of(names: readonly string[]): PropertyLayout {
    const { length } = names;
    if (length === 0 || length > MOST_NAMES) return layoutOf(names);
    const at = (length * 5 + names[0]!.length * 3 + names[length - 1]!.length) % FORMS;
    const known = this.#known[at];
    if (known !== undefined && same(known.given, names)) return known;
    return (this.#known[at] = layoutOf(names));
  }
}

export function layoutOf(names: readonly string[]): PropertyLayout {
  const sorted = names.toSorted();
  return {
    given: names,
    sorted,
    labels: sorted.map((name, index) => `${index === 0 ? '' : ','}${quoted(name)}:`),
  };
}

/** Text that JSON writes unchanged between quotes. */
const NEEDS_NO_ESCAPES = /^[\w .,:;@/+-]*$/;

/** Writes text as JSON. @throws NotEncodable for text that is not well-formed Unicode. */
export function quoted(text: string): string {
  if (NEEDS_NO_ESCAPES.test(text)) return `"${text}"`;
  if (!isWellFormed(text)) throw notWellFormed();
  return JSON.stringify(text);
}

function same(known: readonly string[], names: readonly string[]): boolean {
  if (known.length !== names.length) return false;
  for (let index = 0; index < names.length; index++) if (known[index] !== names[index]) return false;
  return true;
}
