import type { ExecutionContext } from '@nestjs/common';
import type { Duration } from '../../cache/base/duration.js';
import type { AutomaticTtl } from '../../cache/policies/automatic-ttl.js';
import type { CachePolicy } from '../../cache/policies/policy.js';
import type { FastLaneOptions } from './fast-lane.options.js';

export type { FastLaneOptions } from './fast-lane.options.js';

/**
 * The argument of `key` and `vary` functions: Nest's execution context with the most used parts as properties.
 * For a method the type is `'method'`, and the arguments are the method's.
 */
export interface CachedContext extends ExecutionContext {
  /** The HTTP request, including that in a GraphQL context; undefined elsewhere. */
  readonly request: CachedRequest | undefined;
  /** The arguments of the handler from its transport (request, response …), or of the method. */
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
  /** The longest time; never longer than the entry stays fresh. @default the remaining freshness of the entry */
  maxAge?: Duration;
  /**
   * `'private'` keeps it out of shared caches; always set where the response varies by caller.
   * @default 'private' behind a guard (of the method, its controller or the application) unless `shared: true`, else 'public'
   */
  scope?: 'public' | 'private';
  /** How long after that clients may use it while they revalidate (RFC 5861 §3). @default none */
  staleWhileRevalidate?: Duration;
  /** Adds `must-revalidate`. @default false */
  mustRevalidate?: boolean;
}

/** One request that warms a handler: its declared inputs. */
export interface WarmRequest {
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string | readonly string[]>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** The version, for a route with several. */
  readonly version?: string;
  readonly host?: string;
}

/** Options of one handler or method: the cache's policy, and how its key is made. */
export interface CachedOptions extends Omit<CachePolicy<never>, 'ttl' | 'cacheIf' | 'tags'> {
  /** The named cache that answers: see `CacheObservabilityModule.forFeature`. @default the application's own */
  cache?: string;
  /**
   * How long a value is fresh, a function of the value, or `{ auto: { min, max, maxStaleShare } }`, which follows what the cache observes.
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
   * Replaces the name of the class in the key, needed if another class of that name has cached methods, such as mixins. Letters,
   * digits, `_`, `$` and `-`. @default the name of the class
   */
  name?: string;
  /** Returns the key, in place of the declared inputs; the route (or class and method) still precedes it. */
  key?: (context: CachedContext) => string;
  /**
   * Further inputs of the result: paths into the request (`user.id`, `headers.x-tenant`, `cookies.sid`, `query.x`), into an
   * argument (`0.id`; for a handler the value of that parameter's decorator), into the object itself (`this.tenant`), or functions.
   * A call without a value at a path bypasses the cache, with one warning; with `'user.id?'`, undefined is a valid value.
   */
  vary?: string | VaryFunction | readonly (string | VaryFunction)[];
  /** The result is the same for all callers, for any declared input; requests with `Authorization` are answered too. @default false */
  shared?: boolean;
  /**
   * The parameters of a whole `@Query()` that change the result. Only these are in the key, so that other parameters make no new
   * keys. @default the fields of its class behind a whitelisting ValidationPipe; all parameters elsewhere
   */
  query?: readonly string[];
  /** Declared inputs that do not change the result: `'query.trace'`, `'headers.x-request-id'`, `'body'`, `'1'` (an argument). */
  ignore?: readonly string[];
  /** HTTP methods that are cached. HEAD shares GET's entries. @default ['GET', 'HEAD'] */
  methods?: readonly string[];
  /** `false` turns counts and times off for this handler. */
  metrics?: false | { readonly samplingRate?: number };
  /**
   * Requests that are sent through the application to this handler once it is up, unless `warming.onStartup` is `false`, and
   * whenever the strategy `handler:<Class>.<method>` runs. They count neither as hits nor as misses.
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
   * (`FAST_LANE_REFUSED`) if a part of that path must run for every request: guards, interceptors, middleware that is not
   * named as skippable. GET and HEAD only; unknown URLs and special requests take the full path.
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
  /** The named cache that is invalidated. @default the application's own */
  readonly cache?: string;
}
