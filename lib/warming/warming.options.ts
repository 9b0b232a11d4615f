import type { Duration } from '../cache/duration.js';

/** How the cache is kept warm. */
export interface WarmingOptions {
  /**
   * Run the startup strategies once the application is up. @default `warm:` of handlers runs then, strategies do not; an explicit
   * `false` keeps both from it
   */
  onStartup?: boolean;
  /** The application is ready only when startup warming has ended. @default false */
  blockReadiness?: boolean;
  /** Entries loaded side by side. @default 4 */
  concurrency?: number;
  /** Keeps the hottest keys from expiring. @default false */
  popularKeys?: boolean | { limit?: number; every?: Duration };
}
