/** Any method, with unknown arguments. */
export type Method = (this: unknown, ...args: unknown[]) => unknown;

/**
 * Replaces a method of one object by `replace(original)`. The new method is not enumerable, like a method of a prototype, and
 * has the name and length of the original.
 */
export function patch(target: object, name: string, replace: (original: Method) => Method): void {
  const original = Reflect.get(target, name) as Method;
  const replacement = replace(original);
  Object.defineProperties(replacement, {
    name: { value: original.name, configurable: true },
    length: { value: original.length, configurable: true },
  });
  Object.defineProperty(target, name, { value: replacement, writable: true, configurable: true, enumerable: false });
}

/** True if `target` has all named methods. */
export function hasMethods<K extends string>(target: unknown, ...names: readonly K[]): target is Record<K, Method> {
  if ((typeof target !== 'object' && typeof target !== 'function') || target === null) return false;
  return names.every((name) => typeof Reflect.get(target, name) === 'function');
}

/** True for a value with a method `then`. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return hasMethods(value, 'then');
}
