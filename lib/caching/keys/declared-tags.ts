import type { InputParser } from '../inputs/declared-inputs.js';
import type { KeyTemplate } from './key-template.js';

/** One parser for each placeholder of a tag template; undefined if the tag contains the value unchanged. */
type Parsers = readonly (InputParser['parse'] | undefined)[];

/** The tag templates of handlers. An invalidation parses its values as the handlers with the same template do. */
export class DeclaredTags {
  readonly #parsers = new Map<string, Parsers[]>();

  declare(template: KeyTemplate, parsers: Parsers): void {
    const name = nameOf(template);
    this.#parsers.set(name, [...(this.#parsers.get(name) ?? []), parsers]);
  }

  /**
   * Parses the values of an invalidation as the declared templates with the same literals do, and returns each result once.
   * Undefined if there is no such template.
   */
  parsed(template: KeyTemplate, values: readonly unknown[]): readonly (readonly unknown[])[] | undefined {
    return this.#parsers
      .get(nameOf(template))
      ?.map((parsers) => values.map((value, index) => parsedBy(parsers[index], value)));
  }
}

/** Parses a value. A number or boolean becomes text, as in all tags. */
function parsedBy(parse: InputParser['parse'] | undefined, value: unknown): unknown {
  if (parse === undefined) return value;
  return parse(value === undefined || value === null || typeof value === 'object' ? value : String(value));
}

/** Identifies a template by its literals: templates that differ only in the names of inputs make the same tags. */
function nameOf({ literals }: KeyTemplate): string {
  return JSON.stringify(literals);
}
