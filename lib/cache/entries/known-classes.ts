import type { ListedClass } from './listed-classes.js';
import { PatternClasses } from './pattern-classes.js';
import type { InstanceCodecs } from './values.js';

/** The most prefixes of undeclared keys for which classes are remembered; keys with other prefixes use the listed classes only. */
const REMEMBERED_HEADS = 1_000;

/**
 * The known classes of values, by pattern: by the prefix of the pattern's keys, up to its first `*`.
 * The prefix of a key that no pattern declares is the text before its first colon.
 */
export class KnownClasses {
  readonly #defaults = new PatternClasses('*');
  readonly #declared = new Map<string, PatternClasses>();
  readonly #undeclared = new Map<string, PatternClasses>();
  /** True if the application encodes instances of a class. Only then are values searched for such instances before they are copied. */
  #encodes = false;

  /** @param listed the classes that any pattern may return. */
  constructor(listed: readonly ListedClass[]) {
    this.#list(this.#defaults, listed);
  }

  /** @param listed further classes of this pattern. */
  ofPattern(pattern: string, listed: readonly ListedClass[]): PatternClasses {
    const [head] = pattern.split('*', 1);
    return this.#list(this.#of(this.#declared, head!), listed);
  }

  /** The codecs for instances in a key's values; undefined if there are none. */
  codecsOf(key: string): InstanceCodecs | undefined {
    return this.#encodes ? this.ofKey(key) : undefined;
  }

  /** As {@link ofKey}, with further listed classes. */
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
