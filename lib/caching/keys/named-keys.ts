import type { DeclaredKeys } from './declared-keys.js';
import { type PatternToken, patternTokens, type Place } from './key-alignment.js';
import type { KeyTemplate } from './key-template.js';
import { TemplateSlot } from './template-slot.js';

/** Fills one pattern of an invalidation: returns the keys or globs as the handlers write them. */
export class NamedKeys {
  readonly #tokens: readonly PatternToken[];
  /** The placements in the pattern's own text, used if no handler or method of this application makes such keys. */
  readonly #own: readonly (readonly Place[])[];
  #placements: readonly (readonly Place[])[] = [];
  #knownOf = -1;

  /** @param glob true if `*`, `?` and sets in the text are wildcards. */
  constructor(
    private readonly template: KeyTemplate,
    glob: boolean,
    private readonly declared: DeclaredKeys,
  ) {
    this.#tokens = template.literals.flatMap((literal, index): PatternToken[] => [
      ...(index === 0 ? [] : [{ kind: 'value' } as const]),
      ...patternTokens(literal, glob),
    ]);
    this.#own = (['text', 'typed'] as const).map((kind) =>
      template.stops.map((stop) => ({ slot: new TemplateSlot(kind, stop), partial: undefined })),
    );
  }

  /**
   * @param values the values of the placeholders, as callers send them.
   * @param parsed the values as the pipes of the invalidating handler parse them, used if no declared template matches.
   * @throws NotEncodable
   */
  of(values: readonly unknown[], parsed: readonly unknown[]): string[] {
    const { literals } = this.template;
    if (values.length === 0) return [literals[0]!];
    const placements = this.#places();
    const texts = placements.flatMap((places) => filled(literals, values, places));
    if (placements === this.#own) texts.push(...placements.flatMap((places) => filled(literals, parsed, places)));
    return [...new Set(texts)];
  }

  #places(): readonly (readonly Place[])[] {
    if (this.#knownOf !== this.declared.size) {
      this.#knownOf = this.declared.size;
      const placements = this.declared.placements(this.#tokens);
      this.#placements = placements.length === 0 ? this.#own : placements;
    }
    return this.#placements;
  }
}

/** Returns the text with every encoding of every value. */
function filled(literals: readonly string[], values: readonly unknown[], places: readonly Place[]): string[] {
  return values.reduce<string[]>(
    (texts, value, index) => {
      const { slot, partial } = places[index]!;
      const forms = partial === undefined ? slot.forms(value) : slot.partialForms(value, partial);
      return texts.flatMap((text) => forms.map((form) => text + form + literals[index + 1]!));
    },
    [literals[0]!],
  );
}
