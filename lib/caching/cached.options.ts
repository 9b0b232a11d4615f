import type { ExecutionContext } from '@nestjs/common';
import type { Duration } from '../cache/duration.js';
import type { CachePolicy } from '../cache/policy.js';
import type { FastLaneOptions } from './fast-lane/fast-lane.options.js';

export type { FastLaneOptions } from './fast-lane/fast-lane.options.js';

/**
 * What `key` and `vary` functions are given: Nest's own execution context, with the parts that are asked for most at hand.
 * Of a method it has the type `'method'`, and its arguments are the method's.
 */
export interface CachedContext extends ExecutionContext {
  /** The HTTP request, also behind a GraphQL context; undefined elsewhere. */
  readonly request: CachedRequest | undefined;
  /** What the transport called the handler with (request, response …), or the method's arguments. */
  readonly args: readonly unknown[];
  /** The object whose method was called; undefined for handlers. */
  readonly instance: unknown;
}

/** The request as far as keys are concerned; whatever guards and middleware put on it is there too. */
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

/** A part of the key that a function finds: a string, number or anything else that can be encoded. */
export type VaryFunction = (context: CachedContext) => unknown;

/** What clients and proxies may do with an answer. */
export interface ClientCacheOptions {
  /** At most this long; never longer than the entry stays fresh. @default what is left of the entry's freshness */
  maxAge?: Duration;
  /** `'private'` keeps it out of shared caches; forced where the answer varies by caller. @default 'public' */
  scope?: 'public' | 'private';
  /** For how long after that clients may use it while they ask again (RFC 5861 §3). @default none */
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
  /** Of a versioned or host-bound route with several. */
  readonly version?: string;
  readonly host?: string;
}

/** How one handler or method is cached: the cache's policy, and how its key is made. */
export interface CachedOptions extends Omit<CachePolicy<never>, 'ttl' | 'cacheIf' | 'tags'> {
  /** How long a value is fresh, or a function that tells it from the value. @default the module's `ttl` */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- each handler's function names its own type of value
  ttl?: Duration | ((value: any) => Duration);
  /** Keep only values for which this is true. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- as for `ttl`
  cacheIf?: (value: any) => boolean;
  /** Names by which entries are invalidated together; templates as in the pattern, and `{result.id}`. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- as for `ttl`
  tags?: readonly string[] | ((value: any) => readonly string[]);
  /** Replaces the declared inputs in the key: what stands behind the route (or class and method) then is what it returns. */
  key?: (context: CachedContext) => string;
  /**
   * What else the answer depends on: paths into the request (`user.id`, `headers.x-tenant`, `cookies.sid`, `query.x`), into an
   * argument (`0.id`, of a handler the value of that parameter's decorator), into the object itself (`this.tenant`), or functions.
   */
  vary?: string | VaryFunction | readonly (string | VaryFunction)[];
  /** The answer is the same for all callers, whatever the handler declares; requests with `Authorization` are answered too. */
  shared?: boolean;
  /** Declared inputs that do not change the answer: `'query.trace'`, `'headers.x-request-id'`, `'body'`, `'1'` (an argument). */
  ignore?: readonly string[];
  /** HTTP methods that are cached. HEAD shares GET's entries. @default ['GET', 'HEAD'] */
  methods?: readonly string[];
  /** `false` counts and times nothing of this handler. */
  metrics?: false | { readonly samplingRate?: number };
  /**
   * Requests that are sent through the application to this handler once it is up, unless `warming.onStartup` is `false`, and
   * whenever the strategy `handler:<Class>.<method>` is run. They are nobody's hits or misses.
   */
  warm?: readonly WarmRequest[];
  /** Obeys `Cache-Control: no-cache, no-store, max-age, only-if-cached` of requests (RFC 9111 §5.2.1). @default false */
  honorRequestDirectives?: boolean;
  /**
   * Answers hits in front of the framework, with the headers the full path was seen to send. The application does not start
   * (`FAST_LANE_REFUSED`) where something on that path must see every request: guards, interceptors, middleware that is not
   * named as skippable. GET and HEAD; what is not known yet, or asks for more, goes the full path.
   * @default the module's `http.fastLane`
   */
  fastLane?: boolean | FastLaneOptions;
  /** Sends `Cache-Control` to clients: true or options, or a duration as `maxAge`. @default none */
  clientCache?: boolean | Duration | ClientCacheOptions;
}

/** What a successful call makes invalid: templates as in {@link CachedOptions.tags}, `{result.id}` included. */
export interface CacheInvalidateOptions {
  /** Whole keys, as templates of `@Cached` write them: `'product:{params.id}'`. */
  readonly keys?: readonly string[];
  /** Globs: `'feed:*'`, `'seller:{result.sellerId}:*'`. What is put in for `{…}` matches itself only. */
  readonly patterns?: readonly string[];
  readonly tags?: readonly string[];
}
