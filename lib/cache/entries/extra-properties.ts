import { inspect, types } from 'node:util';

/*
 * Arrays may have extra properties besides their items, such as `Object.assign(rows, { total: 5 })` or the result of a RegExp. To find
 * them, all keys of an array are listed once, when a value is stored. A set records the copies that have such properties, so that later
 * walks only look the array up.
 */

/** Weak, so that the set does not keep arrays in memory. */
const arrays = new WeakSet<readonly unknown[]>();
let anyNoted = false;

const INDEX = /^(?:0|[1-9]\d*)$/;
const MAX_INDEX = 2 ** 32 - 2;

/** From this length on, it is faster to print an array without its items than to list all its indices. */
const LONG = 128;
const WITHOUT_ITEMS = {
  depth: 0,
  maxArrayLength: 0,
  maxStringLength: 0,
  breakLength: Infinity,
  compact: true,
  colors: false,
  customInspect: false,
  getters: false,
  showHidden: false,
} as const;

/** Returns the names of an array's own enumerable properties besides its items; undefined if there are none. */
export function extraNamesOf(source: readonly unknown[]): string[] | undefined {
  if (source.length >= LONG && printsItemsAlone(source)) return undefined;
  const keys = Object.keys(source);
  // `Object.keys` returns indices before other names.
  let first = keys.length;
  if (keys[first - 1] === String(source.length - 1)) return undefined;
  while (first > 0 && !isArrayIndex(keys[first - 1]!)) first--;
  return first === keys.length ? undefined : keys.slice(first);
}

/**
 * Returns true if an array has only items. May also return false if Node.js prints the array in an unexpected way; the caller then lists
 * the keys.
 */
function printsItemsAlone(source: readonly unknown[]): boolean {
  return !types.isProxy(source) && inspect(source, WITHOUT_ITEMS) === `[ ... ${source.length} more items ]`;
}

/** Returns true if a name is the index of an item, false if it names another property. */
export function isArrayIndex(name: string): boolean {
  return INDEX.test(name) && Number(name) <= MAX_INDEX;
}

/** Sets a property besides the items, and records the array. */
export function setExtraProperty(array: unknown[], name: string, value: unknown): void {
  arrays.add(array);
  anyNoted = true;
  // Assigning `__proto__` would set the prototype.
  if (name !== '__proto__') (array as unknown as Record<string, unknown>)[name] = value;
  else Object.defineProperty(array, name, { value, writable: true, enumerable: true, configurable: true });
}

/** Records an array from a decoder, if it has extra properties. */
export function noteExtraProperties(array: readonly unknown[]): void {
  if (extraNamesOf(array) === undefined) return;
  arrays.add(array);
  anyNoted = true;
}

/**
 * Returns the names of extra properties as {@link extraNamesOf} does, for an array in a stored value. Returns at once if the array is not
 * recorded.
 */
export function keptExtraNamesOf(array: readonly unknown[]): string[] | undefined {
  return anyNoted && arrays.has(array) ? extraNamesOf(array) : undefined;
}

/** Returns the value of a property besides the items. */
export function extraProperty(array: readonly unknown[], name: string): unknown {
  return (array as unknown as Readonly<Record<string, unknown>>)[name];
}
