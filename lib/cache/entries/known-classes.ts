import type { ListedClass } from './listed-classes.js';
import { PatternClasses } from './pattern-classes.js';
import type { InstanceCodecs } from './values.js';

/** Heads of undeclared keys that classes are remembered for; further ones have the listed classes alone. */
const REMEMBERED_HEADS = 1_000;

/**
 * What is known of the classes of values, by pattern: by the text that the keys of a pattern begin with, up to its first `*`.
 * A key that no pattern declares belongs to the text before its first colon.
 */
export class KnownClasses {
  readonly #defaults = new PatternClasses('*');
  readonly #declared = new Map<string, PatternClasses>();
  readonly #undeclared = new Map<string, PatternClasses>();
  /** True if an application encodes instances itself: only then a value is asked for them before it is copied. */
  #encodes = false;

  /** @param listed the classes that any pattern may return. */
  constructor(listed: readonly ListedClass[]) {
    this.#list(this.#defaults, listed);
  }

  /** @param listed what this pattern may return beside the classes of all. */
  ofPattern(pattern: string, listed: readonly ListedClass[]): PatternClasses {
    const [head] = pattern.split('*', 1);
    return this.#list(this.#of(this.#declared, head!), listed);
  }

  /** Those that instances of a key's values may be encoded by; undefined if there are none. */
  codecsOf(key: string): InstanceCodecs | undefined {
    return this.#encodes ? this.ofKey(key) : undefined;
  }

  /** The same as {@link ofKey}, with further classes listed. */
  listed(key: string, listed: readonly ListedClass[]): PatternClasses {
    return this.#list(this.ofKey(key), listed);
  }

  ofKey(key: string): PatternClasses {
    let longest: string | undefined;
    for (const head of this.#declared.keys())
      if (key.startsWith(head) && head.length >= (longest?.length ?? 0)) longest = head;
    if (longest !== undefined) return this.#declared.get(longest)!;
    const head = key.slice(0, key.indexOf(':') + 1);
    const remembered = this.#undeclared.has(head) || this.#undeclared.size < REMEMBERED_HEADS;
    return remembered ? this.#of(this.#undeclared, head) : new PatternClasses(`${head}*`, this.#defaults);
  }

  #list(classes: PatternClasses, listed: readonly ListedClass[]): PatternClasses {
    classes.list(listed);
    if (listed.some(({ held }) => held !== undefined)) this.#encodes = true;
    return classes;
  }

  #of(classes: Map<string, PatternClasses>, head: string): PatternClasses {
    let known = classes.get(head);
    if (known === undefined) classes.set(head, (known = new PatternClasses(`${head}*`, this.#defaults)));
    return known;
  }
}
