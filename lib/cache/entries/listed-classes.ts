import { CacheError } from '../base/errors.js';
import { shown } from '../base/shown.js';
import { type ClassConstructor, nameOf } from './class-traits.js';
import { heldPrototype, type InstanceCodec } from './held-instance.js';

/** A class whose instances the application encodes as data and decodes. */
export interface EncodedClass {
  readonly class: ClassConstructor;
  /** Encodes an instance as any value that can be cached. */
  encode(instance: object): unknown;
  /** Returns the instance that such data represents. */
  decode(data: unknown): object;
}

/**
 * The classes of the instances that cached values may hold. With this list, a new process can restore instances from a shared layer at
 * once. Give a list of classes, or an object with a name for each class. The names of the object are stored in the layer, so a build may
 * rename the classes.
 */
export type CachedClasses = readonly ClassConstructor[] | Readonly<Record<string, ClassConstructor | EncodedClass>>;

/** One item of the option. */
export interface ListedClass {
  /** The name from the object of classes; undefined if the option is a list. */
  readonly alias: string | undefined;
  readonly prototype: object;
  /** The prototype of the objects that are stored instead of instances; set only if the application encodes the class. */
  readonly held: object | undefined;
}

/** Reads the option. @throws CacheError `INVALID_OPTIONS`, which lists every fault. */
export function listedClasses(option: CachedClasses): ListedClass[] {
  const faults = classFaults(option, 'classes');
  if (faults.length > 0) throw new CacheError('INVALID_OPTIONS', `${faults.join('. ')}.`);
  if (isList(option)) return option.map((type) => ({ alias: undefined, prototype: type.prototype, held: undefined }));
  return Object.entries(option).map(([alias, type]) => {
    if (typeof type === 'function') return { alias, prototype: type.prototype, held: undefined };
    return { alias, prototype: (type as EncodedClass).class.prototype, held: heldPrototype(codecOf(alias, type)) };
  });
}

/** Returns the faults of the option, each with its path. */
export function classFaults(option: unknown, where: string): string[] {
  if (Array.isArray(option)) {
    return option.flatMap((type: unknown, index) => {
      if (!isClass(type)) return [`${where}[${index}]: must be a class, not ${shown(type)}`];
      return nameOf(type) === ''
        ? [
            `${where}[${index}]: the class has no name. Give an object of classes by name instead of a list: { 'shop.Item': … }`,
          ]
        : [];
    });
  }
  if (typeof option !== 'object' || option === null)
    return [`${where}: must be a list of classes or an object of classes by name, not ${shown(option)}`];
  return Object.entries(option).flatMap(([alias, type]: [string, unknown]) =>
    isClass(type) || isEncoded(type)
      ? []
      : [`${where}.${alias}: must be a class or { class, encode, decode }, not ${shown(type)}`],
  );
}

function codecOf(name: string, type: ClassConstructor | EncodedClass): InstanceCodec {
  const { encode, decode } = type as EncodedClass;
  return { name, encode: encode.bind(type), decode: decode.bind(type) };
}

function isList(option: CachedClasses): option is readonly ClassConstructor[] {
  return Array.isArray(option);
}

function isClass(type: unknown): type is ClassConstructor {
  if (typeof type !== 'function') return false;
  const { prototype } = type as { prototype?: unknown };
  return typeof prototype === 'object' && prototype !== null && prototype !== Object.prototype;
}

function isEncoded(type: unknown): type is EncodedClass {
  const { class: encoded, encode, decode } = (type ?? {}) as Partial<EncodedClass>;
  return isClass(encoded) && typeof encode === 'function' && typeof decode === 'function';
}
