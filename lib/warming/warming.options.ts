import type { Duration } from '../cache/base/duration.js';

/** Options of warming. */
export interface WarmingOptions {
  /**
   * Run the startup strategies once the application is up. @default `warm` of handlers runs, strategies do not; an explicit
   * `false` turns both off
   */
  onStartup?: boolean;
  /** Delay readiness of the application until startup warming has ended. @default false */
  blockReadiness?: boolean;
  /** Limit of concurrent strategies, and of concurrent loads of all strategies without their own `concurrency`. @default 4 */
  concurrency?: number;
  /** Keeps the hottest keys from expiring. @default false */
  popularKeys?: boolean | { limit?: number; every?: Duration };
  /**
   * Learns which keys are requested in which quarter of an hour of the week, and loads the ones that are not fresh a minute
   * before the quarter begins: keys of strategies, of `warm:` requests and of `@Cached` methods of singletons, at most `maxLoads` (500).
   * @default false
   */
  predictive?: boolean | { maxLoads?: number };
  /**
   * Before the application is ready, reads the entries of the keys that instances requested most from Redis into memory: `maxKeys`
   * (5,000) at most, for 500 ms at most. @default true, with a memoryLayer in front of a redisLayer
   */
  warmStart?: boolean | { maxKeys?: number };
}
