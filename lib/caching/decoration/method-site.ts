import type { OptionFault } from '../../cache/options/option-rules.js';
import type { Series } from '../../cache/base/observer.js';
import type { CacheMetrics } from '../../metrics/cache-metrics.js';
import type { CacheInvalidateOptions, CachedOptions } from '../options/cached.options.js';
import type { KeyPattern } from '../keys/key-template.js';

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- any method can be decorated
export type Method = (this: any, ...args: any[]) => unknown;

/** One use of a decorator on one method; each application compiles it. */
export type MethodSite = CachedSite | InvalidatingSite;

interface DecoratedMethod {
  readonly method: string | symbol;
  /** The method as the class declares it. */
  readonly original: Method;
  /** The function with which the decorator replaces the method. */
  readonly dispatcher: Method;
  /** The class that declares it. */
  readonly declaredBy: { readonly name: string };
  /** The faults of the decorator's options. `options` contains only valid fields. */
  readonly optionFaults: readonly OptionFault[];
}

export interface CachedSite extends DecoratedMethod {
  readonly kind: 'cached';
  readonly pattern: KeyPattern;
  readonly options: CachedOptions;
  /** The statistics of running applications, the latest last. Each application removes its own statistics when it closes. */
  measured: readonly MeasuredSite[];
}

/** The statistics of one method of one class in one application. */
export interface MeasuredSite {
  readonly metrics: CacheMetrics;
  readonly series: Series;
}

export interface InvalidatingSite extends DecoratedMethod {
  readonly kind: 'invalidating';
  readonly options: CacheInvalidateOptions;
}

/** Metadata keys. They are text, so that a second copy of this package can read the metadata of the first. */
export const CACHED = 'nestjs-cache-observability:cached';
export const INVALIDATES = 'nestjs-cache-observability:invalidates';
const SITES = 'nestjs-cache-observability:sites';

/** Returns the `@Cached` of a function, also if other decorators wrapped the function and kept its metadata. */
export function cachedSiteOf(implementation: object): CachedSite | undefined {
  return Reflect.getMetadata(CACHED, implementation) as CachedSite | undefined;
}

/** Returns the `@CacheInvalidate`s of a function, innermost first. */
export function invalidatingSitesOf(implementation: object): readonly InvalidatingSite[] {
  return (Reflect.getMetadata(INVALIDATES, implementation) as InvalidatingSite[] | undefined) ?? [];
}

/** Records that a class declares a decorated method. */
export function noteDecorated(prototype: object, method: string | symbol): void {
  const own = (Reflect.getOwnMetadata(SITES, prototype) as Set<string | symbol> | undefined) ?? new Set();
  own.add(method);
  Reflect.defineMetadata(SITES, own, prototype);
}

/** Returns the names of a class's decorated methods, inherited ones included. A subclass may have overridden some of them. */
export function decoratedMethods(prototype: object): ReadonlySet<string | symbol> {
  const names = new Set<string | symbol>();
  for (let level: object | null = prototype; level !== null; level = Object.getPrototypeOf(level) as object | null) {
    const own = Reflect.getOwnMetadata(SITES, level) as Set<string | symbol> | undefined;
    for (const name of own ?? []) names.add(name);
  }
  return names;
}

/** A method's name in keys and messages. */
export function methodName(method: string | symbol): string {
  return typeof method === 'string' ? method : `[${method.description ?? ''}]`;
}
