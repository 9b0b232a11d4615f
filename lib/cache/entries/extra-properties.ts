import { inspect, types } from 'node:util';

/*
 * Arrays with extra properties besides their items, such as `Object.assign(rows, { total: 5 })` or the result of a RegExp. To find these
 * properties, all keys of an array are listed, once, when a value is stored. Copies with such properties are remembered in a set, so
 * that later walks only look the array up there.
 */

/** Weak, so that it does not keep the arrays in memory. */
const arrays = new WeakSet<readonly unknown[]>();
let anyNoted = false;

const INDEX = /^(?:0|[1-9]\d*)$/;
const MAX_INDEX = 2 ** 32 - 2;

/** From this length on, printing an array without its items is faster than listing all its indices. */
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

/** Names of the own enumerable properties besides the items of an array; undefined if there are none. */
export function extraNamesOf(source: readonly unknown[]): string[] | undefined {
  if (source.length >= LONG && printsItemsAlone(source)) return undefined;
  const keys = Object.keys(source);
  // `Object.keys` returns indices before other names.
  let first = keys.length;
  if (keys[first - 1] === String(source.length - 1)) return undefined;
  while (first > 0 && !isArrayIndex(keys[first - 1]!)) first--;
  return first === keys.length ? undefined : keys.slice(first);
}

/** Also false if Node.js prints the array in an unexpected way. The caller then lists the keys. */
function printsItemsAlone(source: readonly unknown[]): boolean {
  return !types.isProxy(source) && inspect(source, WITHOUT_ITEMS) === `[ ... ${source.length} more items ]`;
}

/** True for the name of an item of an array, and false for that of another property. */
export function isArrayIndex(name: string): boolean {
  return INDEX.test(name) && Number(name) <= MAX_INDEX;
}

/** Sets a property besides the items, and remembers the array. */
export function setExtraProperty(array: unknown[], name: string, value: unknown): void {
  arrays.add(array);
  anyNoted = true;
  // Assigning `__proto__` would set the prototype.
  if (name !== '__proto__') (array as unknown as Record<string, unknown>)[name] = value;
  else Object.defineProperty(array, name, { value, writable: true, enumerable: true, configurable: true });
}

/** Remembers an array with named properties that a decoder created. */
export function noteExtraProperties(array: readonly unknown[]): void {
  if (extraNamesOf(array) === undefined) return;
  arrays.add(array);
  anyNoted = true;
}

/** As {@link extraNamesOf}, for an array of a stored value. Returns at once if the array is not remembered. */
export function keptExtraNamesOf(array: readonly unknown[]): string[] | undefined {
  return anyNoted && arrays.has(array) ? extraNamesOf(array) : undefined;
}

/** The value of a property besides the items. */
export function extraProperty(array: readonly unknown[], name: string): unknown {
  return (array as unknown as Readonly<Record<string, unknown>>)[name];
}
