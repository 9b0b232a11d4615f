import { VERSION } from './version.js';

/**
 * A process may load this package twice: once as an ES module and once as CommonJS, or from two directories. Copies of one version
 * share what must be one: the first makes it, and the others take it from here. Other versions share nothing.
 */
const SHARED = Symbol.for(`nestjs-cache-observability@${VERSION}`);

type Shared = WeakMap<object, Map<string, object>>;

/**
 * What the first copy of this version made under a name.
 * @param scope what it belongs to, such as a copy of Nest: a test runner may load all modules anew in one process.
 */
export function oneInProcess<T extends object>(name: string, make: () => T, scope: object = globalThis): T {
  const shared = ((globalThis as { [SHARED]?: Shared })[SHARED] ??= new WeakMap());
  let ofScope = shared.get(scope);
  if (ofScope === undefined) shared.set(scope, (ofScope = new Map()));
  let one = ofScope.get(name) as T | undefined;
  if (one === undefined) ofScope.set(name, (one = make()));
  return one;
}

/** Puts the first copy's class in the place of this one. */
export function OneInProcess(name: string): ClassDecorator {
  return (cls) => oneInProcess(name, () => cls);
}
