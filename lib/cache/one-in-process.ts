import { VERSION } from './version.js';

/**
 * A process may load this package twice: once as an ES module and once as CommonJS, or from two directories. Copies of one version
 * share objects that must exist once: the first copy creates them, and the others find them here. Different versions share nothing.
 */
const SHARED = Symbol.for(`nestjs-cache-observability@${VERSION}`);

type Shared = WeakMap<object, Map<string, object>>;

/**
 * Returns the object that the first copy of this version created under a name.
 * @param scope the owner of the object, such as a copy of Nest: a test runner may load all modules again in one process.
 */
export function oneInProcess<T extends object>(name: string, make: () => T, scope: object = globalThis): T {
  const shared = ((globalThis as { [SHARED]?: Shared })[SHARED] ??= new WeakMap());
  let ofScope = shared.get(scope);
  if (ofScope === undefined) shared.set(scope, (ofScope = new Map()));
  let one = ofScope.get(name) as T | undefined;
  if (one === undefined) ofScope.set(name, (one = make()));
  return one;
}

/** Replaces the class of this copy by the first copy's. */
export function OneInProcess(name: string): ClassDecorator {
  return (cls) => oneInProcess(name, () => cls);
}
