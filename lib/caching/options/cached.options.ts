import type { ExecutionContext } from '@nestjs/common';
import type { Duration } from '../../cache/base/duration.js';
import type { AutomaticTtl } from '../../cache/policies/automatic-ttl.js';
import type { CachePolicy } from '../../cache/policies/policy.js';
import type { FastLaneOptions } from './fast-lane.options.js';

export type { FastLaneOptions } from './fast-lane.options.js';

/**
 * The argument of `key` and `vary` functions: Nest's execution context, with frequently used parts as properties. For a
 * provider's method, `getType()` is `'method'` and the arguments are the method's.
 */
export interface CachedContext extends ExecutionContext {
  /** The HTTP request, also from a GraphQL context; undefined for other calls. */
  readonly request: CachedRequest | undefined;
  /** The arguments that the transport passes to the handler (request, response …), or the method's arguments. */
  readonly args: readonly unknown[];
  /** The object whose method was called; undefined for handlers. */
  readonly instance: unknown;
}

/** The part of a request that keys use, with the properties that guards and middleware added. */
export interface CachedRequest {
  readonly method: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly query: unknown;
  readonly params: unknown;
  readonly body?: unknown;
  readonly user?: unknown;
  readonly cookies?: unknown;
  readonly [part: string]: unknown;
}

/** Returns a part of the key: a string, number or any other value that can be encoded. */
export type VaryFunction = (context: CachedContext) => unknown;

/** How clients and proxies may store a response. */
export interface ClientCacheOptions {
  /**
   * The limit of the time; a response is never stored longer than its entry stays fresh. @default the remaining freshness of
   * the entry
   */
  maxAge?: Duration;
  /**
   * `'private'` keeps the response out of shared caches. It is always set if the response varies by caller.
   * @default 'private' behind a guard (of the method, its controller or the application) unless `shared: true`, else 'public'
   */
  scope?: 'public' | 'private';
  /** How long after `maxAge` clients may still use the response while they revalidate it (RFC 5861 §3). @default none */
  staleWhileRevalidate?: Duration;
  /** Adds `must-revalidate`. @default false */
  mustRevalidate?: boolean;
}

/** One request that warms a handler, with values for its declared inputs. */
export interface WarmRequest {
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string | readonly string[]>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** The API version, for a route with several versions. */
  readonly version?: string;
  readonly host?: string;
}

/** Options of one handler or method: the cache's policy, and how its key is made. */
export interface CachedOptions extends Omit<CachePolicy<never>, 'ttl' | 'cacheIf' | 'tags'> {
  /** The named cache that answers: see `CacheObservabilityModule.forFeature`. @default the application's default cache */
  cache?: string;
  /**
   * How long a value is fresh: a duration, a function of the value, or `{ auto: { min, max, maxStaleShare } }`, which adapts to
   * how often values change.
   * @default the module's `ttl`
   */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- each handler's function names its own type of value
  ttl?: Duration | ((value: any) => Duration) | AutomaticTtl;
  /** Stores only values for which this returns true. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- as for `ttl`
  cacheIf?: (value: any) => boolean;
  /** Names by which entries are invalidated together; templates as in the pattern, and `{result.id}`. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- as for `ttl`
  tags?: readonly string[] | ((value: any) => readonly string[]);
  /**
   * Replaces the name of the class in the key. Needed if another class of the same name has cached methods, as with mixins.
   *   Allowed are letters, digits, `_`, `$` and `-`. @default the name of the class
   */
  name?: string;
  /** Returns the part of the key that replaces the declared inputs. The route (or class and method) still precedes it. */
  key?: (context: CachedContext) => string;
  /**
   * Further inputs on which the result depends: paths into the request (`user.id`, `headers.x-tenant`, `cookies.sid`,
   * `query.x`), into an argument (`0.id`; for a handler, the value that the parameter's decorator returns), into the object
   * itself (`this.tenant`), or functions. A call without a value at a path bypasses the cache, with one warning; with
   * `'user.id?'`, undefined is a valid value.
   */
  vary?: string | VaryFunction | readonly (string | VaryFunction)[];
  /**
   * True if the result is the same for all callers, whatever inputs are declared. Requests with `Authorization` are then
   * answered too. @default false
   */
  shared?: boolean;
  /**
   * The parameters of a whole `@Query()` that change the result. Only these are in the key, so that other parameters make no
   *   new keys. @default with a whitelisting ValidationPipe the fields of the query's class, otherwise all parameters
   */
  query?: readonly string[];
  /** Declared inputs that do not change the result: `'query.trace'`, `'headers.x-request-id'`, `'body'`, `'1'` (an argument). */
  ignore?: readonly string[];
  /** The HTTP methods that are cached. HEAD shares the entries of GET. @default ['GET', 'HEAD'] */
  methods?: readonly string[];
  /** `false` turns counts and times off for this handler. */
  metrics?: false | { readonly samplingRate?: number };
  /**
   * Requests that warming sends through the application to this handler after the start, unless `warming.onStartup` is `false`,
   * and whenever the strategy `handler:<Class>.<method>` runs. They count neither as hits nor as misses.
   */
  warm?: readonly WarmRequest[];
  /**
   * Obeys `Cache-Control: no-cache, no-store, max-age, only-if-cached` of requests (RFC 9111 §5.2.1). `no-cache`, and a `max-age`
   * that the entry exceeds, load the value again. The entry stays until the new one replaces it, and is served if the origin
   * fails. @default false
   */
  honorRequestDirectives?: boolean;
  /**
   * Answers hits before the framework, with headers learned from the full path. The application does not start
   * (`FAST_LANE_REFUSED`) if a part of the full path must run for every request: a guard, an interceptor, or middleware that
   * `skipMiddleware` does not name. GET and HEAD only; unknown URLs and special requests take the full path.
   * @default the module's `http.fastLane`
   */
  fastLane?: boolean | FastLaneOptions;
  /** Sends `Cache-Control` to clients: true or options, or a duration as `maxAge`. @default none */
  clientCache?: boolean | Duration | ClientCacheOptions;
}

/** What a successful call invalidates. Templates are as in {@link CachedOptions.tags} and may name `{result.id}`. */
export interface CacheInvalidateOptions {
  /** Whole keys, in the form of templates of `@Cached`: `'product:{params.id}'`. */
  readonly keys?: readonly string[];
  /** Globs: `'feed:*'`, `'seller:{result.sellerId}:*'`. A value inserted for `{…}` matches only itself. */
  readonly patterns?: readonly string[];
  readonly tags?: readonly string[];
  /** The named cache that is invalidated. @default the application's default cache */
  readonly cache?: string;
}
