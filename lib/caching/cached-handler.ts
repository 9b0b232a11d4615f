import type { ReadPlan } from '../cache/read-plan.js';
import type { WarmRequest } from './cached.options.js';

/** What other rooms may know of one cached handler or method. */
export interface CachedHandler {
  readonly className: string;
  readonly methodName: string;
  /** The pattern its statistics stand under, such as `feed:*`. */
  readonly pattern: string;
  readonly plan: ReadPlan;
  /** Of an HTTP handler. */
  readonly route: CachedRoute | undefined;
  readonly warm: readonly WarmRequest[];
}

/** Where an HTTP handler is reached. */
export interface CachedRoute {
  /** `GET`, `POST` … or `ALL`. */
  readonly method: string;
  /** The full template, with global prefix, module path and URI version: `/api/v1/feeds/:id`. */
  readonly path: string;
  /** Versions by which it is told from other handlers of the path, unless they stand in the path. */
  readonly versions: readonly string[];
  readonly host: string | undefined;
}
