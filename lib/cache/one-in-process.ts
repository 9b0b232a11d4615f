import { VERSION } from './version.js';

/**
 * A process may load this package twice: as an ES module and as CommonJS, or from two directories. Some objects must exist once. The first copy of a
 * version creates them, and its other copies find them here. Different versions share nothing.
 */
const SHARED = Symbol.for(`nestjs-cache-observability@${VERSION}`);

type Shared = WeakMap<object, Map<string, object>>;

/**
 * Returns the one object with this name in the process, and creates it if this copy asks first.
 * @param scope the owner of the object, such as a copy of Nest. A test runner may load all modules again in one process.
 */
export function oneInProcess<T extends object>(name: string, make: () => T, scope: object = globalThis): T {
  const shared = ((globalThis as { [SHARED]?: Shared })[SHARED] ??= new WeakMap());
  let ofScope = shared.get(scope);
  if (ofScope === undefined) shared.set(scope, (ofScope = new Map()));
  let one = ofScope.get(name) as T | undefined;
  if (one === undefined) ofScope.set(name, (one = make()));
  return one;
}

/** Replaces the class of this copy by the class of the first copy. */
export function OneInProcess(name: string): ClassDecorator {
  return (cls) => oneInProcess(name, () => cls);
}
