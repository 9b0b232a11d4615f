import type { Duration } from '../cache/base/duration.js';

/** Options of warming. */
export interface WarmingOptions {
  /**
   * Runs strategies once the application has started. @default only `warm` of handlers runs; an explicit
   * `false` turns that off, too
   */
  onStartup?: boolean;
  /** Delays readiness of the application until startup warming has ended. @default false */
  blockReadiness?: boolean;
  /** The maximum number of concurrent strategies, and of concurrent loads of all strategies without their own `concurrency`. @default 4 */
  concurrency?: number;
  /** Renews the hottest keys before they expire. @default false */
  popularKeys?: boolean | { limit?: number; every?: Duration };
  /**
   * Learns which keys are requested in which quarter of an hour of the week. A minute before a quarter begins, it loads those that are
   * not fresh, at most `maxLoads` (500): keys of strategies, of `warm:` requests and of `@Cached` methods of singletons.
   * @default false
   */
  predictive?: boolean | { maxLoads?: number };
  /**
   * Reads the entries of the most requested keys from Redis into memory before the application is ready: at most `maxKeys`
   * (5,000), for at most 500 ms. @default true if a memoryLayer is in front of a redisLayer
   */
  warmStart?: boolean | { maxKeys?: number };
}
