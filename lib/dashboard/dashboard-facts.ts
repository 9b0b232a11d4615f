import type { Start } from '../instances/starts.js';

/** Token of a function that returns the {@link DashboardFacts}. */
export const DASHBOARD_FACTS = Symbol('cache-observability:dashboard-facts');

/** Facts about the application, including which features are on. */
export interface DashboardFacts {
  readonly service: string;
  /** The version of the deploy; null if the options name none. */
  readonly version: string | null;
  readonly libraryVersion: string;
  readonly startedAt: string;
  readonly enabled: boolean;
  readonly metrics: boolean;
  readonly fleet: boolean;
  readonly profiling: boolean;
  /** The names of the caches; `default` is the application's default cache. */
  readonly caches: readonly string[];
  readonly strategies: readonly string[];
  /**
   * The starts of the last day, oldest first, of all instances that share a layer. With `persistence`, the starts of earlier
   * runs are included.
   */
  readonly starts: readonly Start[];
}
