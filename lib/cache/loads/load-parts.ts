import type { Clock } from '../base/clock.js';
import type { HitOffer } from '../entries/access-stream.js';
import type { CacheEvents } from '../contract/cache-events.js';
import type { LoadLock } from './load-lock.js';
import type { MissReasons } from '../freshness/miss-reasons.js';
import type { Invalidations } from '../invalidation/invalidations.js';
import type { LayerChain } from '../layers/layer-chain.js';
import type { EntryWriter } from './entry-writer.js';
import type { CacheObserver } from '../base/observer.js';
import type { OnceLog } from '../base/once-log.js';
import type { CacheTracer } from '../base/tracer.js';
import type { WaitingCallers } from '../base/waiting-callers.js';
import type { AbortSignals } from './abort-signals.js';
import type { Deadlines } from './deadlines.js';
import type { FailedOrigins } from './failed-origins.js';
import type { InFlightLoads } from './in-flight-loads.js';
import type { NestedLoads } from './nested-loads.js';

/** The parts that reads and loads of one cache share. */
export interface LoadParts {
  readonly chain: LayerChain;
  readonly inFlight: InFlightLoads;
  readonly nested: NestedLoads;
  readonly signals: AbortSignals;
  readonly deadlines: Deadlines;
  readonly invalidations: Invalidations;
  readonly reasons: MissReasons;
  readonly failedOrigins: FailedOrigins;
  readonly entryWriter: EntryWriter;
  readonly lock: LoadLock | undefined;
  readonly events: CacheEvents;
  readonly observer: CacheObserver;
  readonly offer: HitOffer;
  readonly clock: Clock;
  readonly log: OnceLog;
  readonly tracer: CacheTracer | undefined;
  readonly random: () => number;
  readonly callers: WaitingCallers;
}
