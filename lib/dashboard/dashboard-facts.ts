import type { Start } from '../instances/starts.js';

/** Token of a function that returns the {@link DashboardFacts}. */
export const DASHBOARD_FACTS = Symbol('cache-observability:dashboard-facts');

/** What the page shows of the application itself, and which parts of it are switched on. */
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
  /** `default` for the application's own. */
  readonly caches: readonly string[];
  readonly strategies: readonly string[];
  /** Starts of the last day, oldest first: those of every instance where they share a layer, earlier ones where they are kept. */
  readonly starts: readonly Start[];
}
