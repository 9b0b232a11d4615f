import type { AnnotatedLoader, ReadPlan } from '../../cache/policies/read-plan.js';
import type { Transport } from '../inputs/call.js';
import type { WarmRequest } from '../options/cached.options.js';

/** A cached handler or method, as other features see it. */
export interface CachedHandler {
  readonly className: string;
  readonly methodName: string;
  /** The transport of a handler; `'method'` for a provider's method. */
  readonly transport: Transport;
  /** The name of the cache that answers it; undefined for the application's default cache. */
  readonly cache: string | undefined;
  /** The pattern of its statistics, such as `feed:*`. */
  readonly pattern: string;
  /** The pattern as written in the decorator, such as `product:{params.id}`. */
  readonly text: string;
  readonly plan: ReadPlan;
  /** The route of an HTTP handler. */
  readonly route: CachedRoute | undefined;
  readonly warm: readonly WarmRequest[];
  /** Set for a method that can be called again for one of its keys. */
  readonly repeatable?: RepeatableMethod | undefined;
}

/** A method of a singleton whose keys hold all of its arguments, such as `SellerService.find(7)`. */
export interface RepeatableMethod {
  /** Returns a loader that calls the method for this key; undefined if the key is not one of the method's. */
  loaderOf(key: string): AnnotatedLoader<unknown> | undefined;
}

/** The route of an HTTP handler. */
export interface CachedRoute {
  /** `GET`, `POST` … or `ALL`. */
  readonly method: string;
  /** The full template, with global prefix, module path and URI version: `/api/v1/feeds/:id`. */
  readonly path: string;
  /** The API versions that select the route among the handlers of its path. Empty if the path contains the version. */
  readonly versions: readonly string[];
  readonly host: string | undefined;
}
