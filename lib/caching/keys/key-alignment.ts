/**
 * Assigns each value of an invalidation's pattern to a placeholder of a declared key template. For example, the pattern
 * `'product-{params.id}-*'` matches the keys of `'product-{params.id}-{params.lang}'` with that id. How a key contains the id
 * (escapes, quotes, a pipe's result, a long value's digest) depends on the template. So the pattern is aligned with each
 * template, and each value is written as the template's placeholder writes it.
 */
import { isPlain } from './escape.js';
import { TemplateSlot } from './template-slot.js';

/** A token of a pattern: a character, a value, or a wildcard of a glob. */
export type PatternToken =
  | { readonly kind: 'character'; readonly character: string }
  | { readonly kind: 'one' }
  | { readonly kind: 'any' }
  | { readonly kind: 'value' };

/** A template, or a prefix followed by anything. */
export interface KeyShape {
  readonly literals: readonly string[];
  /** One slot for each gap between literals. */
  readonly slots: readonly TemplateSlot[];
}

/** The placeholder in which a value stands. */
export interface Place {
  readonly slot: TemplateSlot;
  /** Undefined if the value fills the whole placeholder. */
  readonly partial: { readonly first: boolean; readonly open: boolean } | undefined;
}

/** The rest of a key after the prefix of `'feed:*'`: inputs, written as text. */
export const REST = new TemplateSlot('text', '');

/** Splits a literal into tokens. Only a literal of a glob has wildcards. */
export function patternTokens(literal: string, glob: boolean): PatternToken[] {
  const characters = [...literal];
  const tokens: PatternToken[] = [];
  for (let at = 0; at < characters.length; at++) {
    let character = characters[at]!;
    if (glob && character === '*') tokens.push({ kind: 'any' });
    else if (glob && character === '?') tokens.push({ kind: 'one' });
    else if (glob && character === '[') {
      const close = closingBracket(characters, at + 1);
      tokens.push({ kind: 'one' });
      at = close;
    } else {
      if (glob && character === '\\' && at + 1 < characters.length) character = characters[++at]!;
      tokens.push({ kind: 'character', character });
    }
  }
  return tokens;
}

/**
 * Returns every assignment of the pattern's values to the shape's placeholders; empty if the pattern matches no key of the
 * shape.
 */
export function placementsOf(pattern: readonly PatternToken[], shape: KeyShape): readonly (readonly Place[])[] {
  return new Alignment(pattern, shape).all();
}

type ShapeToken = string | TemplateSlot;

class Alignment {
  readonly #pattern: readonly PatternToken[];
  readonly #shape: readonly ShapeToken[];
  readonly #known = new Map<number, readonly (readonly Place[])[]>();

  constructor(pattern: readonly PatternToken[], { literals, slots }: KeyShape) {
    this.#pattern = pattern;
    this.#shape = literals.flatMap((literal, index): ShapeToken[] =>
      index < slots.length ? [...literal, slots[index]!] : [...literal],
    );
  }

  all(): readonly (readonly Place[])[] {
    return this.#from(0, 0, false);
  }

  /**
   * Returns the placements of the pattern from `at` on in the shape from `to` on.
   * @param inside true if the placeholder at `to` already has content.
   */
  #from(at: number, to: number, inside: boolean): readonly (readonly Place[])[] {
    const state = (at * (this.#shape.length + 1) + to) * 2 + Number(inside);
    const known = this.#known.get(state);
    if (known !== undefined) return known;
    const found = distinct(this.#follow(at, to, inside));
    this.#known.set(state, found);
    return found;
  }

  #follow(at: number, to: number, inside: boolean): (readonly Place[])[] {
    const token = this.#pattern[at];
    const under = this.#shape[to];
    if (token === undefined) {
      const rest = this.#shape.slice(to);
      return rest.every((one) => typeof one !== 'string') ? [[]] : [];
    }
    const found: (readonly Place[])[] = [];
    if (under === undefined) return token.kind === 'any' ? [...this.#from(at + 1, to, false)] : [];
    if (typeof under === 'string') {
      if (token.kind === 'any') found.push(...this.#from(at + 1, to, false), ...this.#from(at, to + 1, false));
      else if (token.kind === 'one' || (token.kind === 'character' && token.character === under))
        found.push(...this.#from(at + 1, to + 1, false));
      return found;
    }
    if (token.kind === 'value') return this.#place(under, at, to, inside);
    // The placeholder's value is empty, or ends here.
    found.push(...this.#from(at, to + 1, false));
    if (token.kind === 'any') found.push(...this.#from(at + 1, to, true));
    else if (token.kind === 'one' || mayStandIn(under, token.character)) found.push(...this.#from(at + 1, to, true));
    return found;
  }

  #place(slot: TemplateSlot, at: number, to: number, inside: boolean): (readonly Place[])[] {
    const found: (readonly Place[])[] = [];
    const put = (place: Place, rest: readonly (readonly Place[])[]) =>
      found.push(...rest.map((places) => [place, ...places]));
    if (slot === REST) {
      put({ slot, partial: undefined }, this.#from(at + 1, to, true));
      return found;
    }
    if (!inside) put({ slot, partial: undefined }, this.#from(at + 1, to + 1, false));
    const next = this.#pattern[at + 1];
    const partial = { first: !inside, open: next?.kind === 'any' };
    if (inside || next?.kind === 'any') put({ slot, partial }, this.#from(at + 1, to, true));
    else if (
      next !== undefined &&
      (next.kind === 'one' || (next.kind === 'character' && mayStandIn(slot, next.character)))
    ) {
      put({ slot, partial }, this.#from(at + 2, to, true));
    } else if (next?.kind === 'value') put({ slot, partial }, this.#from(at + 1, to, true));
    return found;
  }
}

function mayStandIn(slot: TemplateSlot, character: string): boolean {
  if (slot === REST) return true;
  return character !== slot.stop && (isPlain(character) || "%;~'…".includes(character));
}

function distinct(found: readonly (readonly Place[])[]): readonly (readonly Place[])[] {
  return found.filter(
    (places, index) => found.findIndex((other) => other.every((place, at) => samePlace(place, places[at]!))) === index,
  );
}

export function samePlace(one: Place, other: Place): boolean {
  if (!one.slot.sameAs(other.slot) || (one.slot === REST) !== (other.slot === REST)) return false;
  return one.partial?.first === other.partial?.first && one.partial?.open === other.partial?.open;
}

function closingBracket(characters: readonly string[], start: number): number {
  let at = start;
  while (at < characters.length && characters[at] !== ']') at += characters[at] === '\\' ? 2 : 1;
  return Math.min(at, characters.length - 1);
}
