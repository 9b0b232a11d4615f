import type { AccessStream } from './entries/access-stream.js';
import type { CacheLog } from './base/cache-log.js';
import type { CallbackErrors } from './base/callback-errors.js';
import type { Clock } from './base/clock.js';
import type { Duration } from './base/duration.js';
import type { CachedClasses } from './entries/listed-classes.js';
import type { LayerFactory } from './layers/layer.js';
import type { CacheObserver } from './base/observer.js';
import type { AutomaticTtl } from './policies/automatic-ttl.js';
import type { CachePolicy } from './policies/policy.js';
import type { CacheTracer } from './base/tracer.js';

export interface LayeredCacheOptions {
  /** The layers; a local layer comes first. */
  layers: readonly LayerFactory[];
  /** The prefix of keys in shared layers. */
  namespace: string;
  /** The version of a deploy. A new version starts with an empty shared cache. */
  version?: string;
  ttl: Duration | AutomaticTtl;
  policy?: CachePolicy;
  /** Classes of the instances that values of any pattern may hold. */
  classes?: CachedClasses;
  observer: CacheObserver;
  /** Follows the accesses to a sample of the keys. @default none */
  accesses?: AccessStream | undefined;
  clock?: Clock;
  enabled?: boolean;
  log?: CacheLog;
  /** Handles failures of listeners. @default a new instance */
  callbacks?: CallbackErrors;
  tracer?: CacheTracer;
  /** Returns a uniform number in [0, 1), for jitter and XFetch. @default Math.random */
  random?: () => number;
}
