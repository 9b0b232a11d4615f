import type { AnnotatedLoader, ReadPlan } from '../../cache/policies/read-plan.js';
import type { Transport } from '../inputs/call.js';
import type { WarmRequest } from '../options/cached.options.js';

/** A cached handler or method, as other features see it. */
export interface CachedHandler {
  readonly className: string;
  readonly methodName: string;
  /** The transport of a handler; `'method'` for a provider's method. */
  readonly transport: Transport;
  /** The named cache that answers it; undefined for the application's own. */
  readonly cache: string | undefined;
  /** The pattern of its statistics, such as `feed:*`. */
  readonly pattern: string;
  /** The pattern as it is written, such as `product:{params.id}`. */
  readonly text: string;
  readonly plan: ReadPlan;
  /** The route of an HTTP handler. */
  readonly route: CachedRoute | undefined;
  readonly warm: readonly WarmRequest[];
  /** Of a method that can be called again for one of its keys; undefined for others. */
  readonly repeatable?: RepeatableMethod | undefined;
}

/** A method of a singleton whose keys hold all of its arguments, such as `SellerService.find(7)`. */
export interface RepeatableMethod {
  /** Loads the key by calling the method, without a caller; undefined if it is not one of its keys. */
  loaderOf(key: string): AnnotatedLoader<unknown> | undefined;
}

/** The route of an HTTP handler. */
export interface CachedRoute {
  /** `GET`, `POST` … or `ALL`. */
  readonly method: string;
  /** The full template, with global prefix, module path and URI version: `/api/v1/feeds/:id`. */
  readonly path: string;
  /** API versions that select it among the handlers of the path. Empty if the path contains the version. */
  readonly versions: readonly string[];
  readonly host: string | undefined;
}
