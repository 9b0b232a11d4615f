import type { ClassName, ClassNames } from './entry.js';
import { type ClassConstructor, type ClassTraits, traitsOf } from './class-traits.js';
import type { ListedClass } from './listed-classes.js';
import type { InstanceCodecs } from './values.js';

/** The most classes that are recorded for one pattern. */
const REMEMBERED_CLASSES = 64;
const NO_CLASSES: ReadonlySet<ClassTraits> = new Set();

/**
 * The classes that the values of one pattern are known to hold: classes that the application lists, a declared return type, and classes
 * that this process returned or stored before. Instances are restored from a shared layer only as one of these classes, so that bytes
 * written to the layer by others cannot choose another class.
 *
 * A listed name is trusted. For any other name, the source must have the same fingerprint too, because a minifier assigns new names in each
 * build. For names that a minifier may have chosen, even that is not enough: see `#isUnmistakable`.
 */
export class PatternClasses implements InstanceCodecs, ClassNames {
  readonly #defaults: PatternClasses | undefined;
  // Most patterns know no class, so the first class creates these collections.
  #aliases: Map<string, ListedClass> | undefined;
  /** By prototype. */
  #listed: Map<object, ListedClass> | undefined;
  #known: Set<ClassTraits> | undefined;
  #encodes = false;

  /** @param pattern for messages. */
  constructor(
    readonly pattern: string,
    defaults?: PatternClasses,
  ) {
    this.#defaults = defaults;
  }

  list(classes: readonly ListedClass[]): void {
    for (const one of classes) {
      (this.#listed ??= new Map<object, ListedClass>()).set(one.prototype, one);
      if (one.alias !== undefined) (this.#aliases ??= new Map<string, ListedClass>()).set(one.alias, one);
      if (one.held !== undefined) this.#encodes = true;
      this.#know(traitsOf(one.prototype));
    }
  }

  /** Records a return type, if it is a class of the application. */
  declare(type: ClassConstructor): void {
    const traits = traitsOf(type.prototype);
    if (traits.type === type && traits.refusal === undefined) this.#know(traits);
  }

  learn(classes: ReadonlySet<ClassTraits>): void {
    for (const traits of classes) {
      if (this.#known?.has(traits) === true || traits.type === undefined) continue;
      if (this.#known !== undefined && this.#known.size >= REMEMBERED_CLASSES) return;
      this.#know(traits);
    }
  }

  heldPrototypeOf(prototype: object): object | undefined {
    if (!this.#encodes) return this.#defaults?.heldPrototypeOf(prototype);
    return this.#listed?.get(prototype)?.held ?? this.#defaults?.heldPrototypeOf(prototype);
  }

  /** Returns the name of a class in a shared layer. */
  nameOf(prototype: object): ClassName {
    const traits = traitsOf(prototype);
    const alias = traits.codec?.name ?? this.#aliasOf(prototype);
    return { alias, name: traits.name, fingerprint: traits.codec === undefined ? traits.fingerprint : '' };
  }

  /**
   * Returns the prototype of the class with a name; undefined if this pattern is not known to return it.
   * @param properties returns the names of the own properties of the instances.
   */
  prototypeOf(name: ClassName, properties: () => ReadonlySet<string>): object | undefined {
    const alias = name.alias === undefined ? undefined : this.#aliased(name.alias);
    if (alias !== undefined) return alias.held ?? alias.prototype;
    const found = [...this.#candidates()].filter((traits) => traits.name === name.name && name.name !== '');
    const same = found.filter(({ fingerprint }) => fingerprint === name.fingerprint);
    if (same.length === 1) return this.#isUnmistakable(same[0]!, properties) ? same[0]!.prototype : undefined;
    if (same.length > 1 || found.length !== 1) return undefined;
    // The source has changed. Use a class listed under this name, unless a build may have given its name to another class.
    const [changed] = found;
    if (!this.#isListedByName(changed!.prototype)) return undefined;
    return changed!.isMangled && this.#isSourceOfAnother(name.fingerprint) ? undefined : changed!.prototype;
  }

  /**
   * Returns true if a class is certain. A build may give the name of one class to another whose source differs only in names. Then only the
   * properties of the instances distinguish the classes: each property must belong to this class, and no other class may have all of them.
   */
  #isUnmistakable(traits: ClassTraits, properties: () => ReadonlySet<string>): boolean {
    if (!traits.isMangled) return true;
    const names = [...properties()];
    if (!names.every((name) => traits.hasProperty(name))) return false;
    for (const other of this.#candidates()) {
      if (other === traits || other.fingerprint !== traits.fingerprint) continue;
      if (names.every((name) => other.hasProperty(name))) return false;
    }
    return true;
  }

  #isSourceOfAnother(fingerprint: string): boolean {
    for (const traits of this.#candidates()) if (traits.fingerprint === fingerprint) return true;
    return false;
  }

  *#candidates(): Iterable<ClassTraits> {
    const known = this.#known ?? NO_CLASSES;
    yield* known;
    if (this.#defaults === undefined) return;
    for (const traits of this.#defaults.#known ?? NO_CLASSES) if (!known.has(traits)) yield traits;
  }

  #aliased(alias: string): ListedClass | undefined {
    return this.#aliases?.get(alias) ?? (this.#defaults === undefined ? undefined : this.#defaults.#aliased(alias));
  }

  #aliasOf(prototype: object): string | undefined {
    const listed = this.#listed?.get(prototype);
    if (listed !== undefined || this.#defaults === undefined) return listed?.alias;
    return this.#defaults.#aliasOf(prototype);
  }

  #know(traits: ClassTraits): void {
    (this.#known ??= new Set<ClassTraits>()).add(traits);
  }

  #isListedByName(prototype: object): boolean {
    const listed = this.#listed?.get(prototype);
    if (listed !== undefined) return listed.alias === undefined;
    return this.#defaults !== undefined && this.#defaults.#isListedByName(prototype);
  }
}
