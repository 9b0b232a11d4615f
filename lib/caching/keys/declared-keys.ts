import { type KeyShape, type PatternToken, type Place, placementsOf, REST, samePlace } from './key-alignment.js';
import { valueCharacter } from './escape.js';
import type { FaultList } from './key-design.js';
import { type KeyTemplate, overlap } from './key-template.js';

/** The slots of a prefix: any text follows it. */
const ONLY_REST = [REST];

/** One method of one class. If it is registered twice, both registrations write the same values under the same keys. */
export interface KeySubject {
  readonly site: object;
  readonly cls: object;
}

/** A template that a handler or method declares as its whole key. */
export interface DeclaredTemplate extends KeyShape {
  /** For messages: `ProductController.find()`. */
  readonly owner: string;
  readonly subject: KeySubject;
  readonly template: KeyTemplate;
  /** The names of its placeholders: see `InputPath.name`. */
  readonly names: readonly string[];
}

/** A key of a declared template. */
export interface DeclaredKey {
  readonly template: DeclaredTemplate;
  /** The inputs that can be read from the key, as tags write them. */
  readonly inputs: ReadonlyMap<string, string>;
}

/** The keys of one application's handlers and methods. No two of them may write the same key. */
export class DeclaredKeys {
  readonly #templates: DeclaredTemplate[] = [];
  readonly #shapes: KeyShape[] = [];
  readonly #expressions = new Map<DeclaredTemplate, RegExp>();

  /** The number of declarations. A result that was computed from fewer declarations is outdated. */
  get size(): number {
    return this.#shapes.length;
  }

  /** Declares a template. */
  template(declared: DeclaredTemplate, faults: FaultList): void {
    const { template, owner, subject } = declared;
    for (const known of this.#templates) {
      if (isSame(known.subject, subject) || !overlap(known.template, template)) continue;
      faults.add(
        'DUPLICATE_TEMPLATE',
        known.subject.site === subject.site
          ? `${known.owner} and ${owner} inherit '${template.text}' and would write the same keys, so one would get the other's values. ` +
              `Write '${template.literals[0]}*', whose keys hold the route or the class, or override the method in one of them with a ` +
              'template of its own.'
          : `${owner} ('${template.text}') and ${known.owner} ('${known.template.text}') can write the same keys, so one would get ` +
              `the other's values. Give one of them another prefix.`,
      );
    }
    this.#templates.push(declared);
    this.#shapes.push(declared);
  }

  /** Finds the template that makes a key, and the inputs in the key; undefined if no template makes it. */
  find(key: string): DeclaredKey | undefined {
    for (const template of this.#templates) {
      if (!key.startsWith(template.literals[0]!)) continue;
      const values = this.#expressionOf(template).exec(key);
      if (values === null) continue;
      const inputs = new Map<string, string>();
      template.slots.forEach((slot, index) => {
        const text = slot.textOf(values[index + 1]!);
        if (text !== undefined) inputs.set(template.names[index]!, text);
      });
      return { template, inputs };
    }
    return undefined;
  }

  /** Declares a pattern such as `'feed:*'`. */
  prefix(prefix: string): void {
    this.#shapes.push({ literals: [prefix, ''], slots: ONLY_REST });
  }

  /**
   * Finds the placeholders of declared keys that the values of a pattern fill, each combination once; empty if the pattern
   * matches no declared key, such as the pattern of another service.
   */
  placements(pattern: readonly PatternToken[]): readonly (readonly Place[])[] {
    const found: (readonly Place[])[] = [];
    const start = startOf(pattern);
    for (const shape of this.#shapes) {
      const literal = shape.literals[0]!;
      if (!literal.startsWith(start) && !start.startsWith(literal)) continue;
      for (const places of placementsOf(pattern, shape)) {
        if (!found.some((other) => other.every((place, at) => samePlace(place, places[at]!)))) found.push(places);
      }
    }
    return found;
  }

  #expressionOf(template: DeclaredTemplate): RegExp {
    const known = this.#expressions.get(template) ?? expressionOf(template);
    this.#expressions.set(template, known);
    return known;
  }
}

/** Returns an expression that matches the keys of a template, with a group for each value. */
function expressionOf({ literals, slots }: DeclaredTemplate): RegExp {
  const source = slots.reduce(
    (text, { stop }, index) => `${text}(${valueCharacter(stop)}*)${escapeExpression(literals[index + 1]!)}`,
    escapeExpression(literals[0]!),
  );
  return new RegExp(`^${source}$`, 'u');
}

function escapeExpression(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}

/** Returns the text at the start of a pattern, up to the first value or wildcard. */
function startOf(pattern: readonly PatternToken[]): string {
  let start = '';
  for (const token of pattern) {
    if (token.kind !== 'character') break;
    start += token.character;
  }
  return start;
}

function isSame(one: KeySubject, other: KeySubject): boolean {
  return one.site === other.site && one.cls === other.cls;
}
