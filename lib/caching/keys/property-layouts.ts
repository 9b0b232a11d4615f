/** How the properties of objects with the same names are written: in which order, and what stands before each value. */
export interface PropertyLayout {
  /** The names in the order in which such objects have them. */
  readonly given: readonly string[];
  /** By code units, as `sort()` does. */
  readonly sorted: readonly string[];
  /** `"name":`, with a comma before all but the first. */
  readonly labels: readonly string[];
}

const FORMS = 16;
const MOST_NAMES = 32;

/** Remembers the layouts of the last forms seen: a method is called with the same few object literals again and again. */
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

/** What `JSON.stringify` would only put in quotes. */
const NEEDS_NO_ESCAPES = /^[\w .,:;@/+-]*$/;

/** Text as JSON has it. */
export function quoted(text: string): string {
  return NEEDS_NO_ESCAPES.test(text) ? `"${text}"` : JSON.stringify(text);
}

function same(known: readonly string[], names: readonly string[]): boolean {
  if (known.length !== names.length) return false;
  for (let index = 0; index < names.length; index++) if (known[index] !== names[index]) return false;
  return true;
}
