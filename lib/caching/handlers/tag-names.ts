import type { CacheLog } from '../../cache/base/cache-log.js';
import { nearest } from '../../cache/options/unknown-option.js';
import { keyTemplate } from '../keys/key-template.js';

/** A tag in a decorator: literals with a value between each two. */
interface TagName {
  readonly text: string;
  readonly literals: readonly string[];
}

/**
 * Compares the tags that handlers and methods of one application set with the tags that `@CacheInvalidate` names. A tag that is
 *   never set invalidates nothing. Each is logged once at boot. It is not a fault, because other code may set the tag.
 */
export class TagNames {
  readonly #set = new Map<string, TagName>();
  readonly #named: { readonly owner: string; readonly tag: TagName }[] = [];
  #open = false;

  /** @param tags templates, or a function, which may set any tag. */
  set(tags: readonly string[] | ((value: never) => readonly string[])): void {
    if (typeof tags === 'function') this.#open = true;
    else for (const tag of tags.flatMap(nameOf)) this.#set.set(tag.text, tag);
  }

  name(tags: readonly string[], owner: string): void {
    for (const tag of tags.flatMap(nameOf)) this.#named.push({ owner, tag });
  }

  report(log: CacheLog): void {
    const known = [...this.#set.values()];
    for (const { owner, tag } of this.#named) {
      if (known.some((other) => meet(tag.literals, other.literals))) continue;
      const nearestShape = nearest(shapeOf(tag), known.map(shapeOf));
      const meant = known.find((other) => shapeOf(other) === nearestShape)?.text;
      if (meant === undefined && this.#open) continue;
      const advice =
        meant === undefined
          ? 'Ignore this if code sets it, as in getOrSet(key, load, { tags }).'
          : `Did you mean '${meant}'?`;
      log(
        meant === undefined ? 'log' : 'warn',
        'UNKNOWN_TAG',
        `${owner}: no @Cached handler or method sets the tag '${tag.text}' that it invalidates. ${advice}`,
      );
    }
  }
}

function nameOf(text: string): TagName[] {
  try {
    return [{ text, literals: keyTemplate(text).literals }];
  } catch {
    // An invalid template is reported when it is compiled.
    return [];
  }
}

export function shapeOf({ literals }: { readonly literals: readonly string[] }): string {
  return literals.join('*');
}

/** True if two templates can make the same text. */
export function meet(one: readonly string[], other: readonly string[]): boolean {
  return matches(characters(one), characters(other));
}

/** Splits literals into characters, with undefined for any text. */
function characters(literals: readonly string[]): (string | undefined)[] {
  return literals.flatMap((literal, index) => (index === 0 ? [...literal] : [undefined, ...literal]));
}

function matches(one: readonly (string | undefined)[], other: readonly (string | undefined)[]): boolean {
  let reached = new Set([0]);
  const spread = (at: Set<number>) => {
    for (const index of at) if (index < other.length && other[index] === undefined) at.add(index + 1);
    return at;
  };
  reached = spread(reached);
  for (const character of one) {
    const next = new Set<number>();
    for (const at of reached) {
      if (character === undefined) for (let index = at; index <= other.length; index++) next.add(index);
      else if (at < other.length && other[at] === undefined) next.add(at);
      else if (at < other.length && other[at] === character) next.add(at + 1);
    }
    reached = spread(next);
  }
  return reached.has(other.length);
}
