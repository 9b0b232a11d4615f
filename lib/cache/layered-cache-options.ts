import type { CacheLog } from './cache-log.js';
import type { Clock } from './clock.js';
import type { Duration } from './duration.js';
import type { LayerFactory } from './layers/layer.js';
import type { CacheObserver } from './observer.js';
import type { CachePolicy } from './policy.js';
import type { CacheTracer } from './tracer.js';

export interface LayeredCacheOptions {
  /** Nearest first. */
  layers: readonly LayerFactory[];
  /** Prefix of keys in shared layers. */
  namespace: string;
  /** A deploy's version: a new one starts with an empty shared cache. */
  version?: string;
  ttl: Duration;
  policy?: CachePolicy;
  observer: CacheObserver;
  clock?: Clock;
  enabled?: boolean;
  log?: CacheLog;
  tracer?: CacheTracer;
  /** Uniform in [0, 1): jitter, XFetch. @default Math.random */
  random?: () => number;
}
