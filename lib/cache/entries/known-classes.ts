import type { ListedClass } from './listed-classes.js';
import { PatternClasses } from './pattern-classes.js';
import type { InstanceCodecs } from './values.js';

/** The most prefixes of undeclared keys for which classes are recorded. Keys with other prefixes use only the listed classes. */
const REMEMBERED_HEADS = 1_000;

/**
 * The known classes of values, by the prefix of their keys. The prefix of a declared pattern is its text up to the first `*`. The prefix of
 * a key that no pattern declares is its text up to and with the first colon.
 */
export class KnownClasses {
  readonly #defaults = new PatternClasses('*');
  readonly #declared = new Map<string, PatternClasses>();
  readonly #undeclared = new Map<string, PatternClasses>();
  /** True if the application encodes instances of a class. Only then, a copy searches values for such instances. */
  #encodes = false;

  /** @param listed the classes that values of any pattern may hold. */
  constructor(listed: readonly ListedClass[]) {
    this.#list(this.#defaults, listed);
  }

  /** @param listed further classes of this pattern. */
  ofPattern(pattern: string, listed: readonly ListedClass[]): PatternClasses {
    const [head] = pattern.split('*', 1);
    return this.#list(this.#of(this.#declared, head!), listed);
  }

  /** Returns the codecs for instances in a key's values; undefined if there are none. */
  codecsOf(key: string): InstanceCodecs | undefined {
    return this.#encodes ? this.ofKey(key) : undefined;
  }

  /** Returns the classes of a key as {@link ofKey} does, and lists further classes there. */
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
