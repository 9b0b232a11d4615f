import type { Duration } from '../../base/duration.js';
import type { Serializer } from '../encoding/serializer.js';

/** The options of every layer outside this process. */
export interface RemoteLayerOptions {
  /** The layer's name in statistics, metrics and logs. @default the kind of layer: 'redis', 'keyv', 'store' */
  name?: string;
  /** The boot fails when it cannot be reached. @default false */
  required?: boolean;
  /** How long one operation may take; later answers are discarded. @default 500 */
  deadline?: Duration;
  /** When the layer is not asked for a while; `false` asks it every time. */
  breaker?: CircuitBreakerOptions | false;
  /** `'through'`: a write ends when the layer has it. `'behind'`: it is queued and written in batches. @default 'through' */
  writes?: 'through' | 'behind' | WriteBehindOptions;
  /**
   * How values are turned into bytes: `'json'` writes JSON if that gives the same value and structured clone otherwise;
   * `'structured-clone'` for all values; or your own. May be changed on a live cache. @default 'json'
   */
  serializer?: 'json' | 'structured-clone' | Serializer;
  /** Values of this many bytes and more are compressed (Brotli, quality 1); `false` never. @default { threshold: 16_384 } */
  compression?: false | { threshold: number };
}

/**
 * When a circuit breaker opens: by the share of failures, timeouts and slow calls among the calls of a rolling window, or if all calls
 * fail for a tenth of it.
 */
export interface CircuitBreakerOptions {
  /** Length of the rolling window. @default '10s' */
  window?: Duration;
  /** Share of calls that must fail to open, 0–1. @default 0.5 */
  threshold?: number;
  /** Fewer calls than this in the window never open it. @default 5 */
  minimumCalls?: number;
  /** A call that takes longer counts as failed, though its answer is used. @default half the deadline */
  slowCall?: Duration;
  /** How long it stays open before one probe is sent; a layer serves again within five seconds. @default '1s' */
  halfOpenAfter?: Duration;
}

/** Queues writes in a bounded queue, by key: the last write of a key wins. */
export interface WriteBehindOptions {
  /** The most waiting keys; beyond it the oldest waiting write is dropped, and counted. @default 10_000 */
  maxQueue?: number;
  /** The most waiting bytes, estimated. @default 64 MiB */
  maxQueueBytes?: number;
  /** Keys written in one batch. @default 500 */
  batchSize?: number;
  /** How long a write may wait for others. @default 5 */
  flushEvery?: Duration;
  /** How long `disconnect()` continues to write the queue. @default '2s' */
  drainWithin?: Duration;
}
