import type { CacheLog } from '../../cache/base/cache-log.js';
import type { Clock } from '../../cache/base/clock.js';
import type { LayeredCache } from '../../cache/layered-cache.js';
import type { CacheMetrics } from '../../metrics/cache-metrics.js';
import type { FastLaneOptions } from './fast-lane.options.js';

/** A further cache of the application, such as an `ObservedCache`. */
export type NamedCache = LayeredCache & { readonly metrics: CacheMetrics };

/** Options of the module for all handlers. */
export interface CachingOptions {
  /** `'minimal'`: X-Cache and ETag; `'standard'` adds Cache-Status (RFC 9211) and Age; false none. @default 'minimal' */
  readonly headers?: 'minimal' | 'standard' | false;
  /** The default for handlers without their own option. @default false */
  readonly fastLane?: boolean | FastLaneOptions;
  /** The share of hits on which the handler runs too, with a warning if the results differ. Off in production. @default 0 */
  readonly probe?: number;
  /** The name of this cache in `Cache-Status`. @default 'nestjs-cache-observability' */
  readonly name?: string;
  /** Returns the named caches, by name; called once all providers exist. @default none */
  readonly named?: () => ReadonlyMap<string, NamedCache>;
  readonly log: CacheLog;
  /** @default the system clock */
  readonly clock?: Clock;
  /** The statistics that `cacheMetricsOf` reads; undefined with `metrics: false`. */
  readonly metrics?: CacheMetrics;
  /** Returns a uniform number in [0, 1) that selects the probed hits. @default Math.random */
  readonly random?: () => number;
}
