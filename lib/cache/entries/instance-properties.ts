import { CacheError } from '../base/errors.js';
import type { ClassTraits, NativeBase } from './class-traits.js';

/** One own property of an instance, with its value and attributes. */
export interface OwnProperty {
  readonly key: string | symbol;
  readonly descriptor: PropertyDescriptor;
}

/**
 * Returns true if it is enough to assign the own properties of an instance to an empty one. They must be ordinary data properties, and no
 * accessor or constant of a prototype may have the same name.
 * @throws CacheError `VALUE_NOT_SERIALIZABLE` if a property is an accessor.
 */
export function isRegular(source: object, traits: ClassTraits): boolean {
  for (const name of Object.getOwnPropertyNames(source)) {
    const descriptor = Object.getOwnPropertyDescriptor(source, name)!;
    if (descriptor.get !== undefined || descriptor.set !== undefined) throw accessorRefusal(traits.name, name);
    if (!isOrdinary(descriptor) || traits.inherited.has(name)) return false;
  }
  return Object.getOwnPropertySymbols(source).length === 0 && Object.isExtensible(source);
}

/** Returns true if the attributes are those that an assignment sets. */
function isOrdinary({ writable, enumerable, configurable }: PropertyDescriptor): boolean {
  return writable === true && enumerable === true && configurable === true;
}

/**
 * Returns every own property that internal slots do not hold.
 * @throws CacheError `VALUE_NOT_SERIALIZABLE` if a property is an accessor.
 */
export function ownPropertiesOf(source: object, { base, name }: ClassTraits): OwnProperty[] {
  const properties: OwnProperty[] = [];
  for (const key of Reflect.ownKeys(source)) {
    if (isOfSlots(key, base)) continue;
    const descriptor = Object.getOwnPropertyDescriptor(source, key)!;
    if (descriptor.get === undefined && descriptor.set === undefined) properties.push({ key, descriptor });
    // Some engines make `stack` an accessor.
    else if (base === 'Error' && key === 'stack') properties.push({ key, descriptor: stackOf(source as Error) });
    else throw accessorRefusal(name, String(key));
  }
  return properties;
}

/** Turns a finished copy into an instance: sets the prototype, and the own properties with their attributes. */
export function becomeInstance<T extends object>(
  copy: T,
  source: object,
  traits: ClassTraits,
  copyValue: (value: unknown) => unknown,
): T {
  Object.setPrototypeOf(copy, traits.prototype);
  if (traits.base === 'Error' && !Object.hasOwn(source, 'stack')) delete (copy as { stack?: string }).stack;
  for (const { key, descriptor } of ownPropertiesOf(source, traits))
    Object.defineProperty(copy, key, { ...descriptor, value: copyValue(descriptor.value) });
  if (Object.isFrozen(source)) Object.freeze(copy);
  else if (!Object.isExtensible(source)) Object.preventExtensions(copy);
  return copy;
}

function isOfSlots(key: string | symbol, base: NativeBase): boolean {
  if (typeof key === 'symbol') return false;
  if (base === 'Array') return key === 'length' || isIndex(key);
  if (base === 'TypedArray' || base === 'Buffer' || base === 'Boxed') return key === 'length' || isIndex(key);
  return base === 'RegExp' && key === 'lastIndex';
}

function isIndex(key: string): boolean {
  return /^(?:0|[1-9]\d*)$/.test(key);
}

function stackOf({ stack }: Error): PropertyDescriptor {
  return { value: stack, writable: true, enumerable: false, configurable: true };
}

function accessorRefusal(className: string, property: string): CacheError {
  return new CacheError(
    'VALUE_NOT_SERIALIZABLE',
    `The value holds an instance of ${className} whose property \`${property}\` is an accessor of its own (a lazy relation?), which no copy can have; load it before the value is returned, or return plain data.`,
  );
}
