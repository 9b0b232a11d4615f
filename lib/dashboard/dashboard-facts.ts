import type { Start } from '../instances/starts.js';

/** Token of a function that returns the {@link DashboardFacts}. */
export const DASHBOARD_FACTS = Symbol('cache-observability:dashboard-facts');

/** Facts about the application, and which of its features are on. */
export interface DashboardFacts {
  readonly service: string;
  /** The deploy's version, where the options name one. */
  readonly version: string | null;
  readonly libraryVersion: string;
  readonly startedAt: string;
  readonly enabled: boolean;
  readonly metrics: boolean;
  readonly fleet: boolean;
  readonly profiling: boolean;
  /** Names of caches; `default` is the application's own. */
  readonly caches: readonly string[];
  readonly strategies: readonly string[];
  /** Starts of the last day, oldest first: of all instances that share a layer, and of earlier runs with `persistence`. */
  readonly starts: readonly Start[];
}
