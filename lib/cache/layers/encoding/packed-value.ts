import { copyOf } from '../../entries/caller-copy.js';
import { type ClassTraits, hasSlotsOf, traitsOf } from '../../entries/class-traits.js';
import type { OwnProperty } from '../../entries/instance-properties.js';
import type { ClassName } from '../../entries/entry.js';
import { ForeignBytesError } from '../../base/bounded-json.js';

/** The instances in the value of a graph. The value holds them as plain data. */
export interface GraphInstances {
  readonly classes: readonly ClassName[];
  /** The instances of each class, in the order of `classes`. */
  readonly instances: readonly (readonly object[])[];
  readonly extras: readonly InstanceExtras[];
}

/** The properties of an instance that assignment does not copy. */
export interface InstanceExtras {
  readonly instance: object;
  readonly properties: readonly OwnProperty[];
  readonly integrity: Integrity;
}

/** Whether an instance accepts new properties and changes. */
export const Integrity = { open: 0, fixed: 1, frozen: 2 } as const;
export type Integrity = (typeof Integrity)[keyof typeof Integrity];

/** A decoded value whose instances do not have their classes yet. It comes from untrusted bytes. */
export class PackedValue {
  readonly #value: unknown;
  readonly #parts: GraphInstances;

  constructor(value: unknown, parts: GraphInstances) {
    this.#value = value;
    this.#parts = parts;
  }

  get classes(): readonly ClassName[] {
    return this.#parts.classes;
  }

  /**
   * Gives the instances their classes, without constructors or setters. Call it only once, because it changes the value.
   * @param prototypeOf returns the prototype of a class, or undefined if the class must not be restored.
   * @returns undefined if one of the classes must not be restored.
   * @throws if data does not fit its class, or if the application cannot decode it.
   */
  restore(
    prototypeOf: (name: ClassName, properties: () => ReadonlySet<string>) => object | undefined,
  ): { readonly value: unknown } | undefined {
    const { classes, instances, extras } = this.#parts;
    const found: ClassTraits[] = [];
    for (const [index, name] of classes.entries()) {
      const prototype = prototypeOf(name, () => this.#propertiesOf(index));
      if (prototype === undefined) return undefined;
      found.push(traitsOf(prototype));
    }
    found.forEach((traits, index) => instances[index]?.forEach((instance) => becomeInstance(instance, traits)));
    for (const { instance, properties, integrity } of extras) complete(instance, properties, integrity);
    // Decode now, because data that cannot be decoded would fail each reader.
    found.forEach(({ codec }, index) => codec !== undefined && instances[index]?.forEach(copyOf));
    return { value: this.#value };
  }

  /** Returns the names of the own properties that the instances of one class have. */
  #propertiesOf(index: number): Set<string> {
    const { instances, extras } = this.#parts;
    const ofClass = new Set(instances[index]);
    const names = new Set([...ofClass].flatMap((instance) => Object.keys(instance)));
    for (const { instance, properties } of extras)
      if (ofClass.has(instance)) for (const { key } of properties) if (typeof key === 'string') names.add(key);
    return names;
  }
}

function becomeInstance(data: object, { prototype, base, codec }: ClassTraits): void {
  const given = traitsOf(Object.getPrototypeOf(data) as object);
  // A graph stores a Buffer that has a class as a typed array.
  const isOfBase = given.base === base || (base === 'Buffer' && given.base === 'TypedArray');
  if (given.type !== undefined || given.codec !== undefined || !isOfBase || !hasSlotsOf(base, data))
    throw new ForeignBytesError('data of another class');
  if (codec !== undefined && !Object.hasOwn(data, 'data')) throw new ForeignBytesError('no data of an instance');
  Object.setPrototypeOf(data, prototype);
}

function complete(instance: object, properties: readonly OwnProperty[], integrity: Integrity): void {
  const traits = traitsOf(Object.getPrototypeOf(instance) as object);
  traits.irregular = true;
  if (traits.base === 'Error') delete (instance as { stack?: string }).stack;
  for (const { key, descriptor } of properties) Object.defineProperty(instance, key, descriptor);
  if (integrity === Integrity.frozen) Object.freeze(instance);
  else if (integrity === Integrity.fixed) Object.preventExtensions(instance);
}
