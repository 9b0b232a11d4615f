import type { Series } from '../../cache/observer.js';
import type { CacheMetrics } from '../../metrics/cache-metrics.js';
import type { CacheInvalidateOptions, CachedOptions } from '../cached.options.js';
import type { KeyPattern } from '../keys/key-template.js';

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- any method can be decorated
export type Method = (this: any, ...args: any[]) => unknown;

/** One use of a decorator on one method, as the decorator left it; what it means is decided by each application. */
export type MethodSite = CachedSite | InvalidatingSite;

interface DecoratedMethod {
  readonly method: string | symbol;
  /** What the decorator found in place. */
  readonly original: Method;
  /** What it left in place. */
  readonly dispatcher: Method;
  /** The class that declares it. */
  readonly declaredBy: { readonly name: string };
}

export interface CachedSite extends DecoratedMethod {
  readonly kind: 'cached';
  readonly pattern: KeyPattern;
  readonly options: CachedOptions;
  /** Where running applications count it, the latest last; each takes its own out when it closes. */
  readonly measured: Set<MeasuredSite>;
}

/** Where one application counts one method of one class. */
export interface MeasuredSite {
  readonly metrics: CacheMetrics;
  readonly series: Series;
}

export interface InvalidatingSite extends DecoratedMethod {
  readonly kind: 'invalidating';
  readonly options: CacheInvalidateOptions;
}

/** Metadata keys, written out so that a second copy of this package reads what the first one wrote. */
export const CACHED = 'nestjs-cache-observability:cached';
export const INVALIDATES = 'nestjs-cache-observability:invalidates';
const SITES = 'nestjs-cache-observability:sites';

/** The `@Cached` of a function, whoever wrapped it since and kept its metadata. */
export function cachedSiteOf(implementation: object): CachedSite | undefined {
  return Reflect.getMetadata(CACHED, implementation) as CachedSite | undefined;
}

/** The `@CacheInvalidate`s of a function, innermost first. */
export function invalidatingSitesOf(implementation: object): readonly InvalidatingSite[] {
  return (Reflect.getMetadata(INVALIDATES, implementation) as InvalidatingSite[] | undefined) ?? [];
}

/** Notes that a class declares a decorated method. */
export function noteDecorated(prototype: object, method: string | symbol): void {
  const own = (Reflect.getOwnMetadata(SITES, prototype) as Set<string | symbol> | undefined) ?? new Set();
  own.add(method);
  Reflect.defineMetadata(SITES, own, prototype);
}

/** Names of decorated methods of a class, inherited ones included; a subclass may have replaced some by its own. */
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
