import type { CacheLog } from '../cache/cache-log.js';
import type { Clock } from '../cache/clock.js';
import type { CacheMetrics } from '../metrics/cache-metrics.js';
import type { FastLaneOptions } from './fast-lane/fast-lane.options.js';

/** What the module decides for all handlers. */
export interface CachingOptions {
  /** `'minimal'`: X-Cache and ETag; `'standard'` adds Cache-Status (RFC 9211) and Age; false none. @default 'minimal' */
  readonly headers?: 'minimal' | 'standard' | false;
  /** For handlers that do not say themselves. @default false */
  readonly fastLane?: boolean | FastLaneOptions;
  /** Share of hits that run the handler too, with a warning where the answers differ; off in production. @default 0 */
  readonly probe?: number;
  /** The name of this cache in `Cache-Status`. @default 'nestjs-cache-observability' */
  readonly name?: string;
  readonly log: CacheLog;
  /** @default the system's */
  readonly clock?: Clock;
  /** What `cacheMetricsOf` reads; undefined with `metrics: false`. */
  readonly metrics?: CacheMetrics;
  /** Uniform in [0, 1): which hits are probed. @default Math.random */
  readonly random?: () => number;
}
